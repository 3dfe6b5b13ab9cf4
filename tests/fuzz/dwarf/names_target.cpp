// Names in DWARF as plain bytes: units, DIEs, .debug_names, .gdb_index, .dwp packages.
// What is collected makes a table, which is read again, as inspect reads what inspect-dwarfindex wrote.
#include "dwarf/raw/elf/debug_sections.h"
#include "dwarf/raw/names/accelerator_tables.h"
#include "dwarf/raw/names/name_spelling.h"
#include "dwarf/raw/names/name_table.h"
#include "dwarf/raw/names/name_walk.h"
#include "dwarf/raw/units/package_index.h"
#include "tests/fuzz/fuzz_sections.h"
#include "tests/fuzz/fuzz_target.h"

namespace inspect::test {
namespace {

constexpr std::size_t max_names_size = 30'000;

DebugSections debug_sections_of(const FuzzSections &sections, bool split) {
  const auto bytes = [&](std::string_view name, std::string_view split_name) {
    return std::as_bytes(std::span(sections.find(split ? split_name : name)));
  };
  DebugSections made;
  made.split = split;
  made.info = bytes(".debug_info", ".debug_info.dwo");
  made.types = bytes(".debug_types", "");
  made.abbreviations = bytes(".debug_abbrev", ".debug_abbrev.dwo");
  made.strings = bytes(".debug_str", ".debug_str.dwo");
  made.string_offsets = bytes(".debug_str_offsets", ".debug_str_offsets.dwo");
  made.line_strings = bytes(".debug_line_str", "");
  made.addresses = bytes(".debug_addr", "");
  made.names = bytes(".debug_names", "");
  made.gdb_index = bytes(".gdb_index", "");
  made.unit_index = bytes("", ".debug_cu_index");
  made.type_index = bytes("", ".debug_tu_index");
  return made;
}

void read_package(const DebugSections &package) {
  const PackageIndex index(package);
  std::size_t seen = 0;
  for (const std::uint64_t signature : index.type_signatures())
    if (++seen < 100)
      static_cast<void>(index.type_unit(signature));
  for (const UnitHeader &unit : unit_headers(package)) {
    if (const auto part = index.unit(unit.signature))
      fuzz_check(part->info.size() <= package.info.size(), "a part of a package lies in it");
  }
}

bool run_names(std::span<const std::byte> bytes) {
  FuzzInput input(bytes);
  const FuzzSections sections = FuzzSections::take(input);
  const DebugSections program = debug_sections_of(sections, false);
  const DebugSections split = debug_sections_of(sections, true);
  NameTableBuilder builder;
  std::size_t names = 0;
  const auto keep = [&](const NameRecord &record) {
    ++names;
    builder.add(record);
  };
  NameWalk walk(program, &split);
  NameWalk::TypeNames types;
  walk.collect_types(types);
  walk.know_types(&types);
  walk.all(keep);
  NameWalk split_walk(split);
  split_walk.place_in(NameSection::split_info, 11);
  split_walk.all(keep);
  read_accelerator_tables(program, walk.units(), keep);
  read_package(split);
  const auto table = NameTable::of(builder.finish({}));
  fuzz_check(table.has_value(), "a table of names that was made can be read");
  std::size_t read = 0;
  table->all([&](const NameRecord &record) {
    if (++read % 8 != 0)
      return true;
    bool found = false;
    table->each(name_key(record.name, (record.flags & name_is_go) != 0),
                [&](const NameRecord &other) { found |= other.name == record.name; });
    fuzz_check(found, "a name in a table is found by its key");
    return true;
  });
  return names > 0;
}

std::vector<std::string> names_seeds() {
  return fixture_sections(
      {"names_gcc", "names_clang", "names_gcc_types", "names_gcc_types5", "names_gdb_index", "names_debug_names",
       "names_lld_gdb_index", "lines_clang_package5.dwp", "handmade_locations"},
      max_names_size,
      {".debug_info", ".debug_abbrev", ".debug_str", ".debug_line_str", ".debug_str_offsets", ".debug_types",
       ".debug_addr", ".debug_names", ".gdb_index", ".debug_info.dwo", ".debug_abbrev.dwo", ".debug_str.dwo",
       ".debug_cu_index", ".debug_tu_index", ".debug_str_offsets.dwo"});
}

const RegisteredFuzzTarget names_target{{.name = "names",
                                         .run = run_names,
                                         .seeds = names_seeds,
                                         .rounds = 100,
                                         .max_size = max_names_size,
                                         .missing = "the fixtures names_* were not built"}};

} // namespace
} // namespace inspect::test
