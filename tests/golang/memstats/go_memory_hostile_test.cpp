// the memory statistics of Go versions that are not known, of malformed memory, and figures that contradict each
// other.
#include "golang/memstats/go_memory_reader.h"
#include "golang/memstats/memory_variables.h"
#include "tests/golang/changed_memory.h"
#include "tests/golang/go_process.h"
#include "tests/golang/memstats/memory_figures.h"
#include "tests/golang/other_version.h"
#include "tests/support/fuzz_rounds.h"

#include <csignal>

namespace inspect {
namespace {

using namespace test;

void start(GoProcess &process) {
  process.child().wait_for_line();
  process.open();
}

} // namespace

TEST_CASE("the memory statistics of a Go version to come are read with the layout that fits") {
  for_each_go([](const GoToolchain &go) {
    const TemporaryDirectory folder;
    GoProcess process({with_version(build_go(go, "memory_statistics"), go.version, far_version(go), folder)});
    start(process);
    const auto runtime = GoRuntime::open(process.modules(), process.memory());
    REQUIRE(runtime);
    const auto reader = GoMemoryReader::open(**runtime, process.memory());
    if (!reader)
      FAIL(reader.error().message());
    const std::vector<std::string> warnings = (*reader)->take_warnings();
    REQUIRE(warnings.size() == 1);
    CHECK(warnings[0].find("the memory statistics of " + far_version(go) + " are read as those of Go 1." +
                           std::to_string(go.minor)) == 0);
    std::string different = "never read";
    for (int attempt = 0; attempt < 10 && !different.empty(); ++attempt) {
      process.child().write("ab");
      process.child().wait_for_line("allocated");
      MemoryFigures own = parse_memory_figures(process.child().read_line());
      if (go.minor < 19)
        own.erase("memory_limit");
      different = differences(own, read_memory_figures(**reader));
    }
    CHECK(different == "");
  });
}

TEST_CASE("figures of a Go runtime that contradict each other are refused with the difference") {
  for_each_go([](const GoToolchain &go) {
    GoProcess process({build_go(go, "memory_statistics")});
    start(process);
    process.child().signal(SIGSTOP);
    ChangedMemory memory(process.memory());
    const auto runtime = GoRuntime::open(process.modules(), memory);
    REQUIRE(runtime);
    const auto reader = GoMemoryReader::open(**runtime, memory);
    REQUIRE(reader);
    const auto none = (*reader)->statistics();
    REQUIRE_FALSE(none);
    CHECK(none.error().kind() == ErrorKind::not_found);
    REQUIRE((*reader)->copy());
    CHECK((*reader)->statistics());
    const auto variables = find_memory_variables(**runtime, memory);
    REQUIRE(variables);
    const MemoryLayout &layout = *variables->layout;
    const RunAddress in_use = layout.stats.heap_inuse >= 0
                                  ? variables->stats + static_cast<std::uint64_t>(layout.stats.heap_inuse)
                                  : variables->controller + static_cast<std::uint64_t>(layout.controller.heap_in_use);
    const std::uint64_t bytes = read_word(memory, in_use).value();
    // As much as a thread may have been about to count: the other count is taken.
    memory.write_word(in_use, bytes + 81920);
    REQUIRE((*reader)->copy());
    const auto settled = (*reader)->statistics();
    REQUIRE(settled);
    CHECK(settled->heap_inuse == bytes);
    CHECK(*settled->heap_idle + *settled->heap_inuse == *settled->heap_sys);
    const std::vector<std::string> warnings = (*reader)->take_warnings();
    REQUIRE_FALSE(warnings.empty());
    CHECK(warnings.front().find(" 81920 apart; the sums are shown") != std::string::npos);
    memory.write_word(in_use, bytes + (std::uint64_t{1} << 30));
    REQUIRE((*reader)->copy());
    const auto contradicting = (*reader)->statistics();
    REQUIRE_FALSE(contradicting);
    CHECK(contradicting.error().kind() == ErrorKind::corrupt);
    CHECK(contradicting.error().message().find("heap in use is") != std::string::npos);
    CHECK(contradicting.error().message().ends_with(" 1073741824 apart"));
  });
}

TEST_CASE("a Go heap that fits no layout is refused with the reason") {
  for_each_go([](const GoToolchain &go) {
    GoProcess process({build_go(go, "memory_statistics")});
    start(process);
    process.child().signal(SIGSTOP);
    ChangedMemory memory(process.memory());
    const auto runtime = GoRuntime::open(process.modules(), memory);
    REQUIRE(runtime);
    const auto variables = find_memory_variables(**runtime, memory);
    REQUIRE(variables);
    memory.write_word(variables->heap + static_cast<std::uint64_t>(variables->layout->heap.span_size), 7777);
    const auto reader = GoMemoryReader::open(**runtime, memory);
    REQUIRE_FALSE(reader);
    CHECK(reader.error().kind() == ErrorKind::unsupported);
    CHECK(reader.error().message().find("its spans have 7777 bytes instead of") != std::string::npos);
    CHECK_FALSE(reader.error().remedy().empty());
  });
}

TEST_CASE("damaged memory ends the reading of the memory statistics, not the program") {
  for_each_go([](const GoToolchain &go) {
    const bool stripped = go.minor % 2 == 0;
    GoProcess process({build_go(go, "memory_statistics", stripped ? GoVariant::stripped : GoVariant::plain)});
    start(process);
    process.child().signal(SIGSTOP);
    const auto runtime = GoRuntime::open(process.modules(), process.memory());
    REQUIRE(runtime);
    const auto intact = find_memory_variables(**runtime, process.memory());
    REQUIRE(intact);
    for (int round = 0; fuzz_goes_on(round, 20); ++round) {
      const auto seed = static_cast<unsigned>(round);
      const DamagedMemory damaged(process.memory(), seed, std::uint64_t{1} << (1 + seed % 16));
      const auto reader = GoMemoryReader::open(**runtime, damaged);
      if (!reader)
        continue;
      if (const auto copied = (*reader)->copy(); !copied)
        CHECK_FALSE(copied.error().message().empty());
      if (const auto statistics = (*reader)->statistics())
        CHECK(statistics->recent_pauses_ns.size() <= 256);
      if (const auto ranges = (*reader)->ranges())
        for (const GoMemoryRange &range : *ranges)
          CHECK(range.range.begin < range.range.end);
    }
  });
}

} // namespace inspect
