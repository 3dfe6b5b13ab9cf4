#include "dwarf/variables/function_signature.h"

#include "dwarf/die/die.h"
#include "dwarf/expression/expression_bytes.h"
#include "dwarf/expression/location_list_bytes.h"

#include <algorithm>
#include <dwarf.h>
#include <span>

namespace inspect {
namespace {

constexpr std::size_t max_parameters = 4096;

bool parameter_has_flag(Dwarf_Die &die, unsigned attribute) {
  Dwarf_Attribute found;
  bool value = false;
  return dwarf_attr_integrate(&die, attribute, &found) && dwarf_formflag(&found, &value) == 0 && value;
}

/// The first piece, where there are several, is where the value begins. Go 1.16 writes the place of a word that it does
/// not know as that of its neighbour (a string as "8, 8"): pieces that do not follow each other tell nothing.
std::optional<std::int64_t> frame_offset(std::span<const Dwarf_Op> location) {
  if (location.empty() || (location.size() > 1 && location[1].atom != DW_OP_piece))
    return std::nullopt;
  const bool at_start = location[0].atom == DW_OP_call_frame_cfa;
  const auto offset = at_start ? 0 : static_cast<std::int64_t>(location[0].number);
  if (location.size() > 2 && location[2].atom == DW_OP_fbreg &&
      static_cast<std::int64_t>(location[2].number) != offset + static_cast<std::int64_t>(location[1].number))
    return std::nullopt;
  if (at_start)
    return 0;
  return location[0].atom == DW_OP_fbreg && offset >= 0 ? std::optional(offset) : std::nullopt;
}

/// An expression as its bytes: Go 1.16 writes DWARF 4 with the block forms of DWARF 3, which libdw takes for no
/// location.
std::optional<std::int64_t> frame_offset_of_block(const Dwarf_Block &block) {
  std::vector<Dwarf_Op> operations;
  std::size_t at = 0;
  const auto byte = [&] { return at < block.length ? block.data[at++] : std::uint8_t{0}; };
  while (at < block.length && operations.size() < 2) {
    Dwarf_Op operation{};
    operation.atom = byte();
    std::uint64_t value = 0;
    unsigned shift = 0;
    if (operation.atom == DW_OP_fbreg) {
      std::uint8_t part = 0x80;
      for (; (part & 0x80) != 0 && shift < 63; shift += 7) {
        part = byte();
        value |= static_cast<std::uint64_t>(part & 0x7f) << shift;
      }
      if ((part & 0x40) != 0 && shift < 64)
        value |= ~std::uint64_t{0} << shift;
    }
    operation.number = value;
    operations.push_back(operation);
  }
  return frame_offset(operations);
}

std::optional<std::int64_t> frame_offset(Dwarf_Die &die) {
  constexpr int max_locations = 256;
  Dwarf_Attribute location;
  if (!dwarf_attr(&die, DW_AT_location, &location))
    return std::nullopt;
  Dwarf_Block block;
  const unsigned form = dwarf_whatform(&location);
  if (form == DW_FORM_block || form == DW_FORM_block1 || form == DW_FORM_block2 || form == DW_FORM_block4)
    return dwarf_formblock(&location, &block) == 0 ? frame_offset_of_block(block) : std::nullopt;
  if (!holds_whole_expression(location) || !holds_whole_list(location))
    return std::nullopt;
  Dwarf_Op *operations = nullptr;
  std::size_t count = 0;
  Dwarf_Addr base = 0;
  Dwarf_Addr begin = 0;
  Dwarf_Addr end = 0;
  std::ptrdiff_t position = 0;
  for (int entries = 0; entries < max_locations; ++entries) {
    position = dwarf_getlocations(&location, position, &base, &begin, &end, &operations, &count);
    if (position <= 0)
      return std::nullopt;
    if (const auto offset = frame_offset(std::span<const Dwarf_Op>(operations, count)))
      return offset;
  }
  return std::nullopt;
}

std::vector<Dwarf_Die> parameter_dies(Dwarf_Die &function) {
  std::vector<Dwarf_Die> found;
  each_child(function, [&](Dwarf_Die &child, std::uint64_t) {
    if (dwarf_tag(&child) == DW_TAG_formal_parameter)
      found.push_back(child);
    return found.size() < max_parameters;
  });
  return found;
}

FunctionParameter parameter_of(Dwarf_Die die) {
  FunctionParameter parameter;
  parameter.type = type_of(die);
  parameter.is_result = parameter_has_flag(die, DW_AT_variable_parameter);
  parameter.is_artificial = parameter_has_flag(die, DW_AT_artificial);
  each_description(die, [&](Dwarf_Die &one) {
    const char *name = string_attribute(one, DW_AT_name);
    parameter.name = name ? name : "";
    return parameter.name.empty();
  });
  return parameter;
}

std::optional<Dwarf_Die> origin_of(Dwarf_Die die) {
  return referred_die(die, DW_AT_abstract_origin);
}

/// An instance of an abstract description names only the parameters that are left; the description has them all, in
/// order. The definition of what a class declares names them all itself.
std::vector<FunctionParameter> parameters_of(Dwarf_Die &function) {
  const std::vector<Dwarf_Die> own = parameter_dies(function);
  std::vector<Dwarf_Die> described;
  if (own.empty() || std::ranges::any_of(own, [](const Dwarf_Die &die) { return origin_of(die).has_value(); }))
    each_description(function, [&](Dwarf_Die &one) {
      if (one.addr != function.addr)
        described = parameter_dies(one);
      return described.empty();
    });
  std::vector<FunctionParameter> parameters;
  for (const Dwarf_Die &die : described)
    parameters.push_back(parameter_of(die));
  for (Dwarf_Die die : own) {
    const std::optional<Dwarf_Die> origin = origin_of(die);
    const auto place =
        std::ranges::find_if(described, [&](const Dwarf_Die &one) { return origin && one.addr == origin->addr; });
    if (place == described.end())
      parameters.push_back(parameter_of(die));
    FunctionParameter &parameter =
        place == described.end() ? parameters.back() : parameters[static_cast<std::size_t>(place - described.begin())];
    parameter.die = die;
    parameter.frame_offset = frame_offset(die);
  }
  return parameters;
}

} // namespace

FunctionSignature function_signature(Dwarf_Die function) {
  FunctionSignature signature;
  signature.die = function;
  signature.returned = type_of(function);
  each_description(function, [&](Dwarf_Die &one) {
    const char *name = string_attribute(one, DW_AT_name);
    signature.name = name ? name : "";
    return signature.name.empty();
  });
  Dwarf_Die unit;
  if (dwarf_diecu(&function, &unit, nullptr, nullptr))
    if (const char *producer = string_attribute(unit, DW_AT_producer))
      signature.producer = producer;
  signature.parameters = parameters_of(function);
  return signature;
}

std::optional<FunctionSignature> function_signature(LineResolver &lines, LinkAddress address) {
  const std::optional<Dwarf_Die> function = lines.function_at(address);
  if (!function)
    return std::nullopt;
  return function_signature(*function);
}

} // namespace inspect
