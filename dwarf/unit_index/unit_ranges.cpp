#include "dwarf/unit_index/unit_ranges.h"

#include "dwarf/die/die.h"
#include "dwarf/elf/range_table.h"
#include "dwarf/raw/elf/debug_pages.h"
#include "dwarf/raw/elf/elf_image.h"
#include "machine/cancellation_point.h"

#include <dwarf.h>
#include <unordered_set>

namespace inspect {
namespace {

/// A program linked with one section per function lists each function in its unit's root DIE.
constexpr std::size_t max_ranges_of_unit = 16'000'000;

/// What reading the start of one unit brings in: the kernel maps the pages around the one touched.
constexpr std::uint64_t touched_per_unit = 64 << 10;

/// Size of .debug_info as the file has it; compressed counts as compressed, since then the walk is cheap as well.
std::uint64_t debug_info_size(Dwarf *dwarf) {
  for (const ImageSection &section : sections_of(dwarf_getelf(dwarf)))
    if (section.name == ".debug_info" || section.name == ".zdebug_info")
      return section.header.sh_size;
  return 0;
}

} // namespace

struct UnitRanges::State {
  Dwarf *dwarf;
  UnitRangeProvider provider;
  std::uint64_t large;
  DebugPages pages;
  RangeTable<std::uint64_t> table;
  std::vector<std::uint64_t> unnamed; ///< units that may have code and that .debug_aranges does not name
  bool has_aranges = false;
  bool has_all = false;

  /// Visits the root DIEs of all units that may have code. libdw reads the headers of all units before the one that
  /// holds an offset anyway; done here, the pages that this touches are given back on the way.
  std::vector<std::uint64_t> unit_offsets() {
    std::vector<std::uint64_t> offsets;
    Dwarf_CU *unit = nullptr;
    Dwarf_Die root;
    std::uint8_t type = 0;
    while (dwarf_get_units(dwarf, unit, &unit, nullptr, &type, &root, nullptr) == 0) {
      cancellation_point();
      pages.used(touched_per_unit);
      if (type == DW_UT_compile || type == DW_UT_skeleton || type == DW_UT_partial)
        offsets.push_back(dwarf_dieoffset(&root));
    }
    return offsets;
  }

  void load_aranges() {
    unnamed = unit_offsets();
    has_aranges = true; // not if it was cancelled
    Dwarf_Aranges *aranges = nullptr;
    std::size_t count = 0;
    if (dwarf_getaranges(dwarf, &aranges, &count) != 0)
      return;
    std::unordered_set<std::uint64_t> named;
    for (std::size_t i = 0; i < count; ++i) {
      Dwarf_Addr begin = 0;
      Dwarf_Word length = 0;
      Dwarf_Off unit = 0;
      if (dwarf_getarangeinfo(dwarf_onearange(aranges, i), &begin, &length, &unit) != 0 || begin == 0)
        continue;
      table.add({LinkAddress{begin}, LinkAddress{begin + length}}, unit);
      named.insert(unit);
    }
    std::erase_if(unnamed, [&](std::uint64_t unit) { return named.contains(unit); });
  }

  void load_unnamed() {
    if (!unnamed.empty())
      add_unnamed();
    has_all = true; // not if it was cancelled
  }

  void add_unnamed() {
    if (provider && debug_info_size(dwarf) >= large) {
      if (const std::optional<std::vector<UnitRange>> indexed = provider()) {
        for (const UnitRange &unit : *indexed)
          table.add(unit.range, unit.unit_offset);
        return;
      }
    }
    for (const std::uint64_t offset : unnamed) {
      Dwarf_Die root;
      if (!dwarf_offdie(dwarf, offset, &root))
        continue;
      each_range(root, max_ranges_of_unit, [&](LinkRange range) { table.add(range, offset); });
      pages.used(touched_per_unit);
    }
  }
};

UnitRanges::UnitRanges(Dwarf *dwarf, UnitRangeProvider provider, std::uint64_t large)
    : state_(
          std::make_unique<State>(State{dwarf, std::move(provider), large, DebugPages(dwarf_getelf(dwarf)), {}, {}})) {}

UnitRanges::~UnitRanges() = default;

std::optional<std::uint64_t> UnitRanges::unit_at(LinkAddress address) {
  if (!state_->has_aranges)
    state_->load_aranges();
  std::optional<std::uint64_t> unit = state_->table.at(address);
  if (!unit && !state_->has_all) {
    state_->load_unnamed();
    unit = state_->table.at(address);
  }
  return unit;
}

} // namespace inspect
