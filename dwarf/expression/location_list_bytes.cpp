#include "dwarf/expression/location_list_bytes.h"

#include "dwarf/die/die.h"
#include "dwarf/expression/expression_bytes.h"
#include "dwarf/raw/elf/elf_image.h"

#include <cstdint>
#include <cstring>
#include <dwarf.h>
#include <optional>
#include <string_view>

namespace inspect {
namespace {

using Bytes = std::span<const std::byte>;

/// libdw has decompressed it in place, where it was.
Bytes section_of(Dwarf *dwarf, std::string_view wanted) {
  for (const ImageSection &section : sections_of(dwarf_getelf(dwarf))) {
    const Elf_Data *data = is_debug_section(section.name, wanted) ? elf_rawdata(section.section, nullptr) : nullptr;
    if (data != nullptr && data->d_buf != nullptr)
      return {static_cast<const std::byte *>(data->d_buf), data->d_size};
  }
  return {};
}

struct Unit {
  Dwarf_Half version = 0;
  std::uint8_t offset_size = 4;
  bool split = false;
  Dwarf_Die die{};
};

std::optional<Unit> unit_of(const Dwarf_Attribute &attribute) {
  Unit unit;
  std::uint8_t type = 0;
  if (dwarf_cu_die(attribute.cu, &unit.die, &unit.version, nullptr, nullptr, &unit.offset_size, nullptr, nullptr) ==
          nullptr ||
      dwarf_cu_info(attribute.cu, nullptr, &type, nullptr, nullptr, nullptr, nullptr, nullptr) != 0)
    return std::nullopt;
  unit.split = type == DW_UT_split_compile;
  return unit;
}

class Walk {
public:
  Walk(Bytes bytes, unsigned offset_size) : left_(bytes), offset_size_(offset_size) {}

  std::optional<std::uint64_t> fixed(unsigned size) {
    std::uint64_t value = 0;
    if (left_.size() < size)
      return std::nullopt;
    std::memcpy(&value, left_.data(), size);
    left_ = left_.subspan(size);
    return value;
  }
  std::optional<std::uint64_t> number() {
    std::uint64_t value = 0;
    for (unsigned shift = 0;; shift += 7) {
      const auto byte = fixed(1);
      if (!byte)
        return std::nullopt;
      if (shift < 64)
        value |= (*byte & 0x7f) << shift;
      if ((*byte & 0x80) == 0)
        return value;
    }
  }
  bool expression(std::optional<std::uint64_t> size) {
    if (!size || *size > left_.size() || !is_whole_expression(left_.first(*size), offset_size_))
      return false;
    left_ = left_.subspan(*size);
    return true;
  }

private:
  Bytes left_;
  unsigned offset_size_;
};

/// Pairs of addresses, each with an expression but for a new base; two zeros end it.
bool old_list_is_whole(Walk walk) {
  while (true) {
    const auto begin = walk.fixed(8);
    const auto end = walk.fixed(8);
    if (!begin || !end)
      return false;
    if (*begin == 0 && *end == 0)
      return true;
    if (*begin != UINT64_MAX && !walk.expression(walk.fixed(2)))
      return false;
  }
}

/// Entries with a kind. DWARF 4's split form has the first four kinds, some with other operands.
bool new_list_is_whole(Walk walk, bool is_gnus) {
  while (true) {
    const auto kind = walk.fixed(1);
    if (!kind)
      return false;
    bool operands = true;
    bool has_expression = true;
    switch (*kind) {
    case DW_LLE_end_of_list:
      return true;
    case DW_LLE_base_addressx:
      operands = walk.number().has_value();
      has_expression = false;
      break;
    case DW_LLE_startx_endx:
      operands = walk.number() && walk.number();
      break;
    case DW_LLE_startx_length:
      operands = walk.number() && (is_gnus ? walk.fixed(4) : walk.number());
      break;
    case DW_LLE_offset_pair:
      operands = is_gnus ? walk.fixed(4) && walk.fixed(4) : walk.number() && walk.number();
      break;
    case DW_LLE_default_location:
      break;
    case DW_LLE_base_address:
      operands = walk.fixed(8).has_value();
      has_expression = false;
      break;
    case DW_LLE_start_end:
      operands = walk.fixed(8) && walk.fixed(8);
      break;
    case DW_LLE_start_length:
      operands = walk.fixed(8) && walk.number();
      break;
    default:
      return true; // libdw stops there
    }
    if (!operands || (has_expression && !walk.expression(is_gnus ? walk.fixed(2) : walk.number())))
      return false;
  }
}

/// Where a list begins that is named by its number in the unit's table.
std::optional<std::uint64_t> indexed_offset(Dwarf_Attribute &attribute, Unit &unit, Bytes section) {
  Dwarf_Word index = 0;
  Dwarf_Word base = unit.offset_size == 8 ? 20 : 12; // of a split unit: behind the table's header
  Dwarf_Attribute found;
  if (dwarf_formudata(&attribute, &index) != 0)
    return std::nullopt;
  if (dwarf_attr(&unit.die, DW_AT_loclists_base, &found) && dwarf_formudata(&found, &base) != 0)
    return std::nullopt;
  if (base > section.size() || index > (section.size() - base) / unit.offset_size)
    return std::nullopt;
  const auto offset = Walk(section.subspan(base + index * unit.offset_size), unit.offset_size).fixed(unit.offset_size);
  return offset ? std::optional(base + *offset) : std::nullopt;
}

} // namespace

bool holds_whole_list(Dwarf_Attribute &attribute) {
  const unsigned form = dwarf_whatform(&attribute);
  if (form != DW_FORM_sec_offset && form != DW_FORM_loclistx && form != DW_FORM_data4 && form != DW_FORM_data8)
    return true;
  auto unit = unit_of(attribute);
  if (!unit)
    return true;
  const bool is_new = unit->version >= 5;
  const Bytes section =
      section_of(dwarf_cu_getdwarf(attribute.cu), is_new ? (unit->split ? ".debug_loclists.dwo" : ".debug_loclists")
                                                         : (unit->split ? ".debug_loc.dwo" : ".debug_loc"));
  Dwarf_Word plain = 0;
  const auto offset = form == DW_FORM_loclistx                   ? indexed_offset(attribute, *unit, section)
                      : dwarf_formudata(&attribute, &plain) == 0 ? std::optional(plain)
                                                                 : std::nullopt;
  if (section.empty() || !offset || *offset > section.size())
    return true; // libdw says so
  const Walk walk(section.subspan(*offset), unit->offset_size);
  return is_new || unit->split ? new_list_is_whole(walk, !is_new) : old_list_is_whole(walk);
}

} // namespace inspect
