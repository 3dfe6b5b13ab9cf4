#include "dwarf/location/runtime_bounds.h"

#include "dwarf/die/die.h"
#include "dwarf/location/location_machine.h"

#include <algorithm>
#include <dwarf.h>

namespace inspect {
namespace {

constexpr int max_aliases = 64;
constexpr std::size_t max_dimensions = 64;

std::unexpected<Error> not_found() {
  return std::unexpected(Error(ErrorKind::not_found, "the bound of an array is optimized out"));
}

Result<std::uint64_t> number_of_variable(Dwarf_Die variable, const FrameContext &frame) {
  EvaluationBudget budget;
  const auto location = locate_within(variable, frame, budget);
  if (!location)
    return std::unexpected(location.error());
  TypeReader types;
  const std::uint64_t size = types.size_of(type_of(variable)).value_or(8);
  if (size == 0 || size > 8)
    return not_found();
  const auto source = read_location(*location, size, frame);
  if (!source)
    return std::unexpected(source.error());
  const auto number = source->unsigned_at(0, size);
  return number ? Result<std::uint64_t>(*number) : not_found();
}

/// The DIE of the array behind typedefs and qualifiers; nothing where the type is none.
std::optional<Dwarf_Die> array_behind(const TypeHandle &type) {
  std::optional<Dwarf_Die> die = type.die;
  for (int i = 0; i < max_aliases && die; ++i) {
    const int tag = dwarf_tag(&*die);
    if (tag == DW_TAG_array_type)
      return die;
    if (tag != DW_TAG_typedef && tag != DW_TAG_const_type && tag != DW_TAG_volatile_type)
      return std::nullopt;
    die = referred_die(*die, DW_AT_type);
  }
  return std::nullopt;
}

/// Elements of one dimension; none where the bound is not known or invalid.
std::optional<std::uint64_t> length_of(Dwarf_Die &subrange, const FrameContext &frame) {
  if (const auto count = attribute_number(subrange, DW_AT_count, frame))
    return *count;
  const auto upper = attribute_number(subrange, DW_AT_upper_bound, frame);
  const std::uint64_t lower = attribute_number(subrange, DW_AT_lower_bound, frame).value_or(0);
  if (!upper)
    return std::nullopt;
  const std::uint64_t length = *upper - lower + 1; // of an empty array the bound is -1
  return length <= INT64_MAX ? std::optional(length) : std::nullopt;
}

} // namespace

Result<std::uint64_t> attribute_number(Dwarf_Die die, unsigned attribute, const FrameContext &frame,
                                       std::optional<RunAddress> object) {
  Dwarf_Attribute found;
  Dwarf_Word bits = 0;
  Dwarf_Sword number = 0;
  if (!dwarf_attr(&die, attribute, &found))
    return not_found();
  const unsigned form = dwarf_whatform(&found);
  if ((form == DW_FORM_sdata || form == DW_FORM_implicit_const) && dwarf_formsdata(&found, &number) == 0)
    return static_cast<std::uint64_t>(number);
  if (const auto variable = referred_die(die, attribute))
    return number_of_variable(*variable, frame);
  if (dwarf_formudata(&found, &bits) == 0 && form != DW_FORM_sec_offset && form != DW_FORM_loclistx)
    return bits;
  const auto operations = operations_at(found, frame);
  if (!operations)
    return std::unexpected(operations.error());
  if (operations->empty())
    return not_found();
  EvaluationBudget budget;
  LocationMachine machine({frame, budget, {}, object});
  if (const auto done = machine.run(*operations, &found); !done)
    return std::unexpected(done.error());
  const auto value = machine.value();
  return value ? value->address() : std::unexpected(value.error());
}

TypeHandle with_bounds(const TypeHandle &type, const FrameContext &frame, TypeReader &types) {
  auto array = array_behind(type);
  const auto &known = types.underlying(type).dimensions;
  if (!array || std::ranges::all_of(known, [](const auto &length) { return length.has_value(); }))
    return type;
  std::vector<std::uint64_t> lengths;
  bool complete = true;
  each_child(*array, [&](Dwarf_Die &child, std::uint64_t) {
    if (dwarf_tag(&child) != DW_TAG_subrange_type)
      return true;
    const auto length = length_of(child, frame);
    complete = complete && length.has_value() && lengths.size() < max_dimensions;
    lengths.push_back(length.value_or(0));
    return complete;
  });
  if (!complete || lengths.empty())
    return type;
  TypeHandle made = type_of(*array);
  for (std::size_t i = lengths.size(); i-- > 0;)
    made = types.array_of(made, lengths[i]);
  return made;
}

} // namespace inspect
