#include "dwarf/indexer/unit_range_reader.h"

#include "dwarf/raw/elf/debug_pages.h"
#include "dwarf/raw/elf/elf_image.h"

#include <algorithm>
#include <fmt/format.h>
#include <unordered_set>

namespace inspect {
namespace {

/// What the kernel maps around the few bytes of a unit that are read, in each of the sections they are in.
constexpr std::uint64_t brought_in_by_a_unit = 256 << 10;

struct Span {
  std::uint64_t low, high;
};

/// The executable segments; none where the file has no program headers (a relocatable file).
std::vector<Span> executable_segments(Elf *elf) {
  std::vector<Span> segments;
  const auto headers = headers_of(elf);
  if (!headers)
    return segments;
  for (const Elf64_Phdr &segment : headers->segments)
    if (segment.p_type == PT_LOAD && (segment.p_flags & PF_X) != 0)
      segments.push_back({segment.p_vaddr, segment.p_vaddr + segment.p_memsz});
  return segments;
}

bool is_code(const std::vector<Span> &segments, const UnitIndexRecord &record) {
  return segments.empty() || std::ranges::any_of(segments, [&](const Span &segment) {
           return record.low >= segment.low && record.high <= segment.high;
         });
}

void add(std::vector<UnitIndexRecord> &records, std::uint64_t low, std::uint64_t high, std::uint64_t unit_offset) {
  if (low < high)
    records.push_back({low, high, unit_offset});
}

class Attribute {
public:
  Attribute(Dwarf_Debug debug, Dwarf_Attribute attribute) : debug_(debug), attribute_(attribute) {}
  Attribute(const Attribute &) = delete;
  Attribute &operator=(const Attribute &) = delete;
  ~Attribute() { dwarf_dealloc(debug_, attribute_, DW_DLA_ATTR); }
  Dwarf_Attribute get() const { return attribute_; }

private:
  Dwarf_Debug debug_;
  Dwarf_Attribute attribute_;
};

/// .debug_rnglists, DWARF 5 section 2.17.3.
Result<void> add_range_list(const LibdwarfFile &file, Dwarf_Attribute attribute, Dwarf_Half form,
                            Dwarf_Unsigned index_or_offset, std::uint64_t unit_offset,
                            std::vector<UnitIndexRecord> &records) {
  const std::string where = fmt::format("reading the range list of the unit at {:#x}", unit_offset);
  Dwarf_Rnglists_Head head = nullptr;
  Dwarf_Unsigned count = 0, list_offset = 0;
  Dwarf_Error error = nullptr;
  auto found = file.checked(
      dwarf_rnglists_get_rle_head(attribute, form, index_or_offset, &head, &count, &list_offset, &error), error, where);
  if (!found)
    return std::unexpected(found.error());
  if (!*found)
    return {};
  Result<void> result;
  for (Dwarf_Unsigned entry = 0; entry < count && result; ++entry) {
    unsigned length = 0, kind = 0;
    Dwarf_Unsigned raw_low = 0, raw_high = 0, low = 0, high = 0;
    Dwarf_Bool addresses_missing = 0;
    auto read = file.checked(dwarf_get_rnglists_entry_fields_a(head, entry, &length, &kind, &raw_low, &raw_high,
                                                               &addresses_missing, &low, &high, &error),
                             error, where);
    if (!read)
      result = std::unexpected(read.error());
    else if (addresses_missing)
      result = std::unexpected(Error(ErrorKind::corrupt, where + ": it needs .debug_addr, which is missing"));
    else if (kind != DW_RLE_end_of_list && kind != DW_RLE_base_address && kind != DW_RLE_base_addressx)
      add(records, low, high, unit_offset);
  }
  dwarf_dealloc_rnglists_head(head);
  return result;
}

/// .debug_ranges, DWARF 4 section 2.17.3: pairs relative to a base, which is the unit's low_pc until an entry selects
/// another.
Result<void> add_old_range_list(const LibdwarfFile &file, const LibdwarfUnit &unit, Dwarf_Unsigned offset,
                                std::uint64_t base, std::uint64_t unit_offset, std::vector<UnitIndexRecord> &records) {
  Dwarf_Ranges *entries = nullptr;
  Dwarf_Signed count = 0;
  Dwarf_Unsigned bytes = 0;
  Dwarf_Off real_offset = 0;
  Dwarf_Error error = nullptr;
  auto found = file.checked(
      dwarf_get_ranges_b(file.debug(), offset, unit.root.get(), &real_offset, &entries, &count, &bytes, &error), error,
      fmt::format("reading the ranges of the unit at {:#x}", unit_offset));
  if (!found)
    return std::unexpected(found.error());
  if (!*found)
    return {};
  for (Dwarf_Signed index = 0; index < count && entries[index].dwr_type != DW_RANGES_END; ++index) {
    if (entries[index].dwr_type == DW_RANGES_ADDRESS_SELECTION)
      base = entries[index].dwr_addr2;
    else
      add(records, base + entries[index].dwr_addr1, base + entries[index].dwr_addr2, unit_offset);
  }
#ifdef DW_LIBDWARF_VERSION
  dwarf_dealloc_ranges(file.debug(), entries, count);
#else
  dwarf_ranges_dealloc(file.debug(), entries, count);
#endif
  return {};
}

Result<void> add_ranges_attribute(const LibdwarfFile &file, const LibdwarfUnit &unit, std::uint64_t base,
                                  std::uint64_t unit_offset, std::vector<UnitIndexRecord> &records) {
  const std::string where = fmt::format("reading DW_AT_ranges of the unit at {:#x}", unit_offset);
  Dwarf_Attribute raw = nullptr;
  Dwarf_Error error = nullptr;
  auto found = file.checked(dwarf_attr(unit.root.get(), DW_AT_ranges, &raw, &error), error, where);
  if (!found)
    return std::unexpected(found.error());
  if (!*found)
    return {};
  const Attribute attribute(file.debug(), raw);
  Dwarf_Half form = 0;
  if (auto read = file.checked(dwarf_whatform(attribute.get(), &form, &error), error, where); !read)
    return std::unexpected(read.error());
  Dwarf_Unsigned value = 0;
  // An index (DW_FORM_rnglistx), an offset (DW_FORM_sec_offset), or before DWARF 4 a plain number.
  const bool is_number = form == DW_FORM_rnglistx || form == DW_FORM_data4 || form == DW_FORM_data8;
  auto read = is_number ? file.checked(dwarf_formudata(attribute.get(), &value, &error), error, where)
                        : file.checked(dwarf_global_formref(attribute.get(), &value, &error), error, where);
  if (!read)
    return std::unexpected(read.error());
  return unit.version >= 5 ? add_range_list(file, attribute.get(), form, value, unit_offset, records)
                           : add_old_range_list(file, unit, value, base, unit_offset, records);
}

Result<std::uint64_t> root_offset(const LibdwarfFile &file, const LibdwarfUnit &unit) {
  Dwarf_Off offset = 0;
  Dwarf_Error error = nullptr;
  auto read = file.checked(dwarf_dieoffset(unit.root.get(), &offset, &error), error,
                           fmt::format("reading the root of the unit at {:#x}", unit.header_offset));
  if (!read)
    return std::unexpected(read.error());
  return offset;
}

/// .debug_aranges, for the units that `known` does not have.
Result<void> add_from_aranges(const LibdwarfFile &file, const std::unordered_set<std::uint64_t> &known,
                              std::vector<UnitIndexRecord> &records) {
  Dwarf_Arange *entries = nullptr;
  Dwarf_Signed count = 0;
  Dwarf_Error error = nullptr;
  auto found = file.checked(dwarf_get_aranges(file.debug(), &entries, &count, &error), error, "reading .debug_aranges");
  if (!found)
    return std::unexpected(found.error());
  if (!*found)
    return {};
  Result<void> result;
  for (Dwarf_Signed index = 0; index < count; ++index) {
    Dwarf_Unsigned segment = 0, segment_size = 0, length = 0;
    Dwarf_Addr start = 0;
    Dwarf_Off unit_offset = 0;
    auto read = file.checked(
        dwarf_get_arange_info_b(entries[index], &segment, &segment_size, &start, &length, &unit_offset, &error), error,
        "reading an entry of .debug_aranges");
    if (!read && result)
      result = std::unexpected(read.error());
    if (read && !known.contains(unit_offset))
      add(records, start, start + length, unit_offset);
    dwarf_dealloc(file.debug(), entries[index], DW_DLA_ARANGE);
  }
  dwarf_dealloc(file.debug(), static_cast<void *>(entries), DW_DLA_LIST);
  return result;
}

} // namespace

Result<std::vector<UnitIndexRecord>> ranges_of_unit(const LibdwarfFile &file, const LibdwarfUnit &unit) {
  auto unit_offset = root_offset(file, unit);
  if (!unit_offset)
    return std::unexpected(unit_offset.error());
  const std::string where = fmt::format("reading the addresses of the unit at {:#x}", *unit_offset);
  std::vector<UnitIndexRecord> records;
  Dwarf_Addr low = 0;
  Dwarf_Error error = nullptr;
  auto has_low = file.checked(dwarf_lowpc(unit.root.get(), &low, &error), error, where);
  if (!has_low)
    return std::unexpected(has_low.error());
  Dwarf_Addr high = 0;
  Dwarf_Half form = 0;
  Dwarf_Form_Class form_class = DW_FORM_CLASS_UNKNOWN;
  auto has_high = file.checked(dwarf_highpc_b(unit.root.get(), &high, &form, &form_class, &error), error, where);
  if (!has_high)
    return std::unexpected(has_high.error());
  if (*has_low && *has_high) {
    add(records, low, form_class == DW_FORM_CLASS_CONSTANT ? low + high : high, *unit_offset);
    return records;
  }
  if (auto added = add_ranges_attribute(file, unit, *has_low ? low : 0, *unit_offset, records); !added)
    return std::unexpected(added.error());
  return records;
}

Result<UnitRangesOfFile> read_unit_ranges(const LibdwarfFile &file) {
  UnitRangesOfFile result;
  std::unordered_set<std::uint64_t> known;
  bool silent_units = false;
  LibdwarfUnits units(file);
  DebugPages pages(file.elf());
  while (true) {
    auto next = units.next();
    if (!next)
      return std::unexpected(next.error());
    const std::optional<LibdwarfUnit> &unit = *next;
    if (!unit.has_value())
      break;
    result.debug_info_size = unit->end_offset;
    pages.used(brought_in_by_a_unit);
    if (unit->root.get() == nullptr || unit->type == DW_UT_type || unit->type == DW_UT_split_type)
      continue;
    auto ranges = ranges_of_unit(file, *unit);
    if (!ranges)
      return std::unexpected(ranges.error());
    silent_units |= ranges->empty();
    for (const UnitIndexRecord &record : *ranges) {
      known.insert(record.unit_offset);
      result.records.push_back(record);
    }
  }
  if (result.debug_info_size == 0)
    return std::unexpected(Error(ErrorKind::not_found, "the file has no DWARF"));
  if (silent_units)
    if (auto added = add_from_aranges(file, known, result.records); !added)
      return std::unexpected(added.error());
  const std::vector<Span> segments = executable_segments(file.elf());
  std::erase_if(result.records, [&](const UnitIndexRecord &record) { return !is_code(segments, record); });
  std::ranges::sort(result.records);
  const auto duplicates = std::ranges::unique(result.records);
  result.records.erase(duplicates.begin(), duplicates.end());
  return result;
}

} // namespace inspect
