// The code ranges of every unit of a file, read through libdwarf: what the root DIE says (DW_AT_ranges, DW_AT_low_pc
// and DW_AT_high_pc), and for units whose root DIE says nothing, what .debug_aranges says.
//
// Root DIEs come first because .debug_aranges may lack units (clang, rustc and assemblers do not write it), and a unit
// it does name is named in the root DIE as well.
//
// Sources: DWARF 5 sections 2.17 and 3.1.1, DWARF 4 section 2.17.3 (.debug_ranges), 6.1.2 (.debug_aranges).
#pragma once

#include "dwarf/indexer/libdwarf_file.h"
#include "dwarf/raw/units/unit_index_format.h"

#include <vector>

namespace inspect {

struct UnitRangesOfFile {
  std::vector<UnitIndexRecord> records; ///< ascending, no duplicates
  std::uint64_t debug_info_size = 0;
};

/// The ranges that one root DIE states, empty and dead ones left out.
Result<std::vector<UnitIndexRecord>> ranges_of_unit(const LibdwarfFile &file, const LibdwarfUnit &unit);

/// Ranges outside the executable segments, where linkers leave those of discarded functions, are left out. One unit
/// that cannot be read fails all: an index must not hide a unit that a walk would find.
Result<UnitRangesOfFile> read_unit_ranges(const LibdwarfFile &file);

} // namespace inspect
