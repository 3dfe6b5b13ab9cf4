#include "dwarf/unit_of_die.h"

#include "dwarf/die.h"

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

bool in_same_unit(Dwarf_Die left, Dwarf_Die right) {
  return left.cu == right.cu;
}

} // namespace inspect
