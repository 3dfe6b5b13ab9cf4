// The DIEs of one unit that have or give names, in file order, each with the one that is its scope. What a name is in
// full is put together by dwarf/raw/names/name_walk.h, since that may need other units.
//
// Sources: DWARF 5 sections 3.2 (namespaces), 3.3 (subroutines), 4.1 (variables), 5.7 (structures), 5.8 (enumerations).
#pragma once

#include "dwarf/raw/units/raw_die.h"

#include <optional>
#include <string>
#include <vector>

namespace inspect {

struct NamedEntry {
  std::uint64_t offset = 0;
  std::string_view name;
  RawReference refers;
  RawReference signature;
  std::uint64_t place = 0; ///< address of code or data, as far as it tells one from another
  std::uint32_t parent = 0;
  std::uint32_t line = 0;
  std::uint32_t byte_size = 0;
  std::uint16_t tag = 0;
  bool is_declaration : 1 = false;
  bool has_code : 1 = false;
  bool is_inline : 1 = false;
  bool is_defined : 1 = false; ///< of a variable: it has a location or a value
  bool in_function : 1 = false;
  bool in_class : 1 = false;
  bool is_transparent : 1 = false;
};

struct UnitNames {
  static constexpr std::uint32_t no_parent = UINT32_MAX;

  UnitHeader header;
  RawDie root;
  std::vector<NamedEntry> entries; ///< ascending by offset, parents before children
  /// "ns::Class::" with separators, of those entries that were asked for it.
  std::vector<std::optional<std::string>> scopes;

  /// Null: no entry is exactly there.
  const NamedEntry *find(std::uint64_t offset) const;
  std::uint32_t index_of(const NamedEntry &entry) const { return static_cast<std::uint32_t>(&entry - entries.data()); }
  bool is_go() const;
};

/// Up to where the unit is malformed.
UnitNames read_unit_names(const DebugSections &sections, const DebugSections *common, const UnitHeader &header,
                          const AbbreviationTable &codes);
/// The root DIE alone.
std::optional<RawDie> read_unit_root(const DebugSections &sections, const DebugSections *common,
                                     const UnitHeader &header, const AbbreviationTable &codes);

} // namespace inspect
