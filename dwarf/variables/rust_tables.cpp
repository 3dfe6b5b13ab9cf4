#include "dwarf/variables/rust_tables.h"

#include "dwarf/die/die.h"

#include <dwarf.h>

namespace inspect {

std::optional<TypeHandle> rust_table_type(Dwarf_Die variable) {
  TypeHandle table = type_of(variable);
  if (!table.die)
    return std::nullopt;
  TypeHandle type{.die = referred_die(*table.die, DW_AT_containing_type)};
  return type.die ? std::optional(type) : std::nullopt;
}

} // namespace inspect
