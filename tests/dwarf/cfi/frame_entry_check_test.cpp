// Tables whose rules libdw must not see, in every place where it finds them.
#include "dwarf/cfi/frame_entry_check.h"

#include "dwarf/cfi/cfi_table.h"
#include "tests/dwarf/memory_of_self.h"
#include "tests/dwarf/toolchain.h"
#include "tests/support/catch.h"
#include "tests/support/elf_writer.h"

#include <dwarf.h>

namespace inspect::test {
namespace {

constexpr std::uint64_t checked_code = 0x401000;
constexpr std::uint64_t function_size = 0x20;
constexpr std::uint64_t header_begin = 0x402000;
constexpr std::uint64_t header_space = 64;
constexpr std::uint64_t frames_begin = header_begin + header_space;
constexpr std::string_view no_such_register = "the unwind table names a register that no machine has";

const LocalFiles checked_files;

std::string sound_rules() {
  return ByteWriter().u8(DW_CFA_def_cfa).leb(7).leb(8).u8(DW_CFA_offset + 16).leb(1).text();
}

/// libdw would allocate 160 MB for it.
std::string greedy_rules() {
  return ByteWriter().u8(DW_CFA_offset_extended).leb(20'000'000).leb(1).text();
}

/// Of a header behind .eh_frame, in a page of its own.
constexpr std::uint64_t header_behind = 0x403000;

/// How libdw gets to the entries: one by one; by the search table, which a section or a program header leads to, the
/// latter also where there are sections (`behind`).
enum class Search { one_by_one, section, segment, behind };

struct Frames {
  std::string bytes;
  std::vector<std::uint64_t> fdes; ///< their offsets
};

/// Functions of 32 bytes one behind the other, each with a CIE of its own.
Frames frames_of(const std::vector<std::pair<std::string, std::string>> &rules) {
  Frames frames;
  EhFrameWriter writer;
  for (const auto &[of_cie, of_fde] : rules) {
    const std::size_t cie =
        writer.cie({.augmentation = "zR", .augmentation_data = std::string(1, '\0'), .instructions = of_cie});
    const std::uint64_t begin = checked_code + frames.fdes.size() * function_size;
    frames.fdes.push_back(writer.text().size() - 4); // without the terminator
    writer.fde(cie, begin, function_size, "", of_fde);
  }
  frames.bytes = writer.text();
  return frames;
}

std::uint64_t header_address(Search search) {
  return search == Search::behind ? header_behind : header_begin;
}

ByteWriter header_of(const Frames &frames, Search search) {
  const std::uint64_t address = header_address(search);
  ByteWriter header;
  header.u8(1).u8(DW_EH_PE_pcrel | DW_EH_PE_sdata4).u8(DW_EH_PE_udata4).u8(DW_EH_PE_datarel | DW_EH_PE_sdata4);
  header.u32(frames_begin - address - 4).u32(frames.fdes.size());
  for (std::size_t i = 0; i < frames.fdes.size(); ++i)
    header.u32(checked_code + i * function_size - address).u32(frames_begin + frames.fdes[i] - address);
  return header;
}

std::unique_ptr<Module> module_of(const TemporaryDirectory &folder, const Frames &frames, ByteWriter header,
                                  Search search) {
  ElfWriter elf;
  elf.load(".text", checked_code, std::string(frames.fdes.size() * function_size, '\x90'), PF_X);
  REQUIRE(header.size() <= header_space);
  if (search == Search::section)
    elf.load(".eh_frame_hdr", header_begin, header.text());
  if (search == Search::segment) {
    header.raw(std::string(header_space - header.size(), '\0')).raw(frames.bytes);
    elf.load("both", header_begin, header.text()).segment(PT_GNU_EH_FRAME, 4);
    elf.has_section_headers = false;
  } else {
    elf.load(".eh_frame", frames_begin, frames.bytes);
  }
  if (search == Search::behind)
    elf.load(".eh_frame_hdr", header_behind, header.text()).segment(PT_GNU_EH_FRAME, 4);
  auto module = open_file(folder.write("checked", elf.text()), checked_files);
  REQUIRE(module);
  return std::move(*module);
}

/// The middle of a function.
LinkAddress in_function(std::size_t number) {
  return LinkAddress{checked_code + number * function_size + 5};
}

TEST_CASE("a register that no machine has is refused wherever libdw would find its rule") {
  const auto sound = std::pair(sound_rules(), std::string());
  for (const Search search : {Search::one_by_one, Search::section, Search::segment, Search::behind}) {
    for (const bool in_cie : {false, true}) {
      INFO("search " << static_cast<int>(search) << ", in the CIE: " << in_cie);
      const auto greedy =
          in_cie ? std::pair(sound_rules() + greedy_rules(), std::string()) : std::pair(sound_rules(), greedy_rules());
      const Frames frames = frames_of({sound, greedy, sound});
      const TemporaryDirectory folder;
      const auto module = module_of(folder, frames, header_of(frames, search), search);
      CfiTable &table = cfi_of(*module);
      CHECK(table.at(in_function(1)) == nullptr);
      CHECK(table.reason() == no_such_register);
      for (const std::size_t other : {0, 2}) {
        const CfiRow *row = table.at(in_function(other));
        if (search == Search::one_by_one)
          CHECK((row == nullptr && table.reason() == no_such_register));
        else
          CHECK((row != nullptr && row->cfa.offset == 8));
      }
    }
  }
}

TEST_CASE("tables that name registers of this machine are read by every way to them") {
  const Frames frames = frames_of({{sound_rules(), ""}, {sound_rules(), sound_rules()}, {sound_rules(), ""}});
  for (const Search search : {Search::one_by_one, Search::section, Search::segment, Search::behind}) {
    INFO("search " << static_cast<int>(search));
    const TemporaryDirectory folder;
    const auto module = module_of(folder, frames, header_of(frames, search), search);
    CfiTable &table = cfi_of(*module);
    for (const std::size_t function : {2, 0, 1}) {
      const CfiRow *row = table.at(in_function(function));
      REQUIRE(row != nullptr);
      CHECK(row->cfa.from_register == 7);
      CHECK(row->cfa.offset == 8);
    }
    CHECK(table.at(LinkAddress{checked_code - 1}) == nullptr);
    CHECK(table.at(LinkAddress{checked_code + 3 * function_size}) == nullptr);
    CHECK(table.reason().find("register") == std::string::npos);
  }
}

TEST_CASE("a search table that leads astray leads to nothing that was not looked at") {
  const Frames frames = frames_of({{sound_rules(), ""}, {sound_rules(), greedy_rules()}});
  const ByteWriter sound = header_of(frames, Search::section);
  constexpr std::size_t count_at = 8;
  constexpr std::size_t first_fde_at = 16;
  struct Change {
    std::size_t offset;
    std::uint64_t value;
    std::size_t size;
    std::string_view reason;
  };
  const std::vector<Change> changes{
      {first_fde_at, header_space + frames.fdes[1], 4, no_such_register}, // another function's
      {first_fde_at, header_space + 0x10'0000, 4, "the search table leads out of the unwind table"},
      {first_fde_at, 0, 4, "the search table leads out of the unwind table"},
      {first_fde_at, header_space - 2, 4, "the search table leads out of the unwind table"},
      {first_fde_at, header_space, 4, "the unwind table holds an entry that is damaged"}, // a CIE
      {count_at, 1'000'000, 4, "the search table of the unwind table is cut off"},
      {3, DW_EH_PE_sdata8, 1, "the search table of the unwind table has a form that is not read"},
      {2, DW_EH_PE_udata8, 1, "the header of the unwind table has a form that is not read"},
      {1, DW_EH_PE_absptr, 1, "the header of the unwind table has a form that is not read"},
      {0, 2, 1, "the header of the unwind table has a form that is not read"},
      // Tables that libdw does not use: it goes from entry to entry, and would come by the other function's rules.
      {2, DW_EH_PE_omit, 1, no_such_register},
      {count_at, 0, 4, no_such_register},
      {4, 0, 4, no_such_register},
  };
  for (const Change &change : changes) {
    INFO(change.value << " at " << change.offset);
    ByteWriter header = sound;
    header.patch(change.offset, change.value, change.size);
    const TemporaryDirectory folder;
    const auto module = module_of(folder, frames, header, Search::section);
    CfiTable &table = cfi_of(*module);
    CHECK(table.at(in_function(0)) == nullptr);
    CHECK(table.reason() == change.reason);
  }
}

TEST_CASE("a header without bytes is no reason to look behind it") {
  const Frames frames = frames_of({{sound_rules(), ""}});
  ElfWriter elf;
  elf.load(".text", checked_code, std::string(function_size, '\x90'), PF_X);
  elf.section(".eh_frame_hdr", "", SHT_NOBITS).load(".eh_frame", frames_begin, frames.bytes);
  const TemporaryDirectory folder;
  const auto module = open_file(folder.write("checked", elf.text()), checked_files);
  REQUIRE(module);
  CHECK(cfi_of(**module).at(in_function(0)) == nullptr);
  CHECK(cfi_of(**module).reason() == "the header of the unwind table has a form that is not read");
}

/// One CIE (version 3, no augmentation) and functions with these rules.
std::string debug_frame_of(const std::vector<std::string> &rules) {
  ByteWriter bytes;
  const auto entry = [&bytes](const ByteWriter &content) {
    ByteWriter padded = content;
    padded.align(8);
    bytes.u32(padded.size()).raw(padded.text());
  };
  entry(ByteWriter().u32(0xffffffff).u8(3).string("").leb(1).signed_leb(-8).leb(16).raw(sound_rules()));
  for (std::size_t i = 0; i < rules.size(); ++i)
    entry(ByteWriter().u32(0).u64(checked_code + i * function_size).u64(function_size).raw(rules[i]));
  return bytes.text();
}

TEST_CASE(".debug_frame is refused as a whole for a register that no machine has") {
  for (const bool greedy : {false, true}) {
    INFO("greedy: " << greedy);
    ElfWriter elf;
    elf.load(".text", checked_code, std::string(2 * function_size, '\x90'), PF_X);
    elf.section(".debug_frame", debug_frame_of({"", greedy ? greedy_rules() : sound_rules()}));
    DwarfWriter dwarf(5);
    dwarf.abbreviation(1, DW_TAG_compile_unit, {{DW_AT_name, DW_FORM_string}});
    dwarf.begin_unit(DW_UT_compile).leb(1).string("made.c");
    dwarf.write_to(elf);
    const TemporaryDirectory folder;
    const auto module = open_file(folder.write("checked", elf.text()), checked_files);
    REQUIRE(module);
    CfiTable &table = cfi_of(**module);
    for (const std::size_t function : {0, 1}) {
      const CfiRow *row = table.at(in_function(function));
      if (greedy)
        CHECK((row == nullptr && table.reason() == no_such_register));
      else
        CHECK((row != nullptr && row->cfa.offset == 8));
    }
  }
}

TEST_CASE("CIEs that overlap are not looked through again and again") {
  // Every 24 bytes a CIE begins, and each ends where the last one does: its instructions take the heads of those behind
  // it for expressions.
  constexpr std::size_t cies = 2000;
  constexpr std::size_t cie_size = 24;
  constexpr std::size_t head_size = 13;
  ByteWriter bytes;
  for (std::size_t i = 0; i < cies; ++i) {
    bytes.u32((cies - i) * cie_size - 4).u32(0).u8(1).string("").leb(1).signed_leb(-8).u8(16);
    bytes.raw(std::string(cie_size - head_size - 2, '\0'));
    if (i + 1 < cies)
      bytes.u8(DW_CFA_def_cfa_expression).leb(head_size);
    else
      bytes.u16(0);
  }
  for (std::size_t i = 0; i < cies; ++i) {
    bytes.u32(20);
    bytes.u32(bytes.size() - i * cie_size);
    bytes.u64(checked_code).u64(function_size);
  }
  Frames frames{bytes.u32(0).text(), {0}};
  const TemporaryDirectory folder;
  const auto module = module_of(folder, frames, ByteWriter(), Search::one_by_one);
  CHECK(cfi_of(*module).at(in_function(0)) == nullptr);
  CHECK(cfi_of(*module).reason() == "the unwind table holds entries that overlap");
}

} // namespace
} // namespace inspect::test
