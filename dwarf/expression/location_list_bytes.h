// Whether the expressions of a location list are whole, for the same reason as in dwarf/expression/expression_bytes.h:
// libdw is not shown others. It walks the list's bytes, and says nothing of what the entries mean.
//
// Sources: DWARF 4 section 2.6.2, DWARF 5 sections 2.6.2 and 7.29; GNU's split form of DWARF 4: GCC's DebugFission
// page.
#pragma once

#include <elfutils/libdw.h>

namespace inspect {

/// False of a list that leaves its section, does not end or holds a broken expression; true of what is not a list.
bool holds_whole_list(Dwarf_Attribute &attribute);

} // namespace inspect
