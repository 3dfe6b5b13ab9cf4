// A .dwp package: the .dwo files of a program in one, each section the sum of theirs, with an index that says which
// part of each belongs to which unit.
//
//     PackageIndex package(DebugSections::split_of(image));
//     if (const auto unit = package.unit(id)) … unit->info …         // as if from a .dwo file of its own
//
// Sources: DWARF 5 section 7.3.5 (version 5); gcc.gnu.org/wiki/DebugFissionDWP (version 2).
#pragma once

#include "dwarf/raw/elf/debug_sections.h"

#include <cstdint>
#include <optional>
#include <unordered_map>
#include <vector>

namespace inspect {

class PackageIndex {
public:
  /// Of a file without an index nothing is found.
  explicit PackageIndex(const DebugSections &package);

  /// The parts that belong to the split unit with this id (of a skeleton: UnitHeader::signature or RawDie::split_id).
  std::optional<DebugSections> unit(std::uint64_t id) const { return part(units_, id); }
  std::optional<DebugSections> type_unit(std::uint64_t signature) const { return part(types_, signature); }
  std::vector<std::uint64_t> type_signatures() const;
  bool empty() const { return units_.empty() && types_.empty(); }
  std::size_t unit_count() const { return units_.size(); }

private:
  struct Part {
    std::uint32_t offset = 0, size = 0;
    bool present = false;
  };
  struct Row {
    Part info, types, abbreviations, lines, locations, string_offsets, ranges;
  };
  using Rows = std::unordered_map<std::uint64_t, Row>;
  void read(DebugSections::Bytes index, Rows &rows);
  std::optional<DebugSections> part(const Rows &rows, std::uint64_t id) const;

  DebugSections package_;
  Rows units_, types_;
};

} // namespace inspect
