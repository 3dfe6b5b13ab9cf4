// Where a function's code begins.
//
// Source: DWARF 5 sections 2.18 (entry address), 2.17 (code addresses), 3.3.8 (out-of-line instances).
#pragma once

#include "machine/address.h"

#include <elfutils/libdw.h>
#include <optional>

namespace inspect {

/// Of a DIE of a subprogram; nothing where it has no code of its own (a declaration, an abstract instance).
std::optional<LinkAddress> function_entry(Dwarf_Die function);

} // namespace inspect
