#include "dwarf/die/unit_of_die.h"

#include "dwarf/die/die.h"

#include <dwarf.h>

namespace inspect {
namespace {

/// Of a split unit, the one in the .dwo file.
bool unit_of(Dwarf_Die die, Dwarf_Die &unit) {
  return dwarf_diecu(&die, &unit, nullptr, nullptr) != nullptr;
}

} // namespace

std::uint64_t unit_language(Dwarf_Die die) {
  Dwarf_Die unit;
  if (!unit_of(die, unit))
    return 0;
  return unsigned_attribute(unit, DW_AT_language).value_or(0);
}

std::string unit_file(Dwarf_Die die) {
  Dwarf_Die unit;
  if (!unit_of(die, unit))
    return {};
  const char *name = string_attribute(unit, DW_AT_name);
  return name != nullptr ? name : std::string();
}

std::optional<Dwarf_Die> enclosing_die(Dwarf_Die die) {
  constexpr int max_nesting = 256;
  Dwarf_Die around;
  const Dwarf_Off wanted = dwarf_dieoffset(&die);
  if (!unit_of(die, around) || dwarf_dieoffset(&around) == wanted)
    return std::nullopt;
  for (int depth = 0; depth < max_nesting; ++depth) {
    bool is_child = false;
    std::optional<Dwarf_Die> next;
    each_child(around, [&](Dwarf_Die &child, std::uint64_t end) {
      const Dwarf_Off at = dwarf_dieoffset(&child);
      is_child = at == wanted;
      if (at < wanted && wanted < end)
        next = child;
      return !is_child && !next && at < wanted;
    });
    if (is_child)
      return around;
    if (!next)
      return std::nullopt;
    around = *next;
  }
  return std::nullopt;
}

bool in_same_unit(Dwarf_Die left, Dwarf_Die right) {
  return left.cu == right.cu;
}

} // namespace inspect
