// Split DWARF (gcc -gsplit-dwarf): the unit in the program is a skeleton with addresses and lines; functions and
// inlined calls are in a .dwo file that it names. libdw opens that file, by itself and in our root, so that here is
// looked first (dwarf/split/split_place.h). Those of a .dwp package libdw cannot read: dwarf/split/split_package.h.
//
// Sources: DWARF 5, section 3.1.2 and appendix F; libdw has no way to be given an open file for it.
#pragma once

#include "dwarf/split/split_place.h"

#include <elfutils/libdw.h>

namespace inspect {

class SplitPackage; // dwarf/split/split_package.h

/// The DIE whose children are the unit's functions: of a skeleton unit, the root of the split unit that it names, if
/// that is to be found in the package (which may be null) or in a file of its own; else `root` itself.
Dwarf_Die root_with_functions(Dwarf_Die root, const SkeletonFile &skeleton, SplitPackage *package = nullptr);

} // namespace inspect
