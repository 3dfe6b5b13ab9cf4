// Where a variable is that has one place in its module for ever.
//
// Source: DWARF 5 sections 2.6 (location descriptions), 2.5.1.1 (DW_OP_addr, DW_OP_addrx).
#pragma once

#include <cstdint>
#include <elfutils/libdw.h>
#include <optional>

namespace inspect {

/// As its file has it; nothing where its location is not an address and nothing else.
std::optional<std::uint64_t> static_address(Dwarf_Die variable);

} // namespace inspect
