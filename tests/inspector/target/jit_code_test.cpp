#include "inspector/target/jit_code.h"

#include "tests/support/catch.h"

#include <fmt/format.h>

namespace inspect {
namespace {

std::string listed(std::string_view text) {
  std::string lines;
  for (const JitSymbol &symbol : without_replaced(parse_perf_map(text)))
    lines += fmt::format("{:x}-{:x} {}\n", symbol.range.begin.value, symbol.range.end.value, symbol.name);
  return lines;
}

TEST_CASE("a perf map is read line by line, and later lines replace earlier ones") {
  CHECK(listed("").empty());
  CHECK(listed("7f00 20 second\n10 8 first\n") == "10-18 first\n7f00-7f20 second\n");
  CHECK(listed("0x10 0x8 with prefix\n") == "10-18 with prefix\n");
  CHECK(listed("10 20 old\n18 8 new\n") == "18-20 new\n");
  CHECK(listed("18 8 old\n10 20 new\n") == "10-30 new\n");
  CHECK(listed("10 20 one\n10 20 two\n10 20 three") == "10-30 three\n");
}

TEST_CASE("malformed lines of a perf map are passed over") {
  CHECK(listed("broken\n10\n10 8\n10 8 \nzz 8 x\n10 zz x\n10 0 empty\nffffffffffffffff 8 beyond\n30 8 kept\n\n") ==
        "30-38 kept\n");
}

} // namespace
} // namespace inspect
