#include "dwarf/die/die.h"

#include "machine/cancellation_point.h"

#include <dwarf.h>

namespace inspect {
namespace {

/// Ranges of one function or block. Compilers split one into a handful.
constexpr std::size_t max_ranges_of_block = 65'536;
/// Origin of an origin of a specification …: three in what compilers write.
constexpr int max_descriptions = 16;

} // namespace

void each_range(Dwarf_Die &die, std::size_t limit, const std::function<void(LinkRange)> &visit) {
  Dwarf_Addr base = 0;
  Dwarf_Addr begin = 0;
  Dwarf_Addr end = 0;
  std::ptrdiff_t position = 0;
  for (std::size_t count = 0; count < limit; ++count) {
    cancellation_point();
    position = dwarf_ranges(&die, position, &base, &begin, &end);
    if (position <= 0)
      return;
    if (begin != 0 && begin < end)
      visit({LinkAddress{begin}, LinkAddress{end}});
  }
}

Coverage coverage(Dwarf_Die &die, LinkAddress address) {
  if (!dwarf_hasattr(&die, DW_AT_ranges) && !dwarf_hasattr(&die, DW_AT_low_pc))
    return Coverage::unsaid;
  bool inside = false;
  each_range(die, max_ranges_of_block, [&](LinkRange range) { inside = inside || range.contains(address); });
  return inside ? Coverage::inside : Coverage::outside;
}

std::optional<Dwarf_Die> referred_die(Dwarf_Die &die, unsigned attribute) {
  Dwarf_Attribute reference;
  Dwarf_Die target;
  if (!dwarf_attr(&die, attribute, &reference) || !dwarf_formref_die(&reference, &target))
    return std::nullopt;
  return target;
}

void each_description(Dwarf_Die die, const std::function<bool(Dwarf_Die &)> &visit) {
  for (int count = 0; count < max_descriptions; ++count) {
    if (!visit(die))
      return;
    std::optional<Dwarf_Die> next = referred_die(die, DW_AT_abstract_origin);
    if (!next)
      next = referred_die(die, DW_AT_specification);
    if (!next)
      return;
    die = *next;
  }
}

void each_child(Dwarf_Die &parent, const std::function<bool(Dwarf_Die &, std::uint64_t)> &visit) {
  Dwarf_Die child;
  if (dwarf_child(&parent, &child) != 0)
    return;
  while (true) {
    cancellation_point();
    Dwarf_Die next;
    const int status = dwarf_siblingof(&child, &next);
    const std::uint64_t here = dwarf_dieoffset(&child);
    // The last child's descendants end where the parent's do; the caller knows where that is.
    const std::uint64_t end = status == 0 ? dwarf_dieoffset(&next) : UINT64_MAX;
    if (end <= here || !visit(child, end) || status != 0)
      return;
    child = next;
  }
}

bool has_external_linkage(const Dwarf_Die &die) {
  bool external = false;
  each_description(die, [&](Dwarf_Die &one) {
    external = has_flag_attribute(one, DW_AT_external);
    return !external;
  });
  return external;
}

bool has_flag_attribute(Dwarf_Die &die, unsigned attribute) {
  Dwarf_Attribute found;
  bool value = false;
  return dwarf_attr(&die, attribute, &found) && dwarf_formflag(&found, &value) == 0 && value;
}

std::optional<std::uint64_t> unsigned_attribute(Dwarf_Die &die, unsigned attribute) {
  Dwarf_Attribute found;
  Dwarf_Word value = 0;
  if (!dwarf_attr(&die, attribute, &found) || dwarf_formudata(&found, &value) != 0)
    return std::nullopt;
  return value;
}

const char *string_attribute(Dwarf_Die &die, unsigned attribute) {
  Dwarf_Attribute found;
  return dwarf_attr(&die, attribute, &found) ? dwarf_formstring(&found) : nullptr;
}

} // namespace inspect
