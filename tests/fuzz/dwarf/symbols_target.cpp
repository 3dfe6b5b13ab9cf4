// Symbol tables and the names in them, which are demangled.
#include "dwarf/raw/names/name_spelling.h"
#include "dwarf/symbols/symbol_table.h"
#include "tests/fuzz/fuzz_module.h"
#include "tests/fuzz/fuzz_target.h"

namespace inspect::test {
namespace {

void use_name(std::string_view name) {
  const std::string readable = demangle(name);
  for (const bool go : {false, true}) {
    for (const std::string_view part : name_components(readable, go))
      fuzz_check(part.size() <= readable.size(), "a part is no longer than the whole");
    static_cast<void>(name_key(readable, go));
  }
  static_cast<void>(canonical_spelling(readable));
  WantedName wanted(readable, NameKind::function);
  static_cast<void>(wanted.match(name, false));
  static_cast<void>(wanted.match_unmarked(readable, true));
  static_cast<void>(shown_name(name));
}

bool run_symbols(std::span<const std::byte> bytes) {
  FuzzInput input(bytes);
  ElfWriter elf;
  constexpr std::uint64_t begin = 0x401000;
  constexpr std::uint64_t size = 0x1000;
  elf.load(".text", begin, std::string(size, '\x90'), PF_X);
  for (int count = 0; !input.empty() && count < 200; ++count) {
    const std::uint64_t address = input.number(2);
    const std::uint64_t symbol_size = input.number(2);
    const auto type = static_cast<unsigned char>(input.number(1));
    elf.symbol(input.part(), begin + address, symbol_size, type);
  }
  const auto module = open_fuzz_module(elf.text());
  if (!module)
    return false;
  SymbolTable &table = symbols_of(*module);
  std::size_t symbols = 0;
  table.each([&](const Symbol &symbol) {
    use_name(symbol.name);
    const auto found = table.at(symbol.address);
    fuzz_check(!found || found->address <= symbol.address, "a symbol covers the address that was asked for");
    fuzz_check(symbol.name.empty() || table.by_name(symbol.name).has_value(), "a symbol is found by its name");
    return ++symbols < 200;
  });
  return symbols > 0;
}

std::vector<std::string> symbol_seeds() {
  FuzzSeed all;
  std::uint64_t address = 0;
  for (const std::string_view name :
       {"main", "_ZNSt6vectorIiSaIiEE9push_backEOi",
        "_ZN12_GLOBAL__N_11fERKNSt7__cxx1112basic_stringIcSt11char_traitsIcESaIcEEE",
        "_RNvMNtCs1234_4core3fmtINtB2_9FormatterE9write_str", "_ZN4core3fmt9Formatter9write_str17h0123456789abcdefE",
        "_ZZ1fvENKUlvE_clEv", "_ZTV7Derived", "main.(*Server).handle.func1",
        "_ZN3fooILm3EE3barIJicEEEDTcl1gspfp_EEDpT_", "_ZNK1AcvT_IiEEv", "_RINvNtC3std3mem8align_ofdE"})
    all.number(address += 16, 2).number(16, 2).number(ELF64_ST_INFO(STB_GLOBAL, STT_FUNC), 1).part(name);
  FuzzSeed same;
  for (const std::string_view name : {"a", "_a", "__a"})
    same.number(64, 2).number(0, 2).number(ELF64_ST_INFO(STB_LOCAL, STT_OBJECT), 1).part(name);
  return {all.text(), same.text()};
}

const RegisteredFuzzTarget symbols_target{{.name = "symbols", .run = run_symbols, .seeds = symbol_seeds}};

} // namespace
} // namespace inspect::test
