#include "dwarf/cfi/cfi_table.h"

#include "dwarf/raw/elf/elf_image.h"
#include "dwarf/symbols/symbol_table.h"
#include "dwarf/unwind/unwinder.h"
#include "machine/x86_64/registers.h"
#include "tests/dwarf/memory_of_self.h"
#include "tests/dwarf/toolchain.h"
#include "tests/support/child_process.h"
#include "tests/support/skip.h"

#include <algorithm>
#include <cstring>
#include <elf.h>
#include <fmt/format.h>
#include <random>

using namespace inspect;
using Kind = RegisterRule::Kind;

namespace {

const test::LocalFiles files;
const test::OwnMemory own_memory;

/// The rows of a file's .eh_frame as readelf works them out, by address; the columns by register name.
using Row = std::map<std::string, std::string>;
std::map<std::uint64_t, Row> readelf_rows(const std::string &path) {
  std::istringstream output(test::run("readelf --debug-dump=frames-interp " + path + " 2>/dev/null"));
  std::map<std::uint64_t, Row> rows;
  std::vector<std::string> columns;
  bool in_function = false;
  std::string line;
  while (std::getline(output, line)) {
    std::istringstream words(line);
    std::string word;
    words >> word;
    if (line.find(" CIE ") != std::string::npos || line.find(" FDE ") != std::string::npos) {
      in_function = line.find(" FDE ") != std::string::npos;
      continue;
    }
    if (word == "LOC") {
      columns.clear();
      while (words >> word)
        columns.push_back(word);
    } else if (in_function && word.size() == 16 && word.find_first_not_of("0123456789abcdef") == std::string::npos) {
      Row &row = rows[std::stoull(word, nullptr, 16)];
      row.clear();
      std::size_t column = 0;
      while (column < columns.size() && words >> word) {
        if (word[0] != '(') // "r9 (r9)": in another register, by number and name
          row[columns[column++]] = word;
      }
    }
  }
  return rows;
}

std::string shown(const CfiRow &row, const std::string &column) {
  const auto number = column == "ra" ? x86_64::return_address : x86_64::register_by_name(column);
  REQUIRE(number);
  for (const RegisterRule &one : row.registers) {
    if (one.dwarf_number != *number)
      continue;
    switch (one.kind) {
    case Kind::offset:
      return fmt::format("c{:+}", one.offset);
    case Kind::in_register:
      return fmt::format("r{}", one.from_register);
    case Kind::expression:
      return "exp";
    case Kind::val_expression:
      return "vexp";
    default:
      return "u";
    }
  }
  return "u";
}

std::string shown_cfa(const CfiRow &row) {
  if (row.cfa.kind != Kind::in_register)
    return "exp";
  for (const x86_64::RegisterName &name : x86_64::register_names()) {
    if (name.number == row.cfa.from_register)
      return fmt::format("{}{:+}", name.name, row.cfa.offset);
  }
  return "?";
}

std::unique_ptr<Module> opened(const std::string &path) {
  auto module = test::open_file(path, files);
  REQUIRE(module);
  return std::move(*module);
}

/// Compares every row; how many there were.
std::size_t compare_rows(CfiTable &table, const std::map<std::uint64_t, Row> &rows) {
  for (const auto &[address, expected] : rows) {
    const CfiRow *row = table.at(LinkAddress{address});
    INFO(fmt::format("{:#x}", address));
    REQUIRE(row != nullptr);
    REQUIRE(row->valid.contains(LinkAddress{address}));
    for (const auto &[column, text] : expected) {
      INFO(column);
      // An expression that only adds to a register is told apart from others here, but not by readelf.
      if (column == "CFA" && text == "exp")
        continue;
      REQUIRE((column == "CFA" ? shown_cfa(*row) : shown(*row, column)) == text);
    }
  }
  return rows.size();
}

/// A file as bytes, to be damaged.
class Bytes {
public:
  explicit Bytes(const std::string &path) {
    std::ifstream file(path, std::ios::binary);
    bytes_.assign(std::istreambuf_iterator<char>(file), {});
  }
  Elf64_Ehdr header() const {
    Elf64_Ehdr header;
    std::memcpy(&header, bytes_.data(), sizeof header);
    return header;
  }
  void set_header(const Elf64_Ehdr &header) { std::memcpy(bytes_.data(), &header, sizeof header); }
  /// The sections named so: offset and size.
  std::pair<std::size_t, std::size_t> section(std::string_view name) const {
    const Elf64_Ehdr file = header();
    std::vector<Elf64_Shdr> sections(file.e_shnum);
    std::memcpy(sections.data(), bytes_.data() + file.e_shoff, sections.size() * sizeof(Elf64_Shdr));
    for (const Elf64_Shdr &section : sections) {
      if (bytes_.data() + sections[file.e_shstrndx].sh_offset + section.sh_name == name)
        return {section.sh_offset, section.sh_size};
    }
    FAIL("no such section");
    return {};
  }
  void flip(std::size_t offset, unsigned bit) {
    bytes_[offset] = static_cast<char>(static_cast<unsigned char>(bytes_[offset]) ^ (1U << bit));
  }
  std::string write(const std::string &path) const {
    std::ofstream(path, std::ios::binary).write(bytes_.data(), static_cast<std::streamsize>(bytes_.size()));
    return path;
  }

private:
  std::vector<char> bytes_;
};

} // namespace

TEST_CASE("Unwind rules are those that readelf reads, at every row of the tables") {
  for (const std::string &path : {test::fixture_path("unwind_static"), test::fixture_path("unwind_optimized")}) {
    const auto module = opened(path);
    CfiTable table(*module);
    table.warm_up();
    CHECK(compare_rows(table, readelf_rows(path)) > 20);
  }
}

TEST_CASE("A row holds for its range and lives on while others are read") {
  const std::string path = test::fixture_path("unwind_static");
  const auto module = opened(path);
  CfiTable table(*module);
  const auto rows = readelf_rows(path);
  const CfiRow *first = table.at(LinkAddress{rows.begin()->first});
  REQUIRE(first != nullptr);
  const CfiRow copy = *first;
  for (const auto &[address, row] : rows)
    REQUIRE(table.at(LinkAddress{address}) != nullptr);
  CHECK(table.at(LinkAddress{rows.begin()->first}) == first);
  CHECK(table.at(first->valid.end - 1) == first);
  CHECK(first->cfa.offset == copy.cfa.offset);
}

TEST_CASE("What tables leave unsaid of rbx and rax is what the ABI says") {
  const std::string path = test::fixture_path("unwind_unoptimized");
  const auto module = opened(path);
  CfiTable table(*module);
  const auto symbols = test::nm(path);
  const auto leaf = std::ranges::find(symbols, "leaf", &test::NmSymbol::name);
  REQUIRE(leaf != symbols.end());
  const CfiRow *row = table.at(LinkAddress{leaf->address});
  REQUIRE(row != nullptr);
  // At a function's first instruction nothing is saved but the return address.
  REQUIRE(row->registers.size() == 1);
  CHECK(row->registers[0].dwarf_number == x86_64::return_address);
  CHECK(row->registers[0].kind == Kind::offset);
  CHECK(row->registers[0].offset == -8);
  CHECK(row->return_address_register == x86_64::return_address);
  CHECK_FALSE(row->signal_frame);
}

TEST_CASE("The outermost function's return address is undefined") {
  const auto module = opened(test::fixture_path("unwind_static"));
  CfiTable table(*module);
  GElf_Ehdr header;
  REQUIRE(gelf_getehdr(module->elf(), &header) != nullptr);
  const CfiRow *row = table.at(LinkAddress{header.e_entry});
  REQUIRE(row != nullptr);
  const auto address = std::ranges::find(row->registers, x86_64::return_address, &RegisterRule::dwarf_number);
  REQUIRE(address != row->registers.end());
  CHECK(address->kind == Kind::undefined);
}

TEST_CASE("An image without section headers has the same rules") {
  const std::string path = test::fixture_path("unwind_optimized");
  const test::TemporaryDirectory folder;
  Bytes bytes(path);
  Elf64_Ehdr header = bytes.header();
  header.e_shoff = 0;
  header.e_shnum = 0;
  header.e_shstrndx = 0;
  bytes.set_header(header);
  const auto module = opened(bytes.write(folder / "no-sections"));
  CfiTable table(*module);
  CHECK(compare_rows(table, readelf_rows(path)) > 20);
}

TEST_CASE("The vDSO, which is in memory only, has rules") {
  const auto mapped = test::own_mappings([](const std::string &path) { return path == "[vdso]"; });
  if (mapped.empty())
    SKIP_TEST("this kernel maps no vDSO");
  ModuleInput input;
  input.path = "[vdso]";
  input.segments = mapped.begin()->second;
  auto module = Module::open(std::move(input), own_memory, files, {});
  REQUIRE(module);
  SymbolTable symbols(**module);
  const auto symbol = symbols.by_name("__vdso_clock_gettime");
  REQUIRE(symbol);
  CfiTable table(**module);
  const CfiRow *row = table.at(symbol->address);
  REQUIRE(row != nullptr);
  CHECK(row->cfa.from_register == x86_64::rsp);
  CHECK(row->cfa.offset == 8);
}

TEST_CASE("A .debug_frame in a separate debug file is found") {
  const std::string original = test::fixture_path("unwind_debug_frame");
  const auto symbols = test::nm(original);
  const auto function = std::ranges::find(symbols, "level_two", &test::NmSymbol::name);
  REQUIRE(function != symbols.end());
  const LinkAddress inside{function->address + function->size / 2};
  const test::TemporaryDirectory folder;
  const std::string &at = folder.path();
  test::run("cd " + at + " && objcopy --only-keep-debug " + original + " p.debug && strip -o lone " + original +
            " && objcopy --add-gnu-debuglink=p.debug lone p");
  {
    const auto module = opened(folder / "p");
    CfiTable table(*module);
    const CfiRow *row = table.at(inside);
    REQUIRE(row != nullptr);
    CHECK(row->cfa.kind == Kind::in_register);
    CHECK(row->cfa.offset > 300);
  }
  test::run("rm " + (folder / "p.debug"));
  const auto module = opened(folder / "lone");
  CfiTable table(*module);
  CHECK(table.at(inside) == nullptr);
  CHECK_FALSE(table.reason().empty());
  CHECK(table.at(inside) == nullptr);
  CHECK_FALSE(table.reason().empty());
}

TEST_CASE("Images whose tables are gone or empty have no rules, and say so") {
  const test::TemporaryDirectory folder;
  const std::string program = test::fixture_path("unwind_optimized");
  test::run("cd " + folder.path() + " && strip -o p " + program + " && objcopy -R .eh_frame -R .eh_frame_hdr p bare");
  const auto module = opened(folder / "bare");
  CfiTable table(*module);
  table.warm_up();
  for (const std::uint64_t address : {0ULL, 0x1000ULL, 0x1100ULL, ~0ULL}) {
    CHECK(table.at(LinkAddress{address}) == nullptr);
    CHECK_FALSE(table.reason().empty());
  }
}

TEST_CASE("Damaged tables neither crash nor hang") {
  const std::string path = test::fixture_path("unwind_optimized");
  const test::TemporaryDirectory folder;
  const auto rows = readelf_rows(path);
  const Bytes original(path);
  const auto table = original.section(".eh_frame");
  const auto index = original.section(".eh_frame_hdr");
  std::mt19937_64 random(20240607);
  BufferMemory stack;
  std::vector<std::byte> words(4096);
  for (std::byte &word : words)
    word = static_cast<std::byte>(random());
  stack.add(RunAddress{0x7000000}, words);
  RegisterSet registers;
  for (unsigned number = 0; number <= x86_64::return_address; ++number)
    registers.set(number, 0x7000000 + number * 8);
  UnwindLimits limits;
  limits.max_frames = 100;
  std::size_t found = 0;
  for (unsigned round = 0; round < 160; ++round) {
    Bytes bytes(original);
    const auto &[offset, size] = round % 4 == 3 ? index : table;
    for (unsigned flips = 0; flips <= round % 8; ++flips)
      bytes.flip(offset + random() % size, random() % 8);
    auto module = test::open_file(bytes.write(folder / "damaged"), files);
    REQUIRE(module);
    ModuleMap modules;
    modules.add(std::move(*module));
    for (const auto &[address, expected] : rows) {
      registers.set(x86_64::return_address, address);
      const Stack walked = unwind(registers, stack, modules, limits);
      REQUIRE(walked.frames.size() <= limits.max_frames);
      REQUIRE(walked.end_reason.empty() == (walked.end == StackEnd::complete));
      found += cfi_of(*modules.find(RunAddress{address})).at(LinkAddress{address}) != nullptr ? 1 : 0;
    }
  }
  // Most rules are not hit by a few flipped bits.
  CHECK(found > 160 * rows.size() / 4);
}
