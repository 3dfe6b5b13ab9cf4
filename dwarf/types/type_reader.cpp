#include "dwarf/types/type_reader.h"

#include "dwarf/die/die.h"
#include "dwarf/types/type_completion.h"
#include "dwarf/types/type_members.h"
#include "dwarf/types/type_name.h"

#include <dwarf.h>
#include <fmt/format.h>
#include <map>
#include <tuple>
#include <unordered_map>

namespace inspect {
namespace {

constexpr int max_aliases = 64;
constexpr int max_array_nesting = 16;

constexpr unsigned at_go_kind = 0x2900;
constexpr unsigned at_go_key = 0x2901;
constexpr unsigned at_go_element = 0x2902;
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
  case DW_TAG_subprogram:
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
  std::unordered_map<const void *, std::string> names; ///< qualified
  /// By the identity of their parts: kind, target, and a number or a name.
  std::map<std::tuple<DwarfTypeKind, const void *, std::uint64_t, std::uint64_t, std::string>, DwarfType> made;
  TypeCompletion definitions;
  EnclosingScopes scopes;
  const DwarfType nothing;

  std::unique_ptr<DwarfType> read(Dwarf_Die die, TypeReader &types_of_arguments) {
    auto type = std::make_unique<DwarfType>();
    // What stands for a type unit may say nothing but its signature.
    if (has_flag_attribute(die, DW_AT_declaration) || dwarf_hasattr(&die, DW_AT_signature)) {
      if (const auto definition = definitions.of(die))
        die = *definition;
      else
        type->is_declaration = true;
    }
    const int tag = dwarf_tag(&die);
    type->kind = kind_of(tag);
    if (string_attribute(die, DW_AT_name) != nullptr)
      type->name = name_with_arguments(die, types_of_arguments);
    else if (type->kind == DwarfTypeKind::qualified)
      type->name = qualifier_name(tag);
    type->byte_size = unsigned_attribute(die, DW_AT_byte_size);
    type->encoding = unsigned_attribute(die, DW_AT_encoding).value_or(0);
    // A function defined outside of its class says there what it returns.
    type->target = type_of(die);
    type->container.die = referred_die(die, DW_AT_containing_type);
    type->is_scoped = has_flag_attribute(die, DW_AT_enum_class);
    type->is_vector = has_flag_attribute(die, DW_AT_GNU_vector);
    type->bit_size = unsigned_attribute(die, DW_AT_bit_size);
    Dwarf_Die unit;
    if (dwarf_diecu(&die, &unit, nullptr, nullptr) != nullptr)
      type->language = unsigned_attribute(unit, DW_AT_language).value_or(0);
    type->go = go_attributes(die);
    if (type->kind >= DwarfTypeKind::structure && dwarf_haschildren(&die) == 1)
      read_type_members(die, *type);
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
  if (const auto known = state_->types.find(handle.die->addr); known != state_->types.end())
    return *known->second;
  auto type = state_->read(*handle.die, *this);
  // Reading it may have read it on the way already, as its own argument.
  return *state_->types.try_emplace(handle.die->addr, std::move(type)).first->second;
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
  // Itanium C++ ABI, 2.3: an offset, or a function and what is added to `this`.
  if (type->kind == DwarfTypeKind::member_pointer) {
    const std::uint64_t one = underlying(type->target).kind == DwarfTypeKind::subroutine ? 16 : 8;
    return count <= UINT64_MAX / 16 ? std::optional(one * count) : std::nullopt;
  }
  // A pointer's size is often left out.
  const bool is_address = type->kind == DwarfTypeKind::pointer || type->kind == DwarfTypeKind::reference ||
                          type->kind == DwarfTypeKind::rvalue_reference;
  return is_address && count <= UINT64_MAX / 8 ? std::optional(8 * count) : std::nullopt;
}

const std::string &TypeReader::qualified_name(const TypeHandle &handle) {
  if (!handle.die)
    return read(handle).name;
  const auto [entry, is_new] = state_->names.try_emplace(handle.die->addr);
  if (is_new)
    // Which may ask for other names, and move this one's place.
    return state_->names[handle.die->addr] = inspect::qualified_name(*handle.die, state_->scopes, *this);
  return entry->second;
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

TypeHandle TypeReader::array_of(const TypeHandle &element, std::uint64_t length, std::string_view name) {
  auto [entry, is_new] =
      state_->made.try_emplace({DwarfTypeKind::array, identity(element), length, 0, std::string(name)});
  if (is_new) {
    entry->second.kind = DwarfTypeKind::array;
    entry->second.name = name;
    entry->second.target = element;
    entry->second.dimensions = {length};
    entry->second.language = read(element).language;
  }
  return {.die = std::nullopt, .made = &entry->second};
}

TypeHandle TypeReader::with_member(const TypeHandle &structure, std::size_t index, const TypeHandle &type,
                                   std::uint64_t offset, std::uint64_t byte_size) {
  const DwarfType &original = read(structure);
  auto [entry, is_new] = state_->made.try_emplace(
      {original.kind, identity(structure), offset, byte_size, fmt::format("{} {}", index, identity(type))});
  if (is_new) {
    entry->second = original;
    if (index < entry->second.members.size()) {
      entry->second.members[index].type = type;
      entry->second.members[index].offset = offset;
    }
    entry->second.byte_size = byte_size;
  }
  return {.die = structure.die, .made = &entry->second};
}

TypeHandle TypeReader::member_pointer_to(const TypeHandle &target, const TypeHandle &container) {
  auto [entry, is_new] = state_->made.try_emplace(
      {DwarfTypeKind::member_pointer, identity(target), 0, 0, fmt::format("{}", identity(container))});
  if (is_new) {
    entry->second.kind = DwarfTypeKind::member_pointer;
    entry->second.target = target;
    entry->second.container = container;
  }
  return {.die = std::nullopt, .made = &entry->second};
}

TypeHandle TypeReader::qualified(const TypeHandle &target, std::string_view qualifier) {
  auto [entry, is_new] =
      state_->made.try_emplace({DwarfTypeKind::qualified, identity(target), 0, 0, std::string(qualifier)});
  if (is_new) {
    entry->second.kind = DwarfTypeKind::qualified;
    entry->second.target = target;
    entry->second.name = qualifier;
  }
  return {.die = std::nullopt, .made = &entry->second};
}

TypeHandle TypeReader::function_of(const TypeHandle &returned, std::vector<TypeHandle> parameters, bool is_variadic) {
  std::string key = is_variadic ? "..." : "";
  for (const TypeHandle &parameter : parameters)
    key += fmt::format(" {}", identity(parameter));
  auto [entry, is_new] =
      state_->made.try_emplace({DwarfTypeKind::subroutine, identity(returned), parameters.size(), 0, std::move(key)});
  if (is_new) {
    entry->second.kind = DwarfTypeKind::subroutine;
    entry->second.target = returned;
    entry->second.parameters = std::move(parameters);
    entry->second.is_variadic = is_variadic;
  }
  return {.die = std::nullopt, .made = &entry->second};
}

TypeHandle TypeReader::reference_to(const TypeHandle &target) {
  auto [entry, is_new] = state_->made.try_emplace({DwarfTypeKind::reference, identity(target), 0, 0, {}});
  if (is_new) {
    entry->second.kind = DwarfTypeKind::reference;
    entry->second.target = target;
    entry->second.byte_size = 8;
  }
  return {.die = std::nullopt, .made = &entry->second};
}

TypeHandle TypeReader::base_type(std::string_view name, std::uint64_t encoding, std::uint64_t byte_size,
                                 std::uint64_t language) {
  auto [entry, is_new] = state_->made.try_emplace(
      {DwarfTypeKind::base, nullptr, encoding, byte_size, fmt::format("{} {}", name, language)});
  if (is_new) {
    entry->second.language = language;
    entry->second.kind = DwarfTypeKind::base;
    entry->second.name = name;
    entry->second.encoding = encoding;
    entry->second.byte_size = byte_size;
  }
  return {.die = std::nullopt, .made = &entry->second};
}

bool is_rust_language(std::uint64_t language) {
  constexpr std::uint64_t before_there_was_a_number = 0x9000;
  return language == DW_LANG_Rust || language == before_there_was_a_number;
}

bool is_c_language(std::uint64_t language) {
  constexpr std::uint64_t c17 = 0x2c; // which dwarf.h does not have yet
  return language == DW_LANG_C || language == DW_LANG_C89 || language == DW_LANG_C99 || language == DW_LANG_C11 ||
         language == c17;
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
