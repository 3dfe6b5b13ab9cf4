#include "dwarf/raw/names/accelerator_tables.h"

#include "dwarf/raw/elf/byte_reader.h"

#include <algorithm>
#include <cstring>
#include <dwarf.h>
#include <map>
#include <unordered_map>

namespace inspect {
namespace {

using Bytes = DebugSections::Bytes;

/// Of one name: 1,000 units may have a function of it.
constexpr std::size_t max_entries_of_name = 1'000'000;
constexpr std::uint64_t max_abbreviations = 10'000;

// DWARF 5 table 7.23; libdw's dwarf.h of 0.188 has none of them.
constexpr std::uint64_t index_compile_unit = 1; ///< DW_IDX_compile_unit
constexpr std::uint64_t index_type_unit = 2;    ///< DW_IDX_type_unit
constexpr std::uint64_t index_die_offset = 3;   ///< DW_IDX_die_offset

std::string_view text_at(Bytes section, std::uint64_t offset) {
  return offset < section.size() ? ByteReader(section.subspan(offset)).string() : std::string_view();
}

std::optional<NameKind> kind_of(std::uint64_t tag) {
  if (is_type_tag(tag))
    return NameKind::type;
  switch (tag) {
  case DW_TAG_subprogram:
    return NameKind::function;
  case DW_TAG_variable:
    return NameKind::variable;
  case DW_TAG_enumerator:
  case DW_TAG_constant:
    return NameKind::constant;
  default:
    return std::nullopt; // namespaces, inlined calls, labels
  }
}

class Units {
public:
  explicit Units(const std::vector<UnitHeader> &units) {
    for (const UnitHeader &unit : units)
      (unit.in_types ? types_ : info_).emplace(unit.offset, &unit);
  }
  const UnitHeader *find(std::uint64_t offset, bool in_types) const {
    const auto &all = in_types ? types_ : info_;
    const auto found = all.find(offset);
    return found != all.end() ? found->second : nullptr;
  }

private:
  std::unordered_map<std::uint64_t, const UnitHeader *> info_, types_;
};

/// One of the indexes that .debug_names consists of: linkers put those of the compiler one after the other.
class NameIndex {
public:
  NameIndex(const DebugSections &sections, const Units &units, CoveredUnits &covered, const NameVisitor &visit)
      : sections_(sections), units_(units), covered_(covered), visit_(visit) {}

  void read(Bytes contribution, std::size_t offset_size) {
    offset_size_ = offset_size;
    ByteReader reader(contribution);
    if (reader.number(2) != 5)
      return;
    reader.skip(2);
    const std::uint64_t unit_count = reader.number(4), type_count = reader.number(4), foreign_count = reader.number(4);
    const std::uint64_t bucket_count = reader.number(4), name_count = reader.number(4);
    const std::uint64_t abbreviations_size = reader.number(4), augmentation_size = reader.number(4);
    reader.skip((augmentation_size + 3) / 4 * 4);
    ByteReader unit_list = reader.part(unit_count * offset_size);
    ByteReader type_list = reader.part(type_count * offset_size);
    reader.skip(foreign_count * 8);
    reader.skip(bucket_count * 4);
    if (bucket_count != 0)
      reader.skip(name_count * 4);
    ByteReader texts = reader.part(name_count * offset_size);
    ByteReader places = reader.part(name_count * offset_size);
    ByteReader abbreviations = reader.part(abbreviations_size);
    if (!reader.ok())
      return;
    const Bytes pool = contribution.subspan(reader.position());
    const std::vector<const UnitHeader *> compiled = list_of(unit_list, unit_count);
    const std::vector<const UnitHeader *> types = list_of(type_list, type_count);
    read_abbreviations(abbreviations);
    for (std::uint64_t name = 0; name < name_count; ++name) {
      const std::string_view text = text_at(sections_.strings, texts.number(offset_size));
      const std::uint64_t place = places.number(offset_size);
      const bool mangled = text.starts_with("_Z") || text.starts_with("_R");
      if (!text.empty() && !mangled && place < pool.size())
        read_entries(text, ByteReader(pool.subspan(place)), compiled, types);
    }
    for (const auto *group : {&compiled, &types})
      for (const UnitHeader *unit : *group)
        if (unit != nullptr)
          covered_.info.insert(unit->offset);
  }

private:
  struct Attribute {
    std::uint64_t index = 0, form = 0;
  };
  struct Entry {
    std::uint64_t tag = 0;
    std::vector<Attribute> attributes;
  };

  std::vector<const UnitHeader *> list_of(ByteReader &reader, std::uint64_t count) const {
    std::vector<const UnitHeader *> found;
    for (std::uint64_t index = 0; index < count && reader.ok(); ++index)
      found.push_back(units_.find(reader.number(offset_size_), false));
    return found;
  }

  void read_abbreviations(ByteReader &reader) {
    entries_.clear();
    while (reader.ok() && entries_.size() < max_abbreviations) {
      const std::uint64_t code = reader.unsigned_leb();
      if (code == 0)
        return;
      Entry entry;
      entry.tag = reader.unsigned_leb();
      while (reader.ok()) {
        const Attribute attribute{reader.unsigned_leb(), reader.unsigned_leb()};
        if (attribute.index == 0 && attribute.form == 0)
          break;
        entry.attributes.push_back(attribute);
      }
      entries_.emplace(code, std::move(entry));
    }
  }

  /// What an entry's values are written as.
  static bool take(ByteReader &reader, std::uint64_t form, std::uint64_t &value) {
    switch (form) {
    case DW_FORM_flag_present:
      value = 1;
      return true;
    case DW_FORM_data1:
    case DW_FORM_ref1:
    case DW_FORM_flag:
      value = reader.number(1);
      return reader.ok();
    case DW_FORM_data2:
    case DW_FORM_ref2:
      value = reader.number(2);
      return reader.ok();
    case DW_FORM_data4:
    case DW_FORM_ref4:
      value = reader.number(4);
      return reader.ok();
    case DW_FORM_data8:
    case DW_FORM_ref8:
    case DW_FORM_ref_sig8:
      value = reader.number(8);
      return reader.ok();
    case DW_FORM_udata:
    case DW_FORM_ref_udata:
      value = reader.unsigned_leb();
      return reader.ok();
    default:
      return false;
    }
  }

  void read_entries(std::string_view text, ByteReader reader, const std::vector<const UnitHeader *> &compiled,
                    const std::vector<const UnitHeader *> &types) {
    for (std::size_t count = 0; count < max_entries_of_name && reader.ok(); ++count) {
      const auto abbreviation = entries_.find(reader.unsigned_leb());
      if (abbreviation == entries_.end())
        return; // 0, or nonsense
      // Without a unit it is in the only one.
      const UnitHeader *unit = compiled.size() == 1 ? compiled.front() : nullptr;
      std::optional<std::uint64_t> die;
      for (const Attribute &attribute : abbreviation->second.attributes) {
        std::uint64_t value = 0;
        if (!take(reader, attribute.form, value))
          return;
        if (attribute.index == index_compile_unit)
          unit = value < compiled.size() ? compiled[value] : nullptr;
        else if (attribute.index == index_type_unit)
          unit = value < types.size() ? types[value] : nullptr;
        else if (attribute.index == index_die_offset)
          die = value;
      }
      const auto kind = kind_of(abbreviation->second.tag);
      if (!kind || unit == nullptr || !die || *die >= unit->end - unit->offset)
        continue;
      NameRecord record;
      record.name = text;
      record.kind = *kind;
      record.flags = name_is_bare;
      record.die = record.identity = unit->offset + *die;
      record.unit = unit->dies;
      visit_(record);
    }
  }

  const DebugSections &sections_;
  const Units &units_;
  CoveredUnits &covered_;
  const NameVisitor &visit_;
  std::size_t offset_size_ = 4;
  std::map<std::uint64_t, Entry> entries_;
};

void read_debug_names(const DebugSections &sections, const Units &units, CoveredUnits &covered,
                      const NameVisitor &visit) {
  ByteReader reader(sections.names);
  while (!reader.at_end()) {
    std::uint64_t length = reader.number(4);
    std::size_t offset_size = 4;
    if (length == 0xffff'ffff) {
      length = reader.number(8);
      offset_size = 8;
    }
    const std::size_t begin = reader.position();
    if (!reader.ok() || length > reader.left())
      return;
    NameIndex(sections, units, covered, visit).read(sections.names.subspan(begin, length), offset_size);
    reader.skip(length);
  }
}

void read_gdb_index(const DebugSections &sections, const Units &units, CoveredUnits &covered,
                    const NameVisitor &visit) {
  ByteReader header(sections.gdb_index);
  const std::uint64_t version = header.number(4), unit_list = header.number(4), type_list = header.number(4),
                      addresses = header.number(4), symbols = header.number(4), pool_at = header.number(4);
  const Bytes all = sections.gdb_index;
  // Version 9 puts a table more between them.
  if (!header.ok() || (version != 7 && version != 8) || unit_list > type_list || type_list > addresses ||
      addresses > symbols || symbols > pool_at || pool_at > all.size())
    return;
  struct Unit {
    const UnitHeader *header = nullptr;
    bool used = false;
  };
  std::vector<Unit> listed;
  ByteReader unit_reader(all.subspan(unit_list, type_list - unit_list));
  while (unit_reader.left() >= 16) {
    listed.push_back({units.find(unit_reader.number(8), false)});
    unit_reader.skip(8);
  }
  ByteReader type_reader(all.subspan(type_list, addresses - type_list));
  while (type_reader.left() >= 24) {
    listed.push_back({units.find(type_reader.number(8), !sections.types.empty())});
    type_reader.skip(16);
  }
  const Bytes pool = all.subspan(pool_at);
  ByteReader slots(all.subspan(symbols, pool_at - symbols));
  while (slots.left() >= 8) {
    const std::uint64_t name_at = slots.number(4), vector_at = slots.number(4);
    if ((name_at == 0 && vector_at == 0) || vector_at >= pool.size())
      continue;
    NameRecord record;
    record.name = text_at(pool, name_at);
    ByteReader entries(pool.subspan(vector_at));
    const std::uint64_t count = entries.number(4);
    for (std::uint64_t index = 0; index < count && entries.left() >= 4; ++index) {
      const std::uint64_t entry = entries.number(4);
      const std::uint64_t unit = entry & 0xff'ffff, kind = entry >> 28 & 7;
      if (unit >= listed.size() || listed[unit].header == nullptr || kind == 0 || kind > 3 || record.name.empty())
        continue;
      listed[unit].used = true;
      record.kind = kind == 1 ? NameKind::type : kind == 2 ? NameKind::variable : NameKind::function;
      record.flags = name_of_unit;
      record.section = listed[unit].header->in_types ? NameSection::types : NameSection::info;
      record.die = record.identity = record.unit = listed[unit].header->dies;
      visit(record);
    }
  }
  // A unit that nothing is said of was compiled without what the linker makes the index of.
  for (const Unit &unit : listed)
    if (unit.header != nullptr && unit.used)
      (unit.header->in_types ? covered.types : covered.info).insert(unit.header->offset);
}

} // namespace

CoveredUnits read_accelerator_tables(const DebugSections &sections, const std::vector<UnitHeader> &units,
                                     const NameVisitor &visit) {
  CoveredUnits covered;
  if (sections.names.empty() && sections.gdb_index.empty())
    return covered;
  const Units by_offset(units);
  if (!sections.names.empty())
    read_debug_names(sections, by_offset, covered, visit);
  else
    read_gdb_index(sections, by_offset, covered, visit);
  return covered;
}

} // namespace inspect
