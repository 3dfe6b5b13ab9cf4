#include "dwarf/unit_index/unit_ranges.h"

#include "dwarf/elf/range_table.h"
#include "dwarf/raw/elf/debug_pages.h"
#include "tests/dwarf/dwarf_file.h"
#include "tests/support/catch.h"
#include "tests/support/skip.h"

#include <fstream>
#include <iterator>

namespace inspect {
namespace {

/// The truth, slowly: the first unit whose root DIE has the address.
std::optional<std::uint64_t> unit_by_walk(Dwarf *dwarf, LinkAddress address) {
  Dwarf_CU *unit = nullptr;
  Dwarf_Die root;
  while (dwarf_get_units(dwarf, unit, &unit, nullptr, nullptr, &root, nullptr) == 0)
    if (dwarf_haspc(&root, address.value) == 1)
      return dwarf_dieoffset(&root);
  return std::nullopt;
}

TEST_CASE("units are found with .debug_aranges and without") {
  for (const char *fixture : {"lines_gcc_dwarf4", "lines_gcc_dwarf5", "lines_gcc_split5", "lines_gcc_lto",
                              "lines_gcc_sections", "lines_clang_dwarf4", "lines_clang_dwarf5", "lines_clang_split4"}) {
    if (!fixture_exists(fixture))
      continue;
    INFO(fixture);
    const DwarfFile file(fixture_path(fixture));
    UnitRanges units(file.dwarf());
    int found = 0;
    int wrong = 0;
    for (const LinkAddress address : file.function_addresses(3)) {
      const std::optional<std::uint64_t> unit = units.unit_at(address);
      found += unit.has_value();
      wrong += unit != unit_by_walk(file.dwarf(), address);
    }
    CHECK(found > 500);
    CHECK(wrong == 0);
  }
}

TEST_CASE("the provider is asked once, and only where .debug_aranges does not name every unit") {
  const LinkAddress elsewhere{0x5000'0000};
  int asked = 0;
  const auto provider = [&] {
    ++asked;
    return std::optional(std::vector<UnitRange>{{{elsewhere, elsewhere + 16}, 77}});
  };
  const DwarfFile complete(fixture_path("lines_gcc_dwarf5"));
  UnitRanges named(complete.dwarf(), provider, 1);
  CHECK_FALSE(named.unit_at(elsewhere).has_value());
  CHECK(asked == 0);
  if (!fixture_exists("lines_clang_dwarf5"))
    SKIP_TEST("clang is not installed");
  const DwarfFile incomplete(fixture_path("lines_clang_dwarf5"));
  UnitRanges unnamed(incomplete.dwarf(), provider, 1);
  CHECK(unnamed.unit_at(elsewhere) == 77);
  CHECK_FALSE(unnamed.unit_at(elsewhere + 16).has_value());
  CHECK(asked == 1);
}

TEST_CASE("small files and failing providers are walked") {
  if (!fixture_exists("lines_clang_dwarf5"))
    SKIP_TEST("clang is not installed");
  const DwarfFile file(fixture_path("lines_clang_dwarf5"));
  int asked = 0;
  const auto nothing = [&]() -> std::optional<std::vector<UnitRange>> {
    ++asked;
    return std::nullopt;
  };
  UnitRanges small(file.dwarf(), nothing);
  UnitRanges large(file.dwarf(), nothing, 1);
  for (const LinkAddress address : file.function_addresses(7)) {
    CHECK(small.unit_at(address) == unit_by_walk(file.dwarf(), address));
    CHECK(large.unit_at(address) == unit_by_walk(file.dwarf(), address));
  }
  CHECK(asked == 1);
}

TEST_CASE("memory that is not a file's is never given back") {
  std::ifstream in(fixture_path("lines_gcc_dwarf5"), std::ios::binary);
  std::vector<char> bytes{std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
  const DwarfFile in_memory(std::move(bytes));
  CHECK(DebugPages(in_memory.elf()).mapped_sections() == 0);
  const DwarfFile mapped(fixture_path("lines_gcc_dwarf5"));
  DebugPages pages(mapped.elf());
  CHECK(pages.mapped_sections() > 0);
  UnitRanges units(mapped.dwarf());
  const LinkAddress address = mapped.function_addresses(1)[200];
  const std::optional<std::uint64_t> before = units.unit_at(address);
  pages.used(1ULL << 40);
  CHECK(unit_by_walk(mapped.dwarf(), address) == before);
}

LinkRange range(std::uint64_t begin, std::uint64_t end) {
  return {LinkAddress{begin}, LinkAddress{end}};
}

TEST_CASE("of ranges that overlap the shortest wins, wherever it begins") {
  RangeTable<int> table;
  table.add(range(100, 1000), 1);
  table.add(range(200, 300), 2);
  table.add(range(250, 260), 3);
  table.add(range(260, 260), 4);
  table.add(range(300, 200), 5);
  CHECK_FALSE(table.at(LinkAddress{99}));
  CHECK(table.at(LinkAddress{100}) == 1);
  CHECK(table.at(LinkAddress{255}) == 3);
  CHECK(table.at(LinkAddress{260}) == 2);
  CHECK(table.at(LinkAddress{999}) == 1);
  CHECK_FALSE(table.at(LinkAddress{1000}));
  table.add(range(1000, 1001), 6);
  CHECK(table.at(LinkAddress{1000}) == 6);
}

TEST_CASE("a table of overlapping ranges made to be slow is not") {
  RangeTable<int> table;
  for (std::uint64_t i = 1; i <= 200'000; ++i)
    table.add(range(i, 10'000'000), static_cast<int>(i));
  int answered = 0;
  for (std::uint64_t i = 0; i < 20'000; ++i)
    answered += table.at(LinkAddress{5'000'000 + i}).has_value();
  CHECK(answered == 20'000);
}

} // namespace
} // namespace inspect
