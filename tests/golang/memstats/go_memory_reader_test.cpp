#include "golang/memstats/go_memory_reader.h"

#include "tests/golang/go_process.h"
#include "tests/golang/memstats/memory_figures.h"
#include "tests/golang/unwind/stopped_go.h"
#include "tests/support/catch.h"
#include "tests/support/go_toolchain.h"

#include <algorithm>

namespace inspect {
namespace {

using namespace test;

constexpr std::string_view busy_heap = R"(package main

import "fmt"

type node struct {
	left, right *node
	room        [5]int
}

var blocks [4][]byte
var trees [4]*node

func tree(depth int) *node {
	if depth == 0 {
		return nil
	}
	return &node{left: tree(depth - 1), right: tree(depth - 1)}
}

func work(mine int) {
	for i := 0; ; i++ {
		blocks[mine] = make([]byte, 1+i%70000)
		if i%64 == 0 {
			trees[mine] = tree(10)
		}
	}
}

func main() {
	for i := range blocks {
		go work(i)
	}
	fmt.Println("ready")
	select {}
}
)";

std::unique_ptr<GoMemoryReader> open_reader(GoRuntime &runtime, const MemoryView &memory) {
  auto reader = GoMemoryReader::open(runtime, memory);
  if (!reader)
    FAIL(reader.error().message());
  return std::move(*reader);
}

struct Settings {
  const char *gogc;
  const char *limit;
  const char *processors;
};

/// Both before and after the program flushed its Ps' caches to read its own statistics. It rests meanwhile, but the
/// runtime has threads of its own (sysmon, the scavenger): it is asked again until nothing moved between three looks.
void check_statistics(const std::string &program, const Settings &settings, const MemoryFigures &without) {
  GoProcess process({program, settings.gogc, settings.limit, settings.processors});
  process.child().wait_for_line();
  process.open();
  const auto runtime = GoRuntime::open(process.modules(), process.memory());
  if (!runtime)
    FAIL(runtime.error().message());
  const auto reader = open_reader(**runtime, process.memory());
  std::string before;
  std::string after;
  for (int attempt = 0; attempt < 10; ++attempt) {
    process.child().write("a");
    process.child().wait_for_line("allocated");
    const MemoryFigures unflushed = read_memory_figures(*reader);
    process.child().write("b");
    MemoryFigures own = parse_memory_figures(process.child().read_line());
    for (const auto &[name, reason] : without)
      own.erase(name);
    before = differences(own, unflushed);
    after = differences(own, read_memory_figures(*reader));
    if (before.empty() && after.empty())
      break;
  }
  CHECK(before == "");
  CHECK(after == "");
  for (const std::string &warning : reader->take_warnings())
    CHECK_FALSE(warning.empty());
}

std::uint64_t bytes_of(const std::vector<GoMemoryRange> &ranges, GoRangeUse use) {
  std::uint64_t bytes = 0;
  for (const GoMemoryRange &range : ranges)
    bytes += range.use == use ? range.range.size() : 0;
  return bytes;
}

bool touches(const std::vector<GoMemoryRange> &ranges, RunRange other) {
  return std::ranges::any_of(ranges, [&](const GoMemoryRange &range) {
    return range.range.begin < other.end && other.begin < range.range.end;
  });
}

/// Bytes of the mapping that are in the arenas or tables.
std::uint64_t covered(const std::vector<GoMemoryRange> &ranges, RunRange mapping) {
  std::uint64_t bytes = 0;
  for (const GoMemoryRange &range : ranges)
    if (range.use != GoRangeUse::stack)
      bytes += RunRange{std::max(range.range.begin, mapping.begin), std::min(range.range.end, mapping.end)}.size();
  return bytes;
}

/// Not of the program's data, and not small: now and then there are two pages that no list leads to.
bool is_anonymous(const GoProcess &process, const MappedMemory &mapped) {
  constexpr std::uint64_t small = 64 << 10;
  return mapped.range.size() >= small && (mapped.name.empty() || mapped.name.starts_with("[anon: Go")) &&
         !process.image().module->contains(mapped.range.begin);
}

} // namespace

TEST_CASE("a Go program's own figures of its memory are read from outside") {
  for_each_go([](const GoToolchain &go) {
    MemoryFigures without;
    if (go.minor < 19)
      without["memory_limit"] = "came with Go 1.19";
    for (const GoVariant variant : go_variants()) {
      for (const Settings settings : {Settings{"-1", "67108864", "2"}, Settings{"400", "9223372036854775807", "3"}}) {
        INFO(variant_name(variant) << ", GOGC=" << settings.gogc);
        check_statistics(build_go(go, "memory_statistics", variant), settings, without);
      }
    }
  });
}

TEST_CASE("the address ranges of a Go runtime are its arenas, its stacks and its tables") {
  for_each_go([](const GoToolchain &go) {
    for (const GoVariant variant : {GoVariant::plain, GoVariant::stripped}) {
      INFO(variant_name(variant));
      GoProcess process({build_go(go, "memory_statistics", variant)});
      process.child().wait_for_line();
      process.open();
      const auto runtime = GoRuntime::open(process.modules(), process.memory());
      REQUIRE(runtime);
      const auto reader = open_reader(**runtime, process.memory());
      MemoryFigures figures;
      Result<std::vector<GoMemoryRange>> ranges;
      // A thread that the runtime starts meanwhile gets a stack.
      for (int attempt = 0; attempt < 10; ++attempt) {
        figures = read_memory_figures(*reader);
        ranges = reader->ranges();
        REQUIRE(ranges);
        if (std::to_string(bytes_of(*ranges, GoRangeUse::stack)) == figures["stack_inuse"])
          break;
      }
      CHECK(std::to_string(bytes_of(*ranges, GoRangeUse::stack)) == figures["stack_inuse"]);
      CHECK(bytes_of(*ranges, GoRangeUse::heap_arena) >= std::stoull(figures["heap_sys"]));
      std::size_t overlapping = 0;
      for (std::size_t i = 0; i < ranges->size(); ++i)
        for (std::size_t j = 0; j < i; ++j)
          if ((*ranges)[i].use != GoRangeUse::stack && touches({(*ranges)[j]}, (*ranges)[i].range))
            ++overlapping;
      CHECK(overlapping == 0);
      std::string unknown;
      for (const MappedMemory &mapped : process.mapped())
        if (is_anonymous(process, mapped) && covered(*ranges, mapped.range) < mapped.range.size() / 2)
          unknown += std::to_string(mapped.range.begin.value) + " " + std::to_string(mapped.range.size()) + "\n";
      CHECK(unknown == "");
    }
  });
}

TEST_CASE(
    "the memory statistics of a busy Go program are found without symbols, and hold together where it is stopped") {
  for_each_go([](const GoToolchain &go) {
    ChildProcess child({build_go_text(go, "busy_heap", busy_heap, GoVariant::stripped)});
    child.wait_for_line();
    StoppedGo target(child.pid());
    for (int round = 0; round < 5; ++round) {
      const auto reader = open_reader(target.runtime(), target.memory());
      CHECK(reader->take_warnings().empty());
      MemoryFigures figures;
      // A thread may be stopped between two counters, and again before it has run.
      wait_until([&] {
        target.stop();
        figures = read_memory_figures(*reader);
        target.release();
        return !figures.contains("error");
      });
      CHECK(figures["error"] == "");
      // Without its variable it is known where nothing else raised the goal.
      CHECK((go.minor == 16 || figures["gogc"] == "100"));
      CHECK(figures["goroutines"] == "5");
    }
  });
}

} // namespace inspect
