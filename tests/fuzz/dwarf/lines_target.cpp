// Line number programs of DWARF 2 to 5.
#include "dwarf/symbolize/line_header.h"
#include "dwarf/symbolize/line_table.h"
#include "tests/fuzz/fuzz_module.h"
#include "tests/fuzz/fuzz_target.h"

#include <dwarf.h>

namespace inspect::test {
namespace {

constexpr std::size_t max_lines_size = 16'000;

/// A unit whose lines begin at the start of .debug_line.
class UnitOfLines {
public:
  UnitOfLines() {
    DwarfWriter dwarf(5);
    dwarf.abbreviation(
        1, DW_TAG_compile_unit,
        {{DW_AT_name, DW_FORM_string}, {DW_AT_comp_dir, DW_FORM_string}, {DW_AT_stmt_list, DW_FORM_sec_offset}});
    dwarf.begin_unit(DW_UT_compile).leb(1).string("made.c").string("/build").u32(0);
    dwarf.lines.u64(0); // libdw gives no offset into a section that is not there
    ElfWriter elf;
    elf.load(".text", 0x401000, std::string(64, '\x90'), PF_X);
    dwarf.write_to(elf);
    module_ = open_fuzz_module(elf.text());
    fuzz_check(module_ != nullptr && module_->dwarf() != nullptr, "the unit around the lines is sound");
    Dwarf_CU *unit = nullptr;
    dwarf_get_units(module_->dwarf(), unit, &unit, nullptr, nullptr, &root_, nullptr);
  }
  Dwarf_Die root() const { return root_; }

private:
  std::unique_ptr<Module> module_;
  Dwarf_Die root_{};
};

bool run_lines(std::span<const std::byte> bytes) {
  static const UnitOfLines unit;
  FuzzInput input(bytes);
  const FuzzSections sections = FuzzSections::take(input);
  const auto span_of = [&](std::string_view name) { return std::as_bytes(std::span(sections.find(name))); };
  const LineSections lines{span_of(".debug_line"), span_of(".debug_line_str"), span_of(".debug_str")};
  LineBudget budget;
  LineTable table(unit.root(), lines, budget);
  std::size_t found = 0;
  for (const LinkAddress address : sections.addresses())
    found += table.at(address).has_value() ? 1 : 0;
  static_cast<void>(table.at(LinkAddress{0}));
  for (const std::uint64_t file : {std::uint64_t{0}, std::uint64_t{1}, std::uint64_t{7}, ~std::uint64_t{0}})
    static_cast<void>(table.file(file));
  const auto files = source_files(unit.root(), lines);
  // Tables of other units stand behind.
  for (std::uint64_t offset = 1; offset < lines.line.size() && offset < 64; offset += 13)
    static_cast<void>(LineHeader::read(lines, offset));
  return found > 0 && !files.empty();
}

std::vector<std::string> lines_seeds() {
  std::vector<std::string> seeds =
      fixture_sections({"lines_nested", "names_gcc", "names_clang", "values_c", "values_c_clang", "unwind_clang"},
                       max_lines_size, {".debug_line", ".debug_line_str"});
  // DWARF 3: one file, rows by special and by extended opcodes.
  DwarfWriter dwarf(3);
  const std::size_t length = dwarf.begin_length(dwarf.lines);
  dwarf.lines.u16(3);
  const std::size_t header = dwarf.begin_length(dwarf.lines);
  dwarf.lines.u8(1).u8(1).u8(0xfb).u8(14).u8(13).raw(std::string_view("\0\1\1\1\1\0\0\0\1\0\0\1", 12));
  dwarf.lines.string("dir").u8(0).string("a.c").leb(1).leb(0).leb(0).u8(0);
  dwarf.end_length(dwarf.lines, header);
  dwarf.lines.u8(0)
      .leb(9)
      .u8(DW_LNE_set_address)
      .u64(0x401000)
      .u8(0x4b)
      .u8(DW_LNS_advance_pc)
      .leb(4)
      .u8(DW_LNS_advance_line)
      .signed_leb(-2);
  dwarf.lines.u8(DW_LNS_copy)
      .u8(DW_LNS_const_add_pc)
      .u8(DW_LNS_fixed_advance_pc)
      .u16(8)
      .u8(0x20)
      .u8(0)
      .leb(1)
      .u8(DW_LNE_end_sequence);
  dwarf.end_length(dwarf.lines, length);
  seeds.push_back(FuzzSeed()
                      .number(0x401000, 6)
                      .part(std::string(32, '\x90'))
                      .number(0, 6)
                      .number(5, 1)
                      .part(dwarf.lines.text())
                      .text());
  return seeds;
}

const RegisteredFuzzTarget lines_target{
    {.name = "lines", .run = run_lines, .seeds = lines_seeds, .rounds = 300, .max_size = max_lines_size}};

} // namespace
} // namespace inspect::test
