// Files that ask for more than there can be: sparse tables, sections that unpack to a thousand times their size,
// headers that count billions. What is sound beside it is still read, and what is missing is said.
#include "dwarf/raw/elf/section_limits.h"

#include "dwarf/module/module.h"
#include "dwarf/raw/elf/elf_image.h"
#include "dwarf/symbolize/line_resolver.h"
#include "dwarf/symbolize/line_table.h"
#include "dwarf/symbols/symbol_table.h"
#include "machine/cancellation_point.h"
#include "tests/dwarf/memory_of_self.h"
#include "tests/dwarf/toolchain.h"
#include "tests/support/catch.h"
#include "tests/support/elf_writer.h"
#include "tests/support/skip.h"

#include <cstring>
#include <dwarf.h>
#include <fmt/format.h>
#include <fstream>
#include <sys/resource.h>
#include <unistd.h>
#include <zlib.h>

namespace inspect::test {
namespace {

constexpr std::uint64_t limits_code = 0x401000;
const LocalFiles limits_files;

std::string compressed(const std::string &plain, std::uint64_t said) {
  uLongf size = ::compressBound(plain.size());
  std::string packed(size, '\0');
  REQUIRE(::compress2(reinterpret_cast<Bytef *>(packed.data()), &size, reinterpret_cast<const Bytef *>(plain.data()),
                      plain.size(), Z_BEST_COMPRESSION) == Z_OK);
  packed.resize(size);
  ByteWriter section;
  section.u32(ELFCOMPRESS_ZLIB).u32(0).u64(said).u64(1).raw(packed);
  return section.text();
}

/// Changes a section header of a file's text, by the section's name.
void change_section(std::string &file, std::string_view name, const std::function<void(Elf64_Shdr &)> &change) {
  Elf64_Ehdr header;
  std::memcpy(&header, file.data(), sizeof header);
  const auto at = [&](std::uint64_t index) { return header.e_shoff + index * sizeof(Elf64_Shdr); };
  Elf64_Shdr names;
  std::memcpy(&names, file.data() + at(header.e_shstrndx), sizeof names);
  for (std::uint64_t i = 0; i < header.e_shnum; ++i) {
    Elf64_Shdr section;
    std::memcpy(&section, file.data() + at(i), sizeof section);
    if (file.c_str() + names.sh_offset + section.sh_name != name)
      continue;
    change(section);
    std::memcpy(file.data() + at(i), &section, sizeof section);
    return;
  }
  FAIL("there is no section " << name);
}

/// One unit with one function, "served", in a file of one section .text.
void add_unit(DwarfWriter &dwarf) {
  dwarf.abbreviation(1, DW_TAG_compile_unit,
                     {{DW_AT_name, DW_FORM_string},
                      {DW_AT_low_pc, DW_FORM_addr},
                      {DW_AT_high_pc, DW_FORM_data4},
                      {DW_AT_stmt_list, DW_FORM_sec_offset}},
                     true);
  dwarf.abbreviation(2, DW_TAG_subprogram,
                     {{DW_AT_name, DW_FORM_string}, {DW_AT_low_pc, DW_FORM_addr}, {DW_AT_high_pc, DW_FORM_data4}});
  ByteWriter &info = dwarf.begin_unit(DW_UT_compile);
  info.leb(1).string("made.c").u64(limits_code).u32(0x100);
  dwarf.offset(info, 0);
  info.leb(2).string("served").u64(limits_code).u32(0x100).leb(0);
}

/// A line program of version 4 that repeats `operations` and ends.
std::string line_program(std::string_view operations, std::size_t times) {
  ByteWriter body;
  ByteWriter header;
  header.u8(1).u8(1).u8(1).u8(0xfb).u8(14).u8(10); // line_base -5, line_range 14, opcode_base 10
  for (const int operands : {0, 1, 1, 1, 1, 0, 0, 0, 1})
    header.u8(static_cast<std::uint64_t>(operands));
  header.u8(0).string("made.c").leb(0).leb(0).leb(0).u8(0);
  body.u16(4).u32(header.size()).raw(header.text());
  body.u8(0).leb(9).u8(DW_LNE_set_address).u64(limits_code);
  std::string repeated;
  repeated.reserve(operations.size() * times);
  for (std::size_t i = 0; i < times; ++i)
    repeated += operations;
  body.raw(repeated);
  body.u8(0).leb(1).u8(DW_LNE_end_sequence);
  return ByteWriter().u32(body.size()).raw(body.text()).text();
}

std::uint64_t peak_kilobytes() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  return static_cast<std::uint64_t>(usage.ru_maxrss);
}

bool says(const std::vector<std::string> &warnings, std::string_view first, std::string_view second) {
  for (const std::string &warning : warnings)
    if (warning.find(first) != std::string::npos && warning.find(second) != std::string::npos)
      return true;
  return false;
}

std::unique_ptr<Module> module_of(const TemporaryDirectory &folder, const std::string &text) {
  auto module = open_file(folder.write("made", text), limits_files);
  REQUIRE(module);
  return std::move(*module);
}

/// With a unit whose line table is compressed.
std::string file_with_compressed_lines(const std::string &lines) {
  ElfWriter elf;
  elf.load(".text", limits_code, std::string(0x100, '\x90'), PF_X);
  DwarfWriter dwarf(4);
  add_unit(dwarf);
  dwarf.write_to(elf);
  elf.section(".debug_line", compressed(lines, lines.size()));
  std::string text = elf.text();
  change_section(text, ".debug_line", [](Elf64_Shdr &section) { section.sh_flags |= SHF_COMPRESSED; });
  return text;
}

} // namespace

TEST_CASE("a line table that unpacks to a thousand times its size is left out and said; functions are there") {
  // A row of the next line and address for each byte.
  const std::string lines = line_program("\x21", 100 << 20);
  const std::string text = file_with_compressed_lines(lines);
  CHECK(text.size() < (1 << 20));
  const TemporaryDirectory folder;
  const auto module = module_of(folder, text);
  const auto frames = lines_of(*module).at(LinkAddress{limits_code + 8});
  REQUIRE(frames.size() == 1);
  CHECK(frames[0].function == "served");
  CHECK(frames[0].line == 0);
  const auto warnings = module->take_warnings();
  CHECK(says(warnings, ".debug_line", "unpacks to"));
  CHECK(says(warnings, folder / "made", "is not read"));
}

TEST_CASE("a compressed section that is what it says is read") {
  const std::string lines = line_program("\x21", 16);
  const std::string text = file_with_compressed_lines(lines);
  const TemporaryDirectory folder;
  const auto module = module_of(folder, text);
  const auto frames = lines_of(*module).at(LinkAddress{limits_code + 1});
  REQUIRE(frames.size() == 1);
  CHECK(frames[0].line != 0);
  CHECK(module->take_warnings().empty());
}

TEST_CASE("a line table with more rows than any unit has is cut, and that is said") {
  ElfWriter elf;
  elf.load(".text", limits_code, std::string(0x100, '\x90'), PF_X);
  DwarfWriter dwarf(4);
  add_unit(dwarf);
  dwarf.write_to(elf);
  elf.section(".debug_line", line_program("\x21", max_line_rows + 100));
  const TemporaryDirectory folder;
  const auto module = module_of(folder, elf.text());
  const auto frames = lines_of(*module).at(LinkAddress{limits_code + 8});
  REQUIRE(frames.size() == 1);
  CHECK(frames[0].function == "served");
  CHECK(says(module->take_warnings(), folder / "made", "lines are missing"));
}

TEST_CASE("a symbol table that is a hole of a sparse file is left out and said; .dynsym is there") {
  ElfWriter elf;
  elf.load(".text", limits_code, std::string(0x100, '\x90'), PF_X);
  elf.symbol("served", limits_code, 0x100);
  std::string text = elf.text();
  // The table that the writer made, as the dynamic one, and another one behind the end of the file.
  constexpr std::uint64_t hole = std::uint64_t{48} << 30;
  elf.section(".hole", "x");
  text = elf.text();
  change_section(text, ".symtab", [](Elf64_Shdr &section) { section.sh_type = SHT_DYNSYM; });
  std::uint64_t names = 0;
  change_section(text, ".symtab", [&](Elf64_Shdr &section) { names = section.sh_link; });
  change_section(text, ".hole", [&](Elf64_Shdr &section) {
    section.sh_type = SHT_SYMTAB;
    section.sh_entsize = sizeof(Elf64_Sym);
    section.sh_link = static_cast<Elf64_Word>(names);
    section.sh_size = hole / sizeof(Elf64_Sym) * sizeof(Elf64_Sym);
  });
  const TemporaryDirectory folder;
  const std::string path = folder.write("made", text);
  if (::truncate(path.c_str(), static_cast<off_t>(hole + text.size())) != 0)
    SKIP_TEST("this file system takes no sparse files of 48 GB");
  auto module = open_file(path, limits_files);
  REQUIRE(module);
  const auto symbol = symbols_of(**module).at(LinkAddress{limits_code + 8});
  REQUIRE(symbol);
  CHECK(symbol->name == "served");
  CHECK(says((*module)->take_warnings(), ".hole", "on disk"));
  CHECK(peak_kilobytes() < (8 << 20));
}

TEST_CASE("a header that counts four billion sections is refused before libelf keeps a record of each") {
  ElfWriter elf;
  elf.load(".text", limits_code, std::string(0x100, '\x90'), PF_X);
  std::string text = elf.text();
  Elf64_Ehdr header;
  std::memcpy(&header, text.data(), sizeof header);
  header.e_shnum = 0;
  std::memcpy(text.data(), &header, sizeof header);
  Elf64_Shdr first;
  std::memcpy(&first, text.data() + header.e_shoff, sizeof first);
  first.sh_size = 0xffff'ffff;
  std::memcpy(text.data() + header.e_shoff, &first, sizeof first);
  const TemporaryDirectory folder;
  const std::string path = folder.write("made", text);
  if (::truncate(path.c_str(), off_t{0x1'0000'0000} * static_cast<off_t>(sizeof(Elf64_Shdr))) != 0)
    SKIP_TEST("this file system takes no sparse files of 256 GB");
  auto opened = limits_files.open(path);
  REQUIRE(opened);
  const auto image = ElfImage::from_file(std::move(opened->descriptor), path);
  REQUIRE_FALSE(image);
  CHECK(image.error().kind() == ErrorKind::corrupt);
}

TEST_CASE("a debug file of four terabytes is refused without its checksum, a smaller one can be cancelled") {
  const TemporaryDirectory folder;
  const std::string program = build(folder, "a.c", "int main(void) { return 0; }\n", "gcc -g -Wl,--build-id=none");
  const std::string debug = folder / "a.debug";
  run(fmt::format("cd {} && objcopy --only-keep-debug a.out a.debug && strip -g a.out && "
                  "objcopy --add-gnu-debuglink=a.debug a.out",
                  folder.path()));
  const auto reopened = [&] {
    auto module = open_file(program, limits_files);
    REQUIRE(module);
    return std::move(*module);
  };
  CHECK(reopened()->dwarf() != nullptr);
  for (const off_t size : {off_t{4} << 40, off_t{5} << 30}) {
    if (::truncate(debug.c_str(), size) != 0)
      SKIP_TEST("this file system takes no sparse files of 4 TB");
    const auto module = reopened();
    CHECK(module->dwarf() == nullptr);
    CHECK(says(module->take_warnings(), "a.debug", "larger than"));
  }
  REQUIRE(::truncate(debug.c_str(), off_t{3} << 30) == 0);
  const auto module = reopened();
  Cancellation cancellation;
  cancellation.request();
  {
    const CancellationScope scope(&cancellation);
    CHECK_THROWS_AS(module->dwarf(), Cancelled);
  }
  // Nothing was decided by that: the next who asks searches again.
  REQUIRE(::truncate(debug.c_str(), 100) == 0);
  CHECK(module->dwarf() == nullptr);
  CHECK(module->debug_info_reason().find("no debugging information") != std::string::npos);
}

} // namespace inspect::test
