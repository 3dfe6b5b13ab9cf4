// ELF files, and images of them in memory: headers, segments, sections, notes, symbols, PLT.
#include "dwarf/module/loaded_file.h"
#include "dwarf/raw/elf/elf_image.h"
#include "dwarf/symbols/named_symbols.h"
#include "dwarf/symbols/plt_names.h"
#include "dwarf/symbols/symbol_table.h"
#include "machine/elf_file.h"
#include "tests/fuzz/fuzz_module.h"
#include "tests/fuzz/fuzz_target.h"

#include <fstream>

namespace inspect::test {
namespace {

constexpr std::size_t max_elf_size = 40'000;

bool read_by_headers(std::string_view bytes) {
  const FileDescriptor descriptor = fuzz_file(bytes);
  const auto file = ElfFile::read(descriptor.get());
  if (!file)
    return false;
  static_cast<void>(file->needed_libraries());
  static_cast<void>(file->build_id());
  static_cast<void>(file->dynamic_strings(4096));
  if (const ElfSection *comment = file->section(".comment"))
    fuzz_check(file->bytes(comment->offset, comment->size, 4096).size() <= 4096, "a limit is kept");
  for (const Elf64_Phdr &segment : file->segments()) {
    static_cast<void>(file->offset_of(LinkAddress{segment.p_vaddr}));
    static_cast<void>(file->find("GNU", FileOffset{segment.p_offset}, segment.p_filesz, 1 << 20));
  }
  return true;
}

/// How many symbols it has.
std::size_t read_module(Module &module) {
  std::size_t symbols = 0;
  LinkAddress last;
  SymbolTable &table = symbols_of(module);
  table.each([&](const Symbol &symbol) {
    fuzz_check(symbol.address >= last, "symbols are in order");
    last = symbol.address;
    if (++symbols % 16 == 0)
      static_cast<void>(demangle(symbol.name));
    if (const auto found = table.at(symbol.address))
      fuzz_check(found->address <= symbol.address, "a symbol covers the address that was asked for");
    return symbols < 2000;
  });
  static_cast<void>(table.at(LinkAddress{~0ULL}));
  static_cast<void>(table.by_name("main"));
  constexpr std::array<std::string_view, 2> wanted{"main", "_start"};
  static_cast<void>(find_named_symbols(module, wanted));
  static_cast<void>(read_plt_names(module.image()));
  static_cast<void>(module.dwarf());
  static_cast<void>(module.debug_offset());
  static_cast<void>(module.mini_debug_image());
  std::array<std::byte, 16> some{};
  for (const RunRange &range : module.ranges())
    static_cast<void>(module.file_memory().read(range.begin, some));
  static_cast<void>(module.file_memory().read(module.range().end - 8, some));
  return symbols;
}

bool run_elf(std::span<const std::byte> bytes) {
  const std::string_view text = FuzzInput(bytes).rest();
  const bool headers = read_by_headers(text);
  if (auto loaded = LoadedFile::open(OpenedFile{fuzz_file(text), "fuzzed"})) {
    std::array<std::byte, 16> some{};
    for (const MappedSegment &segment : (*loaded)->segments())
      static_cast<void>((*loaded)->read(segment.range.begin, some));
  }
  bool has_symbols = false;
  if (const auto module = open_fuzz_module(text))
    has_symbols = read_module(*module) > 0;
  if (const auto module = open_fuzz_image(text))
    has_symbols |= read_module(*module) > 0;
  return headers && has_symbols;
}

std::string whole_fixture(std::string_view name) {
  std::ifstream file(fuzz_fixture(name), std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

std::vector<std::string> elf_seeds() {
  ElfWriter elf;
  elf.load(".text", 0x401000, std::string(64, '\x90'), PF_X);
  elf.load(".note.gnu.build-id", 0x402000,
           ByteWriter().u32(4).u32(8).u32(3).raw(std::string_view("GNU", 4)).u64(0x1234).text());
  elf.segment(PT_NOTE, 4);
  elf.symbol("main", 0x401000, 16).symbol("_ZN2ns1fIiEEvT_", 0x401010, 8).symbol("_RNvC1a4main", 0x401020, 0);
  std::vector<std::string> seeds{elf.text()};
  elf.has_section_headers = false;
  for (const std::string_view name : {"handmade_locations", "no_unwind_tables", "unwind_frame_pointer",
                                      "thread_locals_musl", "libthread_locals_glibc.so", "blocked_stripped"})
    if (std::string whole = whole_fixture(name); !whole.empty() && whole.size() <= max_elf_size)
      seeds.push_back(std::move(whole));
  return seeds;
}

const RegisteredFuzzTarget elf_target{
    {.name = "elf", .run = run_elf, .seeds = elf_seeds, .rounds = 100, .max_size = max_elf_size}};

} // namespace
} // namespace inspect::test
