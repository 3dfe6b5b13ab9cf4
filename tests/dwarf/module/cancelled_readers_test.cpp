// What is made whole of a module's file, and takes long for large ones, ends when the command is cancelled; asked again
// it gives what it gives to whoever asks first.
#include "dwarf/names/name_job.h"
#include "dwarf/symbolize/line_resolver.h"
#include "dwarf/symbols/plt_names.h"
#include "dwarf/symbols/symbol_table.h"
#include "machine/cancellation_point.h"
#include "tests/dwarf/memory_of_self.h"
#include "tests/dwarf/toolchain.h"

#include <functional>

/// Something in this program that has a symbol and lines.
extern "C" [[gnu::used]] int function_of_this_test() {
  return 1;
}

namespace inspect {
namespace {

std::string symbol_here(Module &module) {
  const auto symbol = symbols_of(module).by_name("function_of_this_test");
  return symbol ? std::to_string(symbol->address.value) : "";
}

std::string lines_here(Module &module) {
  std::string text;
  const auto symbol = symbols_of(module).by_name("function_of_this_test");
  if (symbol)
    for (const SourceFrame &frame : lines_of(module).at(symbol->address))
      text += frame.function + " " + frame.file + ":" + std::to_string(frame.line) + "\n";
  return text;
}

std::string function_range(Module &module) {
  const auto symbol = symbols_of(module).by_name("function_of_this_test");
  const auto range = symbol ? lines_of(module).function_range(symbol->address) : std::nullopt;
  return range ? std::to_string(range->begin.value) + "-" + std::to_string(range->end.value) : "";
}

TEST_CASE("readers of large files end when they are cancelled, and keep nothing half-made") {
  const test::LocalFiles files;
  const std::string path = "/proc/self/exe"; // large enough to have all of it
  const std::pair<const char *, std::function<std::string(Module &)>> readers[] = {
      {"symbols", symbol_here},
      {"lines", lines_here},
      {"functions", function_range},
  };
  for (const auto &[name, read] : readers) {
    INFO(name);
    const auto fresh = test::open_file(path, files);
    REQUIRE(fresh.has_value());
    const std::string whole = read(**fresh);
    CHECK_FALSE(whole.empty());

    const auto module = test::open_file(path, files);
    REQUIRE(module.has_value());
    Cancellation cancellation;
    cancellation.request();
    {
      const CancellationScope scope(&cancellation);
      CHECK_THROWS_AS(read(**module), Cancelled);
    }
    CHECK(read(**module) == whole);

    // Where what it stands on is there already, it is itself that ends.
    const auto prepared = test::open_file(path, files);
    REQUIRE(prepared.has_value());
    if (std::string_view(name) != "symbols") {
      symbol_here(**prepared);
      const CancellationScope scope(&cancellation);
      CHECK_THROWS_AS(read(**prepared), Cancelled);
    }
    CHECK(read(**prepared) == whole);
  }
}

TEST_CASE("the names of a file are given up when they are cancelled") {
  const test::LocalFiles files;
  const auto module = test::open_file("/proc/self/exe", files);
  REQUIRE(module.has_value());
  const NameJob job = name_job(**module);
  Cancellation cancellation;
  cancellation.request();
  const auto cancelled = open_names(job, {}, &cancellation);
  REQUIRE_FALSE(cancelled.has_value());
  CHECK(cancelled.error().kind() == ErrorKind::cancelled);
  CHECK(open_names(job, {}).has_value());
}

} // namespace
} // namespace inspect
