#include "dwarf/symbolize/symbolizer.h"

#include "dwarf/cfi/cfi_table.h"
#include "dwarf/symbols/symbol_table.h"
#include "tests/dwarf/memory_of_self.h"
#include "tests/dwarf/toolchain.h"
#include "tests/support/catch.h"

#include <dlfcn.h>
#include <link.h>

namespace inspect_test_names {

// Exported under a C++ name of their own, so that this test knows what to expect.
[[gnu::noinline, gnu::used]] int outer_function(int value);
constexpr int line_of_lea = __LINE__ + 3;
[[gnu::always_inline]] inline void *inlined_function() {
  void *here = nullptr;
  asm volatile("lea 0(%%rip), %0" : "=r"(here));
  return here;
}
const void *inlined_address = nullptr;
constexpr int line_of_call = __LINE__ + 2;
int outer_function(int value) {
  inlined_address = inlined_function();
  return value + 1;
}

} // namespace inspect_test_names

using namespace inspect;

namespace {

const test::OwnMemory memory;
const test::LocalFiles files;

ModuleMap own_modules() {
  ModuleMap modules;
  for (auto &[path, segments] : test::own_mappings([](const std::string &one) {
         return one == "[vdso]" || (one.starts_with("/") && one.find("locale") == std::string::npos);
       })) {
    ModuleInput input;
    input.path = path;
    input.segments = segments;
    if (auto file = files.open(path))
      input.file = std::move(*file);
    if (auto module = Module::open(std::move(input), memory, files, {}))
      modules.add(std::move(*module));
  }
  return modules;
}

RunAddress address_of(const void *pointer) {
  return {reinterpret_cast<std::uint64_t>(pointer)};
}

void *module_handle(const Dl_info &info) {
  return ::dlopen(info.dli_fname, RTLD_LAZY | RTLD_NOLOAD);
}

} // namespace

TEST_CASE("every module of this process is found at its addresses, and nothing in the gaps") {
  ModuleMap modules = own_modules();
  Symbolizer symbolizer(modules);
  const auto all = modules.modules();
  REQUIRE(all.size() >= 5);
  for (std::size_t i = 0; i < all.size(); ++i) {
    for (const RunRange &range : all[i]->ranges()) {
      CHECK(modules.find(range.begin) == all[i]);
      CHECK(modules.find(range.end - 1) == all[i]);
    }
    if (i != 0)
      CHECK(all[i - 1]->range().begin < all[i]->range().begin);
  }
  CHECK(modules.find(RunAddress{0}) == nullptr);
  CHECK(modules.find(RunAddress{~0ull}) == nullptr);
  int local = 0;
  CHECK(modules.find(address_of(&local)) == nullptr);
  CHECK(symbolizer.at(address_of(&local)).module == nullptr);
  CHECK(symbolizer.at(address_of(&local)).frames.empty());
}

TEST_CASE("an address is named as dladdr names it") {
  ModuleMap modules = own_modules();
  Symbolizer symbolizer(modules);
  for (const char *name : {"qsort", "getenv", "pthread_create", "elf_begin", "dwarf_begin_elf", "strtol"}) {
    INFO(name);
    const void *function = test::libc_symbol(name);
    if (function == nullptr)
      function = ::dlsym(RTLD_DEFAULT, name);
    REQUIRE(function != nullptr);
    Dl_info truth{};
    REQUIRE(::dladdr(function, &truth) != 0);
    const Symbolized &found = symbolizer.at(address_of(function) + 1);
    REQUIRE(found.module != nullptr);
    REQUIRE(!found.frames.empty());
    const SourceFrame &outermost = found.frames.back();
    CHECK(found.module->bias().value == reinterpret_cast<std::uint64_t>(truth.dli_fbase));
    CHECK(outermost.offset == address_of(function) + 1 - address_of(truth.dli_saddr));
    // libc gives several names to one function; dladdr and we may take different ones of them.
    CHECK(address_of(::dlsym(module_handle(truth), outermost.linkage_name.c_str())) == address_of(function));
  }
}

TEST_CASE("inlined calls, files and lines are in the answer, and the outermost has the symbol's full name") {
  CHECK(inspect_test_names::outer_function(1) == 2);
  ModuleMap modules = own_modules();
  Symbolizer symbolizer(modules);
  const Symbolized &found = symbolizer.at(address_of(inspect_test_names::inlined_address) - 1);
  REQUIRE(found.module != nullptr);
  REQUIRE(found.frames.size() == 2);
  CHECK(found.frames[0].function.find("inlined_function") != std::string::npos);
  CHECK(found.frames[0].inlined);
  CHECK(found.frames[0].file.ends_with("symbolizer_test.cpp"));
  CHECK(found.frames[0].line == inspect_test_names::line_of_lea);
  CHECK(found.frames[1].function == "inspect_test_names::outer_function(int)");
  CHECK(found.frames[1].linkage_name == "_ZN18inspect_test_names14outer_functionEi");
  CHECK_FALSE(found.frames[1].inlined);
  CHECK(found.frames[1].line == inspect_test_names::line_of_call);
  const auto start = reinterpret_cast<std::uint64_t>(&inspect_test_names::outer_function);
  CHECK(found.frames[1].offset == address_of(inspect_test_names::inlined_address).value - 1 - start);
  // The answer is kept.
  CHECK(&symbolizer.at(address_of(inspect_test_names::inlined_address) - 1) == &found);
}

TEST_CASE("what is read of a module is read once and goes with it, and names are looked up again after forget()") {
  ModuleMap modules = own_modules();
  Symbolizer symbolizer(modules);
  Module *module = modules.find(address_of(test::libc_symbol("qsort")));
  REQUIRE(module != nullptr);
  SymbolTable &symbols = symbols_of(*module);
  CHECK(&symbols_of(*module) == &symbols);
  CHECK(&lines_of(*module) == &lines_of(*module));
  CHECK(&cfi_of(*module) == &cfi_of(*module));
  CHECK(&symbols_of(*modules.modules().front()) != &symbols);
  const RunAddress place = address_of(test::libc_symbol("qsort")) + 1;
  CHECK(symbolizer.at(place).module == module);
  modules = ModuleMap();
  symbolizer.forget();
  CHECK(symbolizer.at(place).module == nullptr);
}

TEST_CASE("PLT entries and the vDSO have names") {
  ModuleMap modules = own_modules();
  Symbolizer symbolizer(modules);
  std::size_t plt_entries = 0;
  for (Module *module : modules.modules()) {
    symbols_of(*module).each([&](const Symbol &symbol) {
      if (!symbol.is_plt)
        return true;
      const Symbolized &found = symbolizer.at(module->bias().to_run(symbol.address) + 1);
      REQUIRE(found.frames.size() == 1);
      CHECK(found.frames[0].function == demangle(symbol.name) + "@plt");
      return ++plt_entries % 10 != 0;
    });
    if (module->name() == "[vdso]") {
      const auto symbol = symbols_of(*module).by_name("__vdso_gettimeofday");
      REQUIRE(symbol);
      const Symbolized &found = symbolizer.at(module->bias().to_run(symbol->address));
      REQUIRE(found.frames.size() == 1);
      CHECK(found.frames[0].function == "gettimeofday"); // and not __vdso_gettimeofday, at the same address
    }
  }
  CHECK(plt_entries > 20);
}

TEST_CASE("two modules that claim the same addresses are both kept, and the later start answers") {
  const test::TemporaryDirectory folder;
  const auto program = test::build(folder, "o.c", "int main(void) { return 0; }\n", "gcc -no-pie");
  ModuleMap modules;
  for (int i = 0; i < 3; ++i) {
    auto module = test::open_file(program, files);
    REQUIRE(module);
    modules.add(std::move(*module));
  }
  Symbolizer symbolizer(modules);
  REQUIRE(modules.modules().size() == 3);
  const Module *first = modules.modules().front();
  CHECK(modules.find(first->range().begin) != nullptr);
  const auto main = symbols_of(*modules.modules().front()).by_name("main");
  REQUIRE(main);
  CHECK(symbolizer.at(first->bias().to_run(main->address)).frames.back().function == "main");
  open_cfi_tables(modules);
  CHECK(modules.take_warnings().empty());
}
