#include "dwarf/names/static_address.h"

#include "dwarf/expression/expression_bytes.h"

#include <cstddef>
#include <dwarf.h>

namespace inspect {

std::optional<std::uint64_t> static_address(Dwarf_Die variable) {
  Dwarf_Attribute location, address;
  Dwarf_Op *operations = nullptr;
  std::size_t count = 0;
  if (!dwarf_attr(&variable, DW_AT_location, &location) || !holds_whole_expression(location) ||
      dwarf_getlocation(&location, &operations, &count) != 0 || count != 1)
    return std::nullopt;
  if (operations->atom == DW_OP_addr)
    return operations->number;
  Dwarf_Addr place = 0;
  const bool indexed = (operations->atom == DW_OP_addrx || operations->atom == DW_OP_GNU_addr_index) &&
                       dwarf_getlocation_attr(&location, operations, &address) == 0 &&
                       dwarf_formaddr(&address, &place) == 0;
  return indexed ? std::optional(place) : std::nullopt;
}

} // namespace inspect
