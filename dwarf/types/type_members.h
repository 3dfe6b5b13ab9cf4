// What the children of a type's DIE say: members, bases, enumerators, dimensions, parameters, variants. Part of
// TypeReader, which calls it for each type once.
//
// Sources: DWARF 5 sections 5.7.3 (bases), 5.7.6 (data members, bit-fields), 5.7.10 (variants), 5.13 (arrays), 2.23
// (template parameters); DWARF 2 section 5.5.4 for the older form of bit-fields.
#pragma once

#include "dwarf/types/type_reader.h"

#include <elfutils/libdw.h>

namespace inspect {

/// `die` is the one that `type` was begun from.
void read_type_members(Dwarf_Die &die, DwarfType &type);

} // namespace inspect
