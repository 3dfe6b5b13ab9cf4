#include "dwarf/die/function_entry.h"

namespace inspect {

std::optional<LinkAddress> function_entry(Dwarf_Die function) {
  Dwarf_Addr address = 0;
  if (dwarf_entrypc(&function, &address) != 0 || address == 0)
    return std::nullopt;
  return LinkAddress{address};
}

} // namespace inspect
