// The debug sections of one ELF image as plain bytes, uncompressed: what the readers that work without a library see.
// Where one is missing it is empty. The image must outlive them.
//
// Sources: DWARF 5 sections 7.1 (names of sections), 7.3.2 (split DWARF: ".dwo"), gdb manual, "Index Section Format".
#pragma once

#include "dwarf/raw/elf/elf_image.h"

#include <cstddef>
#include <span>

namespace inspect {

struct DebugSections {
  using Bytes = std::span<const std::byte>;
  Bytes info, types, abbreviations, strings, line_strings, string_offsets;
  Bytes addresses;              ///< .debug_addr, in programs only
  Bytes names;                  ///< .debug_names
  Bytes gdb_index;              ///< .gdb_index
  Bytes lines;                  ///< .debug_line
  Bytes locations;              ///< .debug_loclists or, before DWARF 5, .debug_loc
  Bytes ranges;                 ///< .debug_rnglists
  Bytes old_ranges;             ///< .debug_ranges
  Bytes unit_index, type_index; ///< .debug_cu_index and .debug_tu_index, of .dwp packages
  bool split = false;           ///< those whose names end in ".dwo"

  /// `with_places`: also those that say where code and variables are, which may have to be unpacked for it.
  static DebugSections of(const ElfImage &image, bool with_places = false);
  /// The other ones: of a .dwo file, a .dwp package, or a program that keeps them in itself.
  static DebugSections split_of(const ElfImage &image, bool with_places = false);
};

} // namespace inspect
