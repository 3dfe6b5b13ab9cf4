// The headers of the units in .debug_info and .debug_types, and their abbreviation tables, read from plain bytes with
// no library: for those who must go through all of a large file, in any thread and any process.
//
//     for (const UnitHeader &unit : unit_headers(sections)) { AbbreviationTable codes(sections.abbreviations, …) … }
//
// Sources: DWARF 5 sections 7.5.1 (unit headers), 7.5.3 (abbreviations); DWARF 4 section 7.5.1.2 (type units).
#pragma once

#include "dwarf/raw/elf/debug_sections.h"

#include <cstdint>
#include <optional>
#include <vector>

namespace inspect {

struct UnitHeader {
  std::uint64_t offset = 0; ///< of the header in its section
  std::uint64_t dies = 0;   ///< of the root DIE
  std::uint64_t end = 0;
  std::uint64_t abbreviations = 0;
  std::uint64_t signature = 0;   ///< of a type unit; else the id that joins a skeleton and its split unit, DWARF 5
  std::uint64_t type_offset = 0; ///< of a type unit: of its type's DIE, in the section
  std::uint16_t version = 0;
  std::uint8_t type = 0; ///< DW_UT_…
  std::uint8_t address_size = 0;
  std::uint8_t offset_size = 4; ///< 8: 64-bit DWARF
  bool in_types = false;        ///< of .debug_types

  bool is_type_unit() const;
};

/// Of the unit at `offset`; nothing where there is none that is valid.
std::optional<UnitHeader> read_unit_header(const DebugSections &sections, std::uint64_t offset, bool in_types);
/// All of .debug_info, then all of .debug_types; up to the first that is malformed.
std::vector<UnitHeader> unit_headers(const DebugSections &sections);

struct AttributeSpecification {
  std::uint16_t name = 0;
  std::uint16_t form = 0;
  std::int64_t implicit = 0; ///< of DW_FORM_implicit_const
};

struct Abbreviation {
  std::uint64_t code = 0;
  std::uint16_t tag = 0;
  bool has_children = false;
  std::uint32_t first = 0; ///< of its attributes in AbbreviationTable::attributes
  std::uint32_t count = 0;
};

class AbbreviationTable {
public:
  AbbreviationTable(std::span<const std::byte> section, std::uint64_t offset);
  /// Null: the code is none of the table's.
  const Abbreviation *find(std::uint64_t code) const {
    if (code - 1 < dense_.size() && dense_[code - 1].code == code)
      return &dense_[code - 1];
    return find_sparse(code);
  }
  std::span<const AttributeSpecification> attributes(const Abbreviation &abbreviation) const {
    return std::span(attributes_).subspan(abbreviation.first, abbreviation.count);
  }

  /// Calls `visit` for each.
  template <typename Visit> void each(const Visit &visit) const {
    for (const auto *group : {&dense_, &sparse_})
      for (const Abbreviation &abbreviation : *group)
        visit(abbreviation);
  }

private:
  const Abbreviation *find_sparse(std::uint64_t code) const;
  std::vector<Abbreviation> dense_;  ///< by code - 1, as compilers number them
  std::vector<Abbreviation> sparse_; ///< ascending by code
  std::vector<AttributeSpecification> attributes_;
};

} // namespace inspect
