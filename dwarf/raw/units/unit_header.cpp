#include "dwarf/raw/units/unit_header.h"

#include "dwarf/raw/elf/byte_reader.h"

#include <algorithm>
#include <dwarf.h>

namespace inspect {
namespace {

constexpr std::size_t max_attributes = 4'000'000;
constexpr std::uint32_t long_format = 0xffff'ffff;
constexpr std::uint32_t first_reserved_length = 0xffff'fff0;

} // namespace

bool UnitHeader::is_type_unit() const {
  return in_types || type == DW_UT_type || type == DW_UT_split_type;
}

std::optional<UnitHeader> read_unit_header(const DebugSections &sections, std::uint64_t offset, bool in_types) {
  const DebugSections::Bytes section = in_types ? sections.types : sections.info;
  if (offset >= section.size())
    return std::nullopt;
  ByteReader reader(section.subspan(offset));
  UnitHeader unit;
  unit.offset = offset;
  unit.in_types = in_types;
  std::uint64_t length = reader.number(4);
  if (length == long_format) {
    length = reader.number(8);
    unit.offset_size = 8;
  } else if (length >= first_reserved_length) {
    return std::nullopt;
  }
  if (!reader.ok() || length > reader.left() || length == 0)
    return std::nullopt;
  unit.end = offset + reader.position() + length;
  unit.version = static_cast<std::uint16_t>(reader.number(2));
  if (unit.version < 2 || unit.version > 5)
    return std::nullopt;
  unit.type = in_types ? DW_UT_type : DW_UT_compile;
  if (unit.version >= 5) {
    unit.type = reader.byte();
    unit.address_size = reader.byte();
    unit.abbreviations = reader.number(unit.offset_size);
  } else {
    unit.abbreviations = reader.number(unit.offset_size);
    unit.address_size = reader.byte();
  }
  const bool has_id = unit.type == DW_UT_skeleton || unit.type == DW_UT_split_compile;
  if (has_id || unit.is_type_unit())
    unit.signature = reader.number(8);
  if (unit.is_type_unit()) {
    const std::uint64_t inside = reader.number(unit.offset_size);
    unit.type_offset = inside < unit.end - offset ? offset + inside : 0;
  }
  unit.dies = offset + reader.position();
  const bool sensible = reader.ok() && unit.dies <= unit.end && (unit.address_size == 8 || unit.address_size == 4) &&
                        unit.abbreviations < sections.abbreviations.size();
  return sensible ? std::optional(unit) : std::nullopt;
}

std::vector<UnitHeader> unit_headers(const DebugSections &sections) {
  std::vector<UnitHeader> units;
  for (const bool in_types : {false, true}) {
    std::uint64_t offset = 0;
    while (const auto unit = read_unit_header(sections, offset, in_types)) {
      units.push_back(*unit);
      offset = units.back().end;
    }
  }
  return units;
}

AbbreviationTable::AbbreviationTable(std::span<const std::byte> section, std::uint64_t offset) {
  if (offset >= section.size())
    return;
  ByteReader reader(section.subspan(offset));
  while (reader.ok() && attributes_.size() < max_attributes) {
    Abbreviation abbreviation;
    abbreviation.code = reader.unsigned_leb();
    if (abbreviation.code == 0)
      break;
    abbreviation.tag = static_cast<std::uint16_t>(reader.unsigned_leb());
    abbreviation.has_children = reader.byte() != 0;
    abbreviation.first = static_cast<std::uint32_t>(attributes_.size());
    while (reader.ok() && attributes_.size() < max_attributes) {
      AttributeSpecification attribute;
      attribute.name = static_cast<std::uint16_t>(reader.unsigned_leb());
      attribute.form = static_cast<std::uint16_t>(reader.unsigned_leb());
      if (attribute.form == DW_FORM_implicit_const)
        attribute.implicit = reader.signed_leb();
      if (attribute.name == 0 && attribute.form == 0)
        break;
      attributes_.push_back(attribute);
    }
    abbreviation.count = static_cast<std::uint32_t>(attributes_.size() - abbreviation.first);
    if (!reader.ok())
      break;
    if (abbreviation.code == dense_.size() + 1)
      dense_.push_back(abbreviation);
    else
      sparse_.push_back(abbreviation);
  }
  std::ranges::stable_sort(sparse_, {}, &Abbreviation::code);
}

const Abbreviation *AbbreviationTable::find_sparse(std::uint64_t code) const {
  const auto found = std::ranges::lower_bound(sparse_, code, {}, &Abbreviation::code);
  return found != sparse_.end() && found->code == code ? &*found : nullptr;
}

} // namespace inspect
