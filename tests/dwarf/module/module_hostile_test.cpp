// Files that are truncated or damaged: whatever they say, opening them and reading their symbols ends, without a crash.
#include "dwarf/module/module.h"
#include "dwarf/raw/elf/elf_image.h"
#include "dwarf/symbols/symbol_table.h"
#include "tests/dwarf/memory_of_self.h"
#include "tests/dwarf/toolchain.h"
#include "tests/support/catch.h"
#include "tests/support/fuzz_rounds.h"

#include <cstring>
#include <iterator>
#include <random>

using namespace inspect;

namespace {

const test::LocalFiles hostile_files;

std::string read_whole(const std::string &path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

/// Everything that is read of a module; counts the symbols.
std::size_t read_all(Module &module) {
  SymbolTable table(module);
  std::size_t symbols = 0;
  table.each([&](const Symbol &symbol) {
    symbols += symbol.name.empty() ? 0 : 1;
    static_cast<void>(table.at(symbol.address + 1));
    static_cast<void>(demangle(symbol.name));
    return true;
  });
  static_cast<void>(table.at(LinkAddress{0}));
  static_cast<void>(table.at(LinkAddress{~0ull}));
  static_cast<void>(table.by_name("main"));
  static_cast<void>(module.dwarf());
  static_cast<void>(module.debug_offset());
  std::array<std::byte, 16> bytes{};
  static_cast<void>(module.file_memory().read(module.range().begin, bytes));
  return symbols;
}

ModuleInput input_at(const std::string &path, const std::vector<MappedSegment> &segments) {
  ModuleInput input;
  input.path = path;
  input.file = std::move(*hostile_files.open(path));
  input.segments = segments;
  return input;
}

std::vector<MappedSegment> segments_of(const std::string &path) {
  auto image = ElfImage::from_file(std::move(hostile_files.open(path)->descriptor), path);
  REQUIRE(image);
  std::vector<MappedSegment> segments;
  constexpr std::uint64_t page = 4095;
  for (const Elf64_Phdr &segment : image->segments())
    if (segment.p_type == PT_LOAD)
      segments.push_back({{{segment.p_vaddr & ~page}, {(segment.p_vaddr + segment.p_filesz + page) & ~page}},
                          {segment.p_offset & ~page},
                          (segment.p_flags & PF_X) != 0});
  return segments;
}

std::string build_victim(const test::TemporaryDirectory &folder) {
  return test::build(folder, "v.c",
                     "#include <stdio.h>\nstatic int f(int x) { return x + 1; }\nint g = 4;\n"
                     "int main(int n, char **v) { puts(v[0]); return f(n) + g; }\n",
                     "gcc -O0 -g -Wl,--build-id");
}

/// A damaged copy as a file, and the same bytes as an image in memory.
void try_bytes(const std::string &path, const std::string &bytes, const std::vector<MappedSegment> &segments) {
  const BufferMemory nothing;
  test::write_file(path, bytes);
  if (auto module = Module::open(input_at(path, segments), nothing, hostile_files, {}))
    read_all(**module);
  const auto raw = std::as_bytes(std::span(bytes));
  for (const bool with_sections : {true, false}) {
    std::vector<std::byte> copy(raw.begin(), raw.end());
    if (!with_sections && copy.size() >= sizeof(Elf64_Ehdr))
      std::memset(copy.data() + offsetof(Elf64_Ehdr, e_shoff), 0, sizeof(Elf64_Off));
    const std::uint64_t base = 0x7f0000000000;
    BufferMemory memory;
    memory.add(RunAddress{base}, std::move(copy));
    ModuleInput from_memory;
    from_memory.path = "gone";
    from_memory.segments = {{{{base}, {base + bytes.size()}}, {0}, true}};
    if (auto module = Module::open(std::move(from_memory), memory, hostile_files, {}))
      read_all(**module);
  }
}

} // namespace

TEST_CASE("truncated files are read as far as they go") {
  const test::TemporaryDirectory folder;
  const auto program = build_victim(folder);
  const auto segments = segments_of(program);
  const std::string bytes = read_whole(program);
  const BufferMemory nothing;
  auto whole = Module::open(input_at(program, segments), nothing, hostile_files, {});
  REQUIRE(whole);
  CHECK(read_all(**whole) > 10);
  for (std::size_t i = 0; i < 150; ++i)
    try_bytes(folder / "cut", bytes.substr(0, i < 80 ? i * 8 : i * bytes.size() / 150), segments);
}

TEST_CASE("damaged files crash nothing") {
  const test::TemporaryDirectory folder;
  const auto program = build_victim(folder);
  const auto segments = segments_of(program);
  const std::string bytes = read_whole(program);
  Elf64_Ehdr header;
  std::memcpy(&header, bytes.data(), sizeof header);
  std::mt19937_64 random(20240501);
  constexpr std::array values = {0x00, 0xff, 0x7f, 0x80, 0x01};
  for (int round = 0; test::fuzz_goes_on(round, 500); ++round) {
    std::string damaged = bytes;
    // Most damage goes where it is interpreted: the headers, the tables of sections and of segments.
    for (std::size_t hits = 1 + random() % 6; hits > 0; --hits) {
      const std::size_t choice = random() % 4;
      std::size_t at = random() % damaged.size();
      if (choice == 0)
        at = random() % (sizeof header + header.e_phnum * sizeof(Elf64_Phdr));
      else if (choice == 1)
        at = header.e_shoff + random() % (header.e_shnum * sizeof(Elf64_Shdr));
      const int value = choice == 2 ? static_cast<int>(random() % 256) : values[random() % values.size()];
      for (std::size_t i = at; i < std::min(at + 1 + random() % 8, damaged.size()); ++i)
        damaged[i] = static_cast<char>(value);
    }
    try_bytes(folder / "damaged", damaged, segments);
  }
}
