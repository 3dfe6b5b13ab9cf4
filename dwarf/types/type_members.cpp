#include "dwarf/types/type_members.h"

#include "dwarf/die/die.h"
#include "dwarf/expression/expression_bytes.h"

#include <cstring>
#include <dwarf.h>
#include <span>

namespace inspect {
namespace {

/// In the largest programs a type has some thousand enumerators.
constexpr std::size_t max_children = 65'536;
constexpr std::size_t max_constant = 4096; ///< bytes

constexpr unsigned at_go_embedded_field = 0x2903;

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

/// The operators of an attribute that is an expression; none where it is none, or a damaged one.
std::span<const Dwarf_Op> operators_of(Dwarf_Die &die, unsigned attribute) {
  Dwarf_Attribute found;
  Dwarf_Op *operations = nullptr;
  std::size_t count = 0;
  if (!dwarf_attr(&die, attribute, &found) || !holds_whole_expression(found) ||
      dwarf_getlocation(&found, &operations, &count) != 0)
    return {};
  return {operations, count};
}

/// DW_AT_data_member_location: a number, or in old files an expression that adds one.
std::optional<std::uint64_t> member_offset(Dwarf_Die &die) {
  if (const auto number = unsigned_attribute(die, DW_AT_data_member_location))
    return number;
  const std::span<const Dwarf_Op> operations = operators_of(die, DW_AT_data_member_location);
  if (operations.size() != 1 || operations[0].atom != DW_OP_plus_uconst)
    return std::nullopt;
  return operations[0].number;
}

/// A bit-field without bits is none: so LLVM describes a member that has no size of its own, the slice or trait object
/// at the end of a Rust structure (rustc 1.63; test: "Rust's unsized values …").
void become_unsized(DwarfMember &member) {
  member.offset = member.bit_offset / 8;
  member.bit_size.reset();
  member.bit_offset = 0;
}

/// DWARF 4 counts a bit-field's bits from the type's start; DWARF 2 from the highest bit of the integer that holds it.
void read_bit_field(Dwarf_Die &die, DwarfMember &member) {
  member.bit_size = unsigned_attribute(die, DW_AT_bit_size);
  if (!member.bit_size)
    return;
  const bool has_no_bits = *member.bit_size == 0;
  if (const auto offset = unsigned_attribute(die, DW_AT_data_bit_offset)) {
    member.bit_offset = *offset;
    if (has_no_bits)
      become_unsized(member);
    return;
  }
  const std::uint64_t from_high = unsigned_attribute(die, DW_AT_bit_offset).value_or(0);
  std::uint64_t holder = unsigned_attribute(die, DW_AT_byte_size).value_or(0);
  if (TypeHandle type = type_of(die); holder == 0 && type.die && dwarf_peel_type(&*type.die, &*type.die) == 0)
    holder = unsigned_attribute(*type.die, DW_AT_byte_size).value_or(0);
  if ((holder <= 16 || has_no_bits) && from_high + *member.bit_size <= 8 * holder)
    member.bit_offset = 8 * (member.offset + holder) - from_high - *member.bit_size;
  if (has_no_bits)
    become_unsized(member);
}

/// What GCC and Clang write for a virtual base: the vptr's target, minus a number, holds the base's offset.
std::optional<std::uint64_t> virtual_base_slot(Dwarf_Die &die) {
  const std::span<const Dwarf_Op> operations = operators_of(die, DW_AT_data_member_location);
  if (operations.size() != 6 || operations[0].atom != DW_OP_dup || operations[1].atom != DW_OP_deref ||
      operations[3].atom != DW_OP_minus || operations[4].atom != DW_OP_deref || operations[5].atom != DW_OP_plus)
    return std::nullopt;
  const Dwarf_Op &number = operations[2];
  if (number.atom >= DW_OP_lit0 && number.atom <= DW_OP_lit31)
    return number.atom - DW_OP_lit0;
  const bool is_constant = number.atom >= DW_OP_const1u && number.atom <= DW_OP_consts;
  return is_constant ? std::optional<std::uint64_t>(number.number) : std::nullopt;
}

DwarfAccess access_of(Dwarf_Die &die) {
  switch (unsigned_attribute(die, DW_AT_accessibility).value_or(0)) {
  case DW_ACCESS_public:
    return DwarfAccess::public_access;
  case DW_ACCESS_protected:
    return DwarfAccess::protected_access;
  case DW_ACCESS_private:
    return DwarfAccess::private_access;
  default:
    return DwarfAccess::unsaid;
  }
}

std::string name_of(Dwarf_Die &die) {
  const char *name = string_attribute(die, DW_AT_name);
  return name != nullptr ? name : "";
}

DwarfMember read_member(Dwarf_Die &die) {
  DwarfMember member;
  member.is_base = dwarf_tag(&die) == DW_TAG_inheritance;
  member.is_virtual = member.is_base && unsigned_attribute(die, DW_AT_virtuality).value_or(0) != 0;
  if (member.is_virtual)
    member.virtual_base_slot = virtual_base_slot(die);
  member.name = name_of(die);
  member.type = type_of(die);
  member.offset = member_offset(die).value_or(0);
  member.go_embedded = has_flag_attribute(die, at_go_embedded_field);
  member.is_artificial = has_flag_attribute(die, DW_AT_artificial);
  member.access = access_of(die);
  read_bit_field(die, member);
  return member;
}

void add_member(Dwarf_Die &die, DwarfType &type) {
  // A static member is a declaration of a variable elsewhere.
  const bool is_static = dwarf_tag(&die) != DW_TAG_inheritance &&
                         (dwarf_tag(&die) == DW_TAG_variable || has_flag_attribute(die, DW_AT_declaration) ||
                          has_flag_attribute(die, DW_AT_external));
  const std::size_t place = type.members.size() + type.static_members.size();
  if (is_static) {
    type.static_members.push_back({name_of(die), type_of(die), die, access_of(die), place});
  } else {
    type.members.push_back(read_member(die));
    type.members.back().place = place;
  }
}

/// DW_AT_vtable_elem_location, which GCC and Clang write as one constant.
std::optional<std::uint64_t> virtual_slot(Dwarf_Die &die) {
  const std::span<const Dwarf_Op> operations = operators_of(die, DW_AT_vtable_elem_location);
  if (operations.size() != 1)
    return std::nullopt;
  if (operations[0].atom >= DW_OP_lit0 && operations[0].atom <= DW_OP_lit31)
    return operations[0].atom - DW_OP_lit0;
  return operations[0].atom == DW_OP_constu ? std::optional<std::uint64_t>(operations[0].number) : std::nullopt;
}

void add_method(Dwarf_Die &die, DwarfType &type) {
  DwarfMethod method;
  method.name = name_of(die);
  method.type.die = die;
  method.is_virtual = unsigned_attribute(die, DW_AT_virtuality).value_or(0) != 0;
  method.is_static = !dwarf_hasattr(&die, DW_AT_object_pointer);
  method.virtual_slot = virtual_slot(die);
  method.is_artificial = has_flag_attribute(die, DW_AT_artificial);
  method.access = access_of(die);
  type.methods.push_back(std::move(method));
}

/// A discriminant's value as its form has it; of 128 bits in a block.
std::optional<unsigned __int128> discriminant_value(Dwarf_Die &die) {
  Dwarf_Attribute found;
  if (!dwarf_attr(&die, DW_AT_discr_value, &found))
    return std::nullopt;
  Dwarf_Block block;
  if (dwarf_formblock(&found, &block) == 0) {
    unsigned __int128 value = 0;
    if (block.length > sizeof value)
      return std::nullopt;
    std::memcpy(&value, block.data, block.length);
    return value;
  }
  const auto value = constant(die, DW_AT_discr_value);
  return value ? std::optional<unsigned __int128>(static_cast<std::uint64_t>(*value)) : std::nullopt;
}

/// A list of single values and ranges, each after a byte that says which it is (DWARF 5, 5.7.10).
void read_discriminant_list(Dwarf_Die &die, DwarfVariant &variant) {
  Dwarf_Attribute found;
  Dwarf_Block block;
  if (!dwarf_attr(&die, DW_AT_discr_list, &found) || dwarf_formblock(&found, &block) != 0)
    return;
  std::size_t position = 0;
  const auto number = [&]() -> std::optional<unsigned __int128> {
    std::uint64_t value = 0;
    for (unsigned shift = 0; position < block.length && shift < 64; shift += 7) {
      const std::uint64_t byte = block.data[position++];
      value |= (byte & 0x7f) << shift;
      if ((byte & 0x80) == 0)
        return value;
    }
    return std::nullopt;
  };
  while (position < block.length && variant.discriminants.size() < max_children) {
    const bool is_range = block.data[position++] == DW_DSC_range;
    const auto low = number();
    const auto high = is_range ? number() : low;
    if (!low || !high)
      return;
    variant.discriminants.push_back({*low, *high});
  }
}

void read_variants(Dwarf_Die &die, DwarfType &type) {
  DwarfVariantPart part;
  if (auto discriminant = referred_die(die, DW_AT_discr))
    part.discriminant = read_member(*discriminant);
  each_child(die, [&](Dwarf_Die &child, std::uint64_t) {
    if (dwarf_tag(&child) != DW_TAG_variant)
      return true;
    DwarfVariant variant;
    if (const auto value = discriminant_value(child))
      variant.discriminants.push_back({*value, *value});
    read_discriminant_list(child, variant);
    each_child(child, [&](Dwarf_Die &member, std::uint64_t) {
      if (dwarf_tag(&member) != DW_TAG_member)
        return true;
      variant.member = read_member(member);
      return false;
    });
    part.variants.push_back(std::move(variant));
    return part.variants.size() < max_children;
  });
  type.variants = std::move(part);
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

void add_parameter(Dwarf_Die &die, DwarfType &type) {
  // Behind `this` those that constructors and destructors get of the compiler are nobody's.
  const bool is_artificial = has_flag_attribute(die, DW_AT_artificial);
  if (is_artificial && type.is_method)
    return;
  if (type.parameters.empty() && is_artificial)
    type.is_method = true;
  type.parameters.push_back(type_of(die));
}

} // namespace

void read_type_members(Dwarf_Die &die, DwarfType &type) {
  std::size_t count = 0;
  each_child(die, [&](Dwarf_Die &child, std::uint64_t) {
    switch (dwarf_tag(&child)) {
    case DW_TAG_member:
    case DW_TAG_inheritance:
    case DW_TAG_variable:
      if (type.kind != DwarfTypeKind::subroutine)
        add_member(child, type);
      break;
    case DW_TAG_subprogram:
      if (type.kind != DwarfTypeKind::subroutine)
        add_method(child, type);
      break;
    case DW_TAG_subrange_type:
      type.dimensions.push_back(dimension(child));
      break;
    case DW_TAG_enumerator:
      type.enumerators.push_back({name_of(child), constant(child, DW_AT_const_value).value_or(0)});
      break;
    case DW_TAG_formal_parameter:
      add_parameter(child, type);
      break;
    case DW_TAG_unspecified_parameters:
      type.is_variadic = true;
      break;
    case DW_TAG_template_type_parameter:
    case DW_TAG_template_value_parameter:
    case DW_TAG_GNU_template_parameter_pack:
      add_template_arguments(child, type.template_arguments, false);
      break;
    case DW_TAG_variant_part:
      read_variants(child, type);
      break;
    default:
      break;
    }
    return ++count < max_children;
  });
}

StaticVariable static_variable(const DwarfStaticMember &member) {
  StaticVariable variable;
  Dwarf_Die die = member.die;
  const char *name = string_attribute(die, DW_AT_linkage_name);
  if (name == nullptr)
    name = string_attribute(die, DW_AT_MIPS_linkage_name);
  variable.linkage_name = name != nullptr ? name : "";
  if (const auto value = constant(die, DW_AT_const_value))
    variable.constant = static_cast<std::uint64_t>(*value);
  Dwarf_Attribute found;
  Dwarf_Block block;
  if (!variable.constant && dwarf_attr(&die, DW_AT_const_value, &found) && dwarf_formblock(&found, &block) == 0 &&
      block.length <= max_constant)
    variable.bytes.assign(reinterpret_cast<const std::byte *>(block.data),
                          reinterpret_cast<const std::byte *>(block.data) + block.length);
  return variable;
}

} // namespace inspect
