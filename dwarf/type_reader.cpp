#include "dwarf/type_reader.h"

#include "dwarf/die.h"
#include "dwarf/type_definitions.h"

#include <dwarf.h>
#include <map>
#include <tuple>
#include <unordered_map>

namespace inspect {
namespace {

/// In the largest programs a type has some thousand enumerators.
constexpr std::size_t max_children = 65'536;
constexpr int max_aliases = 64;
constexpr int max_array_nesting = 16;

constexpr unsigned at_go_kind = 0x2900;
constexpr unsigned at_go_key = 0x2901;
constexpr unsigned at_go_element = 0x2902;
constexpr unsigned at_go_embedded_field = 0x2903;
constexpr unsigned at_go_runtime_type = 0x2904;

DwarfTypeKind kind_of(int tag) {
  switch (tag) {
  case DW_TAG_base_type:
    return DwarfTypeKind::base;
  case DW_TAG_pointer_type:
    return DwarfTypeKind::pointer;
  case DW_TAG_reference_type:
    return DwarfTypeKind::reference;
  case DW_TAG_rvalue_reference_type:
    return DwarfTypeKind::rvalue_reference;
  case DW_TAG_ptr_to_member_type:
    return DwarfTypeKind::member_pointer;
  case DW_TAG_structure_type:
    return DwarfTypeKind::structure;
  case DW_TAG_class_type:
  case DW_TAG_interface_type:
    return DwarfTypeKind::class_type;
  case DW_TAG_union_type:
    return DwarfTypeKind::union_type;
  case DW_TAG_array_type:
    return DwarfTypeKind::array;
  case DW_TAG_enumeration_type:
    return DwarfTypeKind::enumeration;
  case DW_TAG_typedef:
  case DW_TAG_template_alias:
    return DwarfTypeKind::alias;
  case DW_TAG_const_type:
  case DW_TAG_volatile_type:
  case DW_TAG_restrict_type:
  case DW_TAG_atomic_type:
  case DW_TAG_immutable_type:
    return DwarfTypeKind::qualified;
  case DW_TAG_subroutine_type:
    return DwarfTypeKind::subroutine;
  case DW_TAG_unspecified_type:
    return DwarfTypeKind::unspecified;
  default:
    return DwarfTypeKind::unknown;
  }
}

const char *qualifier_name(int tag) {
  switch (tag) {
  case DW_TAG_const_type:
    return "const";
  case DW_TAG_volatile_type:
    return "volatile";
  case DW_TAG_restrict_type:
    return "restrict";
  case DW_TAG_atomic_type:
    return "_Atomic";
  default:
    return "immutable";
  }
}

bool has_flag(Dwarf_Die &die, unsigned attribute) {
  Dwarf_Attribute found;
  bool value = false;
  return dwarf_attr(&die, attribute, &found) && dwarf_formflag(&found, &value) == 0 && value;
}

/// A number that may be written signed or unsigned: of fixed-size forms the bits do not tell, and compilers use them
/// for what is not negative.
std::optional<std::int64_t> constant(Dwarf_Die &die, unsigned attribute) {
  Dwarf_Attribute found;
  Dwarf_Sword number = 0;
  Dwarf_Word bits = 0;
  if (!dwarf_attr(&die, attribute, &found))
    return std::nullopt;
  const unsigned form = dwarf_whatform(&found);
  if (form == DW_FORM_sdata || form == DW_FORM_implicit_const)
    return dwarf_formsdata(&found, &number) == 0 ? std::optional<std::int64_t>(number) : std::nullopt;
  return dwarf_formudata(&found, &bits) == 0 ? std::optional(static_cast<std::int64_t>(bits)) : std::nullopt;
}

/// DW_AT_data_member_location: a number, or in old files an expression that adds one.
std::optional<std::uint64_t> member_offset(Dwarf_Die &die) {
  if (const auto number = unsigned_attribute(die, DW_AT_data_member_location))
    return number;
  Dwarf_Attribute found;
  Dwarf_Op *operations = nullptr;
  std::size_t count = 0;
  if (!dwarf_attr(&die, DW_AT_data_member_location, &found) || dwarf_getlocation(&found, &operations, &count) != 0 ||
      count != 1 || operations[0].atom != DW_OP_plus_uconst)
    return std::nullopt;
  return operations[0].number;
}

/// DWARF 4 counts a bit-field's bits from the type's start; DWARF 2 from the highest bit of the integer that holds it.
void read_bit_field(Dwarf_Die &die, DwarfMember &member) {
  member.bit_size = unsigned_attribute(die, DW_AT_bit_size);
  if (!member.bit_size)
    return;
  if (const auto offset = unsigned_attribute(die, DW_AT_data_bit_offset)) {
    member.bit_offset = *offset;
    return;
  }
  const std::uint64_t from_high = unsigned_attribute(die, DW_AT_bit_offset).value_or(0);
  std::uint64_t holder = unsigned_attribute(die, DW_AT_byte_size).value_or(0);
  Dwarf_Die type;
  if (const TypeHandle handle = type_of(die);
      holder == 0 && handle.die && dwarf_peel_type(&(type = *handle.die), &type) == 0)
    holder = unsigned_attribute(type, DW_AT_byte_size).value_or(0);
  if (holder <= 16 && from_high + *member.bit_size <= 8 * holder)
    member.bit_offset = 8 * (member.offset + holder) - from_high - *member.bit_size;
}

void add_member(Dwarf_Die &die, DwarfType &type) {
  DwarfMember member;
  member.is_base = dwarf_tag(&die) == DW_TAG_inheritance;
  member.is_virtual = member.is_base && unsigned_attribute(die, DW_AT_virtuality).value_or(0) != 0;
  // A static member is a declaration of a variable elsewhere.
  if (!member.is_base && (has_flag(die, DW_AT_declaration) || has_flag(die, DW_AT_external)))
    return;
  if (const char *name = string_attribute(die, DW_AT_name))
    member.name = name;
  member.type = type_of(die);
  member.offset = member_offset(die).value_or(0);
  member.go_embedded = has_flag(die, at_go_embedded_field);
  read_bit_field(die, member);
  type.members.push_back(std::move(member));
}

std::optional<std::uint64_t> dimension(Dwarf_Die &die) {
  if (const auto count = unsigned_attribute(die, DW_AT_count))
    return count;
  const auto upper = constant(die, DW_AT_upper_bound);
  const std::int64_t lower = constant(die, DW_AT_lower_bound).value_or(0);
  if (!upper || *upper < lower - 1)
    return std::nullopt;
  return static_cast<std::uint64_t>(*upper) - static_cast<std::uint64_t>(lower) + 1;
}

void add_template_arguments(Dwarf_Die &child, std::vector<DwarfTemplateArgument> &arguments, bool in_pack) {
  const int tag = dwarf_tag(&child);
  if (tag == DW_TAG_GNU_template_parameter_pack && !in_pack) {
    each_child(child, [&](Dwarf_Die &one, std::uint64_t) {
      add_template_arguments(one, arguments, true);
      return arguments.size() < max_children;
    });
    return;
  }
  if (tag != DW_TAG_template_type_parameter && tag != DW_TAG_template_value_parameter)
    return;
  DwarfTemplateArgument argument;
  if (const char *name = string_attribute(child, DW_AT_name))
    argument.name = name;
  argument.type = type_of(child);
  argument.is_value = tag == DW_TAG_template_value_parameter;
  if (argument.is_value)
    argument.value = constant(child, DW_AT_const_value);
  arguments.push_back(std::move(argument));
}

void read_children(Dwarf_Die &die, DwarfType &type) {
  std::size_t count = 0;
  each_child(die, [&](Dwarf_Die &child, std::uint64_t) {
    switch (dwarf_tag(&child)) {
    case DW_TAG_member:
    case DW_TAG_inheritance:
      add_member(child, type);
      break;
    case DW_TAG_subrange_type:
      type.dimensions.push_back(dimension(child));
      break;
    case DW_TAG_enumerator: {
      const char *name = string_attribute(child, DW_AT_name);
      type.enumerators.push_back({name ? name : "", constant(child, DW_AT_const_value).value_or(0)});
      break;
    }
    case DW_TAG_formal_parameter:
      type.parameters.push_back(type_of(child));
      break;
    case DW_TAG_template_type_parameter:
    case DW_TAG_template_value_parameter:
    case DW_TAG_GNU_template_parameter_pack:
      add_template_arguments(child, type.template_arguments, false);
      break;
    default:
      break;
    }
    return ++count < max_children;
  });
}

std::optional<GoTypeAttributes> go_attributes(Dwarf_Die &die) {
  const auto kind = unsigned_attribute(die, at_go_kind);
  if (!kind)
    return std::nullopt;
  GoTypeAttributes go;
  go.kind = static_cast<std::uint8_t>(*kind & 31); // above it are flags of the runtime's
  go.key.die = referred_die(die, at_go_key);
  go.element.die = referred_die(die, at_go_element);
  Dwarf_Attribute found;
  Dwarf_Addr address = 0;
  if (dwarf_attr(&die, at_go_runtime_type, &found) && dwarf_formaddr(&found, &address) == 0)
    go.runtime_type = address;
  else
    go.runtime_type = unsigned_attribute(die, at_go_runtime_type);
  if (go.runtime_type == 0U)
    go.runtime_type.reset();
  return go;
}

const void *identity(const TypeHandle &handle) {
  return handle.made != nullptr ? static_cast<const void *>(handle.made) : handle.die ? handle.die->addr : nullptr;
}

} // namespace

struct TypeReader::State {
  std::unordered_map<const void *, std::unique_ptr<DwarfType>> types;
  /// By the identity of their parts: kind, target, and a number or a name.
  std::map<std::tuple<DwarfTypeKind, const void *, std::uint64_t, std::uint64_t, std::string>, DwarfType> made;
  TypeDefinitions definitions;
  const DwarfType nothing;

  std::unique_ptr<DwarfType> read(Dwarf_Die die) {
    auto type = std::make_unique<DwarfType>();
    // What stands for a type unit may say nothing but its signature.
    if (has_flag(die, DW_AT_declaration) || dwarf_hasattr(&die, DW_AT_signature)) {
      if (const auto definition = definitions.of(die))
        die = *definition;
      else
        type->is_declaration = true;
    }
    const int tag = dwarf_tag(&die);
    type->kind = kind_of(tag);
    if (const char *name = string_attribute(die, DW_AT_name))
      type->name = name;
    else if (type->kind == DwarfTypeKind::qualified)
      type->name = qualifier_name(tag);
    type->byte_size = unsigned_attribute(die, DW_AT_byte_size);
    type->encoding = unsigned_attribute(die, DW_AT_encoding).value_or(0);
    type->target.die = referred_die(die, DW_AT_type);
    type->go = go_attributes(die);
    if (type->kind >= DwarfTypeKind::structure && dwarf_haschildren(&die) == 1)
      read_children(die, *type);
    return type;
  }
};

TypeReader::TypeReader() : state_(std::make_unique<State>()) {}
TypeReader::~TypeReader() = default;

const DwarfType &TypeReader::read(const TypeHandle &handle) {
  if (handle.made != nullptr)
    return *handle.made;
  if (!handle.die)
    return state_->nothing;
  std::unique_ptr<DwarfType> &type = state_->types[handle.die->addr];
  if (!type)
    type = state_->read(*handle.die);
  return *type;
}

const DwarfType &TypeReader::underlying(const TypeHandle &handle) {
  const DwarfType *type = &read(handle);
  for (int steps = 0; type->kind == DwarfTypeKind::alias || type->kind == DwarfTypeKind::qualified; ++steps) {
    if (steps >= max_aliases)
      return state_->nothing;
    type = &read(type->target);
  }
  return *type;
}

std::optional<std::uint64_t> TypeReader::size_of(const TypeHandle &handle) {
  std::uint64_t count = 1;
  const DwarfType *type = &underlying(handle);
  for (int depth = 0; depth < max_array_nesting; ++depth) {
    std::uint64_t bytes = 0;
    if (type->byte_size)
      return __builtin_mul_overflow(count, *type->byte_size, &bytes) ? std::nullopt : std::optional(bytes);
    if (type->kind != DwarfTypeKind::array)
      break;
    for (const std::optional<std::uint64_t> &length : type->dimensions)
      if (!length || __builtin_mul_overflow(count, *length, &count))
        return std::nullopt;
    type = &underlying(type->target);
  }
  // A pointer's size is often left out.
  const bool is_address = type->kind == DwarfTypeKind::pointer || type->kind == DwarfTypeKind::reference ||
                          type->kind == DwarfTypeKind::rvalue_reference;
  return is_address && count <= UINT64_MAX / 8 ? std::optional(8 * count) : std::nullopt;
}

TypeHandle TypeReader::pointer_to(const TypeHandle &target) {
  auto [entry, is_new] = state_->made.try_emplace({DwarfTypeKind::pointer, identity(target), 0, 0, {}});
  if (is_new) {
    entry->second.kind = DwarfTypeKind::pointer;
    entry->second.target = target;
    entry->second.byte_size = 8;
  }
  return {.die = std::nullopt, .made = &entry->second};
}

TypeHandle TypeReader::array_of(const TypeHandle &element, std::uint64_t length) {
  auto [entry, is_new] = state_->made.try_emplace({DwarfTypeKind::array, identity(element), length, 0, {}});
  if (is_new) {
    entry->second.kind = DwarfTypeKind::array;
    entry->second.target = element;
    entry->second.dimensions = {length};
  }
  return {.die = std::nullopt, .made = &entry->second};
}

TypeHandle TypeReader::base_type(std::string_view name, std::uint64_t encoding, std::uint64_t byte_size) {
  auto [entry, is_new] =
      state_->made.try_emplace({DwarfTypeKind::base, nullptr, encoding, byte_size, std::string(name)});
  if (is_new) {
    entry->second.kind = DwarfTypeKind::base;
    entry->second.name = name;
    entry->second.encoding = encoding;
    entry->second.byte_size = byte_size;
  }
  return {.die = std::nullopt, .made = &entry->second};
}

TypeHandle type_of(Dwarf_Die die) {
  TypeHandle handle;
  each_description(die, [&](Dwarf_Die &one) {
    handle.die = referred_die(one, DW_AT_type);
    return !handle.die;
  });
  return handle;
}

} // namespace inspect
