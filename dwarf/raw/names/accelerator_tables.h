// The indexes of names that compilers and linkers put into programs: .debug_names of DWARF 5, and .gdb_index of gdb,
// gold and lld. They spare the walk over the units that they cover. Both say less than a walk: .debug_names has names
// without their scopes, .gdb_index names without their DIEs, and function statics may be in neither. Who uses them
// walks the one unit of a name that is wanted (name_is_bare, name_of_unit in dwarf/raw/names/name_record.h).
//
// Sources: DWARF 5 section 6.1.1 (.debug_names); gdb manual, "Index Section Format" (versions 7 and 8).
#pragma once

#include "dwarf/raw/elf/debug_sections.h"
#include "dwarf/raw/names/name_walk.h"

#include <cstdint>
#include <unordered_set>
#include <vector>

namespace inspect {

/// Units that an index has names of, by the offsets of their headers.
struct CoveredUnits {
  std::unordered_set<std::uint64_t> info;
  std::unordered_set<std::uint64_t> types;
  bool covers(const UnitHeader &unit) const { return (unit.in_types ? types : info).contains(unit.offset); }
};

/// Visits all names of both kinds of index; what is malformed in them is skipped, and the units that it may have been
/// about are not covered. `units` are all of the file's.
CoveredUnits read_accelerator_tables(const DebugSections &sections, const std::vector<UnitHeader> &units,
                                     const NameVisitor &visit);

} // namespace inspect
