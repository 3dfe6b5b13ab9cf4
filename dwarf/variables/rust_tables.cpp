#include "dwarf/variables/rust_tables.h"

#include "dwarf/die/die.h"

#include <dwarf.h>

namespace inspect {

std::optional<TypeHandle> rust_table_type(Dwarf_Die variable) {
  TypeHandle table = type_of(variable);
  if (!table.die)
    return std::nullopt;
  const auto type = referred_die(*table.die, DW_AT_containing_type);
  return type ? std::optional(TypeHandle{.die = *type}) : std::nullopt;
}

} // namespace inspect
