// Whether the bytes of a DWARF expression are whole operators. To be asked before libdw decodes them: 0.188 takes the
// length of a block that begins behind the last byte from there, and goes on reading wherever that leads.
//
// Source: DWARF 5 section 7.7.1; GNU's operators: binutils include/dwarf2.def.
#pragma once

#include <cstddef>
#include <elfutils/libdw.h>
#include <span>

namespace inspect {

/// `offset_size`: bytes of a reference, 4 or 8 by the unit's format. Of an operator that is not known, what follows is
/// not looked at: libdw stops there.
bool is_whole_expression(std::span<const std::byte> bytes, unsigned offset_size);

/// The same of an attribute that holds one expression; true of one that holds none, or a list of them.
bool holds_whole_expression(Dwarf_Attribute &attribute);

} // namespace inspect
