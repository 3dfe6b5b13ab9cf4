#include "dwarf/symbols/named_symbols.h"

#include "dwarf/symbols/symbol_table.h"
#include "tests/dwarf/memory_of_self.h"
#include "tests/dwarf/toolchain.h"
#include "tests/support/catch.h"

#include <array>

using namespace inspect;

TEST_CASE("symbols are found by name without a table") {
  const test::TemporaryDirectory folder;
  const test::LocalFiles files;
  const auto program =
      test::build(folder, "p.c", "int wanted = 5; int wanted_too = 6; int main(void) { return wanted; }\n", "gcc -O1");
  constexpr auto names = std::to_array<std::string_view>({"wanted", "want", "main", "wanted_too", "puts"});
  auto module = test::open_file(program, files);
  REQUIRE(module);
  const std::vector<LinkAddress> found = find_named_symbols(**module, names);
  SymbolTable table(**module);
  REQUIRE(found.size() == names.size());
  for (const std::size_t i : {0U, 2U, 3U}) {
    INFO(names[i]);
    REQUIRE(table.by_name(names[i]));
    CHECK(found[i] == table.by_name(names[i])->address);
  }
  CHECK(found[1] == LinkAddress{});
  CHECK(found[4] == LinkAddress{});
}
