// Forms of DWARF that no compiler here writes, and DWARF that none would: made byte by byte.
#include "dwarf/raw/names/name_walk.h"

#include "dwarf/symbolize/line_resolver.h"
#include "tests/dwarf/memory_of_self.h"
#include "tests/dwarf/toolchain.h"
#include "tests/support/catch.h"
#include "tests/support/elf_writer.h"

#include <dwarf.h>
#include <fmt/format.h>
#include <set>

namespace inspect::test {
namespace {

constexpr std::uint64_t code_begin = 0x401000;
constexpr std::uint64_t code_size = 0x100;
constexpr std::uint64_t function_size = 0x10;

const LocalFiles files;

/// One file with this DWARF, seen by those who read plain bytes and by those who ask libdw.
class MadeFile {
public:
  explicit MadeFile(DwarfWriter &dwarf) {
    ElfWriter elf;
    elf.load(".text", code_begin, std::string(code_size, '\x90'), PF_X);
    dwarf.write_to(elf);
    const std::string path = folder_.write("made", elf.text());
    auto opened = open_file(path, files);
    REQUIRE(opened);
    module_ = std::move(*opened);
    sections_ = DebugSections::of(module_->image());
  }
  const DebugSections &sections() const { return sections_; }

  /// Functions with code, as the walk over plain bytes names them.
  std::set<std::string> functions() const {
    std::set<std::string> names;
    NameWalk walk(sections_);
    walk.all([&](const NameRecord &record) {
      if (record.kind == NameKind::function && (record.flags & name_has_code) != 0)
        names.emplace(record.name);
    });
    return names;
  }
  /// The function at an address, as libdw finds it; empty: none.
  std::string function_at(std::uint64_t address) {
    const auto frames = lines_of(*module_).at(LinkAddress{address});
    return frames.empty() ? std::string() : frames.back().function;
  }

  std::string line_at(std::uint64_t address) {
    const auto frames = lines_of(*module_).at(LinkAddress{address});
    return frames.empty() ? ":0" : fmt::format("{}:{}", frames.back().file, frames.back().line);
  }

private:
  TemporaryDirectory folder_;
  std::unique_ptr<Module> module_;
  DebugSections sections_;
};

/// Root 1 and functions 2 whose names and addresses are in the DIEs.
void add_plain_abbreviations(DwarfWriter &dwarf) {
  dwarf.abbreviation(1, DW_TAG_compile_unit,
                     {{DW_AT_name, DW_FORM_string}, {DW_AT_low_pc, DW_FORM_addr}, {DW_AT_high_pc, DW_FORM_addr}}, true);
  dwarf.abbreviation(2, DW_TAG_subprogram,
                     {{DW_AT_name, DW_FORM_string}, {DW_AT_low_pc, DW_FORM_addr}, {DW_AT_high_pc, DW_FORM_addr}});
}

void add_plain_unit(DwarfWriter &dwarf, std::uint64_t begin, std::string_view function) {
  ByteWriter &info = dwarf.begin_unit(DW_UT_compile);
  info.leb(1).string("made.c").u64(begin).u64(begin + function_size);
  info.leb(2).string(function).u64(begin).u64(begin + function_size);
  info.u8(0);
}

TEST_CASE("units of every version, in 32-bit and in 64-bit DWARF, are read alike from bytes and by libdw") {
  for (const bool wide : {false, true})
    for (unsigned version = wide ? 3 : 2; version <= 5; ++version) { // version 2 knows no 64-bit DWARF
      INFO(fmt::format("version {}, {}", version, wide ? "64-bit" : "32-bit"));
      DwarfWriter dwarf(version, {.wide = wide});
      add_plain_abbreviations(dwarf);
      add_plain_unit(dwarf, code_begin, "first");
      add_plain_unit(dwarf, code_begin + function_size, "second");
      MadeFile file(dwarf);
      const auto units = unit_headers(file.sections());
      REQUIRE(units.size() == 2);
      for (const UnitHeader &unit : units) {
        CHECK(unit.version == version);
        CHECK(unit.type == DW_UT_compile);
        CHECK(unit.offset_size == (wide ? 8 : 4));
        CHECK(unit.address_size == 8);
      }
      CHECK(units[1].offset == units[0].end);
      CHECK(file.functions() == std::set<std::string>{"first", "second"});
      CHECK(file.function_at(code_begin + 1) == "first");
      CHECK(file.function_at(code_begin + function_size + 1) == "second");
    }
}

TEST_CASE("names by every indexed form of strings are found") {
  for (const bool wide : {false, true}) {
    INFO((wide ? "64-bit" : "32-bit"));
    DwarfWriter dwarf(5, {.wide = wide});
    const std::array<unsigned, 5> forms = {DW_FORM_strx, DW_FORM_strx1, DW_FORM_strx2, DW_FORM_strx3, DW_FORM_strx4};
    const std::size_t length = dwarf.begin_length(dwarf.string_offsets);
    const std::uint64_t base = dwarf.string_offsets.u16(5).u16(0).size();
    std::set<std::string> expected;
    for (std::size_t i = 0; i < forms.size(); ++i) {
      const std::string name = fmt::format("by_form_{:x}", forms[i]);
      dwarf.offset(dwarf.string_offsets, dwarf.strings.size());
      dwarf.strings.string(name);
      expected.insert(name);
      dwarf.abbreviation(static_cast<unsigned>(2 + i), DW_TAG_subprogram,
                         {{DW_AT_name, forms[i]}, {DW_AT_low_pc, DW_FORM_addr}, {DW_AT_high_pc, DW_FORM_data1}});
    }
    dwarf.end_length(dwarf.string_offsets, length);
    dwarf.abbreviation(
        1, DW_TAG_compile_unit,
        {{DW_AT_str_offsets_base, DW_FORM_sec_offset}, {DW_AT_low_pc, DW_FORM_addr}, {DW_AT_high_pc, DW_FORM_data4}},
        true);
    ByteWriter &info = dwarf.begin_unit(DW_UT_compile);
    dwarf.offset(info.leb(1), base);
    info.u64(code_begin).u32(code_size);
    for (std::size_t i = 0; i < forms.size(); ++i)
      info.leb(2 + i).number(i, i == 0 ? 1 : i).u64(code_begin + i * function_size).u8(function_size);
    info.u8(0);
    MadeFile file(dwarf);
    CHECK(file.functions() == expected);
    for (std::size_t i = 0; i < forms.size(); ++i)
      CHECK(file.function_at(code_begin + i * function_size + 1) == fmt::format("by_form_{:x}", forms[i]));
  }
}

TEST_CASE("functions whose addresses are in a table are found by every form of its indexes") {
  DwarfWriter dwarf(5);
  const std::array<unsigned, 5> forms = {DW_FORM_addrx, DW_FORM_addrx1, DW_FORM_addrx2, DW_FORM_addrx3, DW_FORM_addrx4};
  const std::size_t length = dwarf.begin_length(dwarf.addresses);
  const std::uint64_t base = dwarf.addresses.u16(5).u8(8).u8(0).size();
  std::set<std::string> expected;
  for (std::size_t i = 0; i < forms.size(); ++i) {
    dwarf.addresses.u64(code_begin + i * function_size);
    expected.insert(fmt::format("by_form_{:x}", forms[i]));
    dwarf.abbreviation(static_cast<unsigned>(2 + i), DW_TAG_subprogram,
                       {{DW_AT_name, DW_FORM_string}, {DW_AT_low_pc, forms[i]}, {DW_AT_high_pc, DW_FORM_data1}});
  }
  dwarf.end_length(dwarf.addresses, length);
  dwarf.abbreviation(
      1, DW_TAG_compile_unit,
      {{DW_AT_addr_base, DW_FORM_sec_offset}, {DW_AT_low_pc, DW_FORM_addr}, {DW_AT_high_pc, DW_FORM_data4}}, true);
  ByteWriter &info = dwarf.begin_unit(DW_UT_compile);
  dwarf.offset(info.leb(1), base);
  info.u64(code_begin).u32(code_size);
  for (std::size_t i = 0; i < forms.size(); ++i)
    info.leb(2 + i).string(fmt::format("by_form_{:x}", forms[i])).number(i, i == 0 ? 1 : i).u8(function_size);
  info.u8(0);
  MadeFile file(dwarf);
  CHECK(file.functions() == expected);
  for (std::size_t i = 0; i < forms.size(); ++i)
    CHECK(file.function_at(code_begin + i * function_size + 1) == fmt::format("by_form_{:x}", forms[i]));
}

/// Line 7 of src/made.c at the code's start, line 9 half-way.
void add_lines(DwarfWriter &dwarf, unsigned version) {
  ByteWriter &lines = dwarf.lines;
  const std::size_t length = dwarf.begin_length(lines);
  lines.u16(version);
  if (version >= 5)
    lines.u8(8).u8(0);
  const std::size_t header = dwarf.offset(lines, 0).size();
  lines.u8(1);
  if (version >= 4)
    lines.u8(1); // operations of an instruction
  lines.u8(1).u8(0xfb).u8(14).u8(13).raw({"\0\1\1\1\1\0\0\0\1\0\0\1", 12});
  if (version >= 5) {
    lines.u8(1).leb(DW_LNCT_path).leb(DW_FORM_string).leb(2).string("/build").string("src");
    // A checksum, which nobody wants, in front of the name.
    lines.u8(3).leb(DW_LNCT_MD5).leb(DW_FORM_data16).leb(DW_LNCT_path).leb(DW_FORM_string);
    lines.leb(DW_LNCT_directory_index).leb(DW_FORM_udata).leb(2);
    for (int i = 0; i < 2; ++i)
      lines.u64(1).u64(2).string("made.c").leb(1);
  } else {
    lines.string("src").u8(0).string("made.c").leb(1).leb(0).leb(0).u8(0);
  }
  lines.patch(header - dwarf.offset_size(), lines.size() - header, dwarf.offset_size());
  lines.u8(0).leb(9).u8(DW_LNE_set_address).u64(code_begin);
  lines.u8(DW_LNS_advance_line).signed_leb(6).u8(DW_LNS_copy);
  lines.u8(DW_LNS_advance_pc).leb(function_size / 2).u8(DW_LNS_advance_line).signed_leb(2).u8(DW_LNS_copy);
  lines.u8(DW_LNS_advance_pc).leb(function_size / 2).u8(0).leb(1).u8(DW_LNE_end_sequence);
  dwarf.end_length(lines, length);
}

TEST_CASE("line tables of every version say the same") {
  for (const bool wide : {false, true})
    for (unsigned version = wide ? 3 : 2; version <= 5; ++version) {
      INFO(fmt::format("version {}, {}", version, wide ? "64-bit" : "32-bit"));
      DwarfWriter dwarf(version, {.wide = wide});
      const unsigned offset_form = version >= 4 ? DW_FORM_sec_offset : wide ? DW_FORM_data8 : DW_FORM_data4;
      dwarf.abbreviation(1, DW_TAG_compile_unit,
                         {{DW_AT_name, DW_FORM_string},
                          {DW_AT_comp_dir, DW_FORM_string},
                          {DW_AT_stmt_list, offset_form},
                          {DW_AT_low_pc, DW_FORM_addr},
                          {DW_AT_high_pc, DW_FORM_addr}});
      ByteWriter &info = dwarf.begin_unit(DW_UT_compile);
      dwarf.offset(info.leb(1).string("made.c").string("/build"), 0).u64(code_begin).u64(code_begin + function_size);
      add_lines(dwarf, version);
      MadeFile file(dwarf);
      CHECK(file.line_at(code_begin) == "/build/src/made.c:7");
      CHECK(file.line_at(code_begin + function_size / 2 - 1) == "/build/src/made.c:7");
      CHECK(file.line_at(code_begin + function_size / 2) == "/build/src/made.c:9");
      CHECK(file.line_at(code_begin + function_size) == ":0");
    }
}

TEST_CASE("units that cannot be end the list of units, and those before them stay") {
  const auto units_with = [](const auto &change) {
    DwarfWriter dwarf(4);
    add_plain_abbreviations(dwarf);
    add_plain_unit(dwarf, code_begin, "first");
    const std::size_t second = dwarf.info.size();
    add_plain_unit(dwarf, code_begin + function_size, "second");
    ElfWriter unused;
    dwarf.write_to(unused); // ends the unit
    change(dwarf.info, second);
    MadeFile file(dwarf);
    static_cast<void>(file.function_at(code_begin + function_size + 1));
    const auto names = file.functions();
    CHECK(names.contains("first"));
    return unit_headers(file.sections()).size();
  };
  CHECK(units_with([](ByteWriter &, std::size_t) {}) == 2);
  CHECK(units_with([](ByteWriter &info, std::size_t at) { info.patch(at, 0, 4); }) == 1);           // no length
  CHECK(units_with([](ByteWriter &info, std::size_t at) { info.patch(at, 0xffff'fff3, 4); }) == 1); // reserved
  CHECK(units_with([](ByteWriter &info, std::size_t at) { info.patch(at, 0x7fff'ffff, 4); }) == 1); // beyond the end
  CHECK(units_with([](ByteWriter &info, std::size_t at) { info.patch(at + 4, 1, 2); }) == 1);       // version
  CHECK(units_with([](ByteWriter &info, std::size_t at) { info.patch(at + 4, 6, 2); }) == 1);
  CHECK(units_with([](ByteWriter &info, std::size_t at) { info.patch(at + 6, 0xffff, 4); }) == 1); // abbreviations
  CHECK(units_with([](ByteWriter &info, std::size_t at) { info.patch(at + 10, 3, 1); }) == 1);     // size of an address
}

TEST_CASE("malformed abbreviations and DIEs are read to some end, by us and by libdw") {
  const auto names_of = [](const auto &write) {
    DwarfWriter dwarf(5);
    add_plain_abbreviations(dwarf);
    write(dwarf);
    MadeFile file(dwarf);
    static_cast<void>(file.function_at(code_begin + 1));
    static_cast<void>(file.function_at(code_begin + code_size - 1));
    return file.functions();
  };
  const auto begin = [](DwarfWriter &dwarf) -> ByteWriter & {
    ByteWriter &info = dwarf.begin_unit(DW_UT_compile);
    info.leb(1).string("made.c").u64(code_begin).u64(code_begin + code_size);
    return info.leb(2).string("sound").u64(code_begin).u64(code_begin + function_size);
  };
  // A code that no abbreviation has, a form that DWARF does not know, one that leads to itself.
  CHECK(names_of([&](DwarfWriter &dwarf) { begin(dwarf).leb(77).string("lost"); }).size() <= 1);
  for (const unsigned form : {0x7fu, 0u, 0x1fffu, unsigned{DW_FORM_indirect}}) {
    INFO(form);
    const auto names = names_of([&](DwarfWriter &dwarf) {
      dwarf.abbreviation(3, DW_TAG_subprogram, {{DW_AT_name, form}, {DW_AT_low_pc, DW_FORM_addr}});
      begin(dwarf).leb(3).leb(DW_FORM_indirect).string("lost").u64(code_begin);
    });
    CHECK_FALSE(names.contains("lost"));
  }
  // A table that ends in the middle of an attribute, and a number that never ends.
  CHECK(names_of([&](DwarfWriter &dwarf) {
          dwarf.abbreviations.leb(3).leb(DW_TAG_subprogram).u8(0).leb(DW_AT_name).u8(0x80);
          begin(dwarf).leb(3).string("lost");
        }).size() <= 1);
  CHECK(names_of([&](DwarfWriter &dwarf) { begin(dwarf).raw(std::string(40, '\xff')); }).size() <= 1);
  // Children without an end, in each other.
  CHECK(names_of([&](DwarfWriter &dwarf) {
          dwarf.abbreviation(3, DW_TAG_namespace, {{DW_AT_name, DW_FORM_string}}, true);
          ByteWriter &info = begin(dwarf);
          for (int i = 0; i < 3000; ++i)
            info.leb(3).string("deep");
        }).contains("sound"));
  // References to the DIE itself and to nowhere.
  for (const std::uint64_t target : {std::uint64_t{0}, std::uint64_t{0xffff'ffff}, std::uint64_t{12}}) {
    CHECK(
        names_of([&](DwarfWriter &dwarf) {
          dwarf.abbreviation(3, DW_TAG_subprogram, {{DW_AT_specification, DW_FORM_ref4}, {DW_AT_low_pc, DW_FORM_addr}});
          ByteWriter &info = begin(dwarf);
          const std::uint64_t itself = info.size();
          info.leb(3).u32(target != 0 ? target : itself).u64(code_begin + 2 * function_size);
        }).contains("sound"));
  }
}

} // namespace
} // namespace inspect::test
