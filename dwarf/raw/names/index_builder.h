// Builds the index of names of one file (a NameTable) from open descriptors: in the worker inspect-dwarfindex, which
// has nothing else, and in our own process, in any thread.
#pragma once

#include "dwarf/raw/elf/debug_sections.h"
#include "dwarf/raw/names/name_table.h"
#include "dwarf/raw/units/raw_die.h"
#include "machine/cancellation.h"

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace inspect {

/// The sections of the .dwo file that a skeleton's root DIE names, if its unit has the id; null: there is none. The
/// answer must be good until the next call.
using SplitFileFinder = std::function<const DebugSections *(const RawDie &skeleton, std::uint64_t id)>;

struct NameIndexInput {
  int descriptor = -1; ///< of the file with the DWARF; stays the caller's, as the others
  int common = -1;     ///< of the file that .gnu_debugaltlink names; -1: none
  int package = -1;    ///< of the .dwp package; -1: none
  std::string path;    ///< for messages
  NameTableHeader header;
  SplitFileFinder split_files = {}; ///< without, files with such units are refused: unsupported
  const Cancellation *cancellation = nullptr;
};

struct BuiltNameIndex {
  std::vector<std::byte> bytes; ///< for NameTable::of
  std::size_t missing_split_files = 0;
};

/// not_found: the file has no DWARF; cancelled; corrupt; unsupported; system: not enough memory.
Result<BuiltNameIndex> build_name_index(const NameIndexInput &input);

} // namespace inspect
