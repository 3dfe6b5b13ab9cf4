#include "golang/go_memory_books.h"

#include "tests/golang/go_process.h"
#include "tests/support/catch.h"
#include "tests/support/go_toolchain.h"

#include <algorithm>
#include <bit>
#include <map>
#include <sstream>

namespace inspect {
namespace {

using namespace test;

using Figures = std::map<std::string, std::string>;

/// "books alloc=1 … pause=2 pause=3": several of a name are joined by commas.
Figures parse_figures(const std::string &line) {
  Figures figures;
  std::istringstream words(line);
  for (std::string word; words >> word;)
    if (const std::size_t equal = word.find('='); equal != std::string::npos) {
      std::string &value = figures[word.substr(0, equal)];
      value += (value.empty() ? "" : ",") + word.substr(equal + 1);
    }
  return figures;
}

/// Under the names of the fixture; absent ones are left out.
Figures figures_of(const GoMemoryStatistics &books) {
  Figures figures;
  const auto add = [&](const char *name, const auto &value) {
    if (value)
      figures[name] = std::to_string(static_cast<std::uint64_t>(*value));
  };
  add("alloc", books.alloc);
  add("total_alloc", books.total_alloc);
  add("sys", books.sys);
  add("lookups", books.lookups);
  add("mallocs", books.mallocs);
  add("frees", books.frees);
  add("heap_alloc", books.heap_alloc);
  add("heap_sys", books.heap_sys);
  add("heap_idle", books.heap_idle);
  add("heap_inuse", books.heap_inuse);
  add("heap_released", books.heap_released);
  add("heap_objects", books.heap_objects);
  add("stack_inuse", books.stack_inuse);
  add("stack_sys", books.stack_sys);
  add("mspan_inuse", books.mspan_inuse);
  add("mspan_sys", books.mspan_sys);
  add("mcache_inuse", books.mcache_inuse);
  add("mcache_sys", books.mcache_sys);
  add("buck_hash_sys", books.buck_hash_sys);
  add("gc_sys", books.gc_sys);
  add("other_sys", books.other_sys);
  add("next_gc", books.next_gc);
  add("last_gc", books.last_gc);
  add("pause_total_ns", books.pause_total_ns);
  add("num_gc", books.num_gc);
  add("num_forced_gc", books.num_forced_gc);
  add("gogc", books.gogc);
  add("memory_limit", books.memory_limit);
  add("gomaxprocs", books.gomaxprocs);
  add("goroutines", books.goroutines);
  if (books.gc_cpu_fraction)
    figures["gc_cpu_fraction"] = std::to_string(std::bit_cast<std::uint64_t>(*books.gc_cpu_fraction));
  for (const std::uint64_t pause : books.recent_pauses_ns) {
    std::string &value = figures["pause"];
    value += (value.empty() ? "" : ",") + std::to_string(pause);
  }
  return figures;
}

Figures read_figures(GoMemoryBooks &books) {
  const auto copied = books.copy();
  if (!copied)
    FAIL(copied.error().message());
  const auto statistics = books.statistics();
  if (!statistics)
    return {{"error", statistics.error().message()}};
  return figures_of(*statistics);
}

std::string differences(const Figures &own, const Figures &read) {
  std::string text;
  for (const auto &[name, value] : own) {
    const auto found = read.find(name);
    if (found == read.end())
      text += name + " is " + value + " and was not read\n";
    else if (found->second != value)
      text += name + " is " + value + ", read as " + found->second + "\n";
  }
  if (const auto error = read.find("error"); error != read.end())
    text += error->second;
  return text;
}

std::unique_ptr<GoMemoryBooks> open_books(GoRuntime &runtime, const MemoryView &memory) {
  auto books = GoMemoryBooks::open(runtime, memory);
  if (!books)
    FAIL(books.error().message());
  return std::move(*books);
}

struct Settings {
  const char *gogc;
  const char *limit;
  const char *processors;
};

/// Both before and after the program flushed its Ps' caches to read its own books. It rests meanwhile, but the runtime
/// has threads of its own (sysmon, the scavenger): it is asked again until nothing moved between three looks.
void check_books(const std::string &program, const Settings &settings, const Figures &without) {
  GoProcess process({program, settings.gogc, settings.limit, settings.processors});
  process.child().wait_for_line();
  process.open();
  const auto runtime = GoRuntime::open(process.modules(), process.memory());
  if (!runtime)
    FAIL(runtime.error().message());
  const auto books = open_books(**runtime, process.memory());
  std::string before;
  std::string after;
  for (int attempt = 0; attempt < 10; ++attempt) {
    process.child().write("a");
    process.child().wait_for_line("allocated");
    const Figures unflushed = read_figures(*books);
    process.child().write("b");
    Figures own = parse_figures(process.child().read_line());
    for (const auto &[name, reason] : without)
      own.erase(name);
    before = differences(own, unflushed);
    after = differences(own, read_figures(*books));
    if (before.empty() && after.empty())
      break;
  }
  CHECK(before == "");
  CHECK(after == "");
  for (const std::string &warning : books->take_warnings())
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

} // namespace

TEST_CASE("a Go program's own figures of its memory are read from outside") {
  for_each_go([](const GoToolchain &go) {
    Figures without;
    if (go.minor < 19)
      without["memory_limit"] = "came with Go 1.19";
    for (const GoVariant variant : go_variants()) {
      for (const Settings settings : {Settings{"-1", "67108864", "2"}, Settings{"400", "9223372036854775807", "3"}}) {
        INFO(variant_name(variant) << ", GOGC=" << settings.gogc);
        check_books(build_go(go, "memory_books", variant), settings, without);
      }
    }
  });
}

TEST_CASE("the address ranges of a Go runtime are its arenas, its stacks and its tables") {
  for_each_go([](const GoToolchain &go) {
    for (const GoVariant variant : {GoVariant::plain, GoVariant::stripped}) {
      INFO(variant_name(variant));
      GoProcess process({build_go(go, "memory_books", variant)});
      process.child().wait_for_line();
      process.open();
      const auto runtime = GoRuntime::open(process.modules(), process.memory());
      REQUIRE(runtime);
      const auto books = open_books(**runtime, process.memory());
      const Figures figures = read_figures(*books);
      const auto ranges = books->ranges();
      REQUIRE(ranges);
      // At rest no stack comes or goes.
      CHECK(std::to_string(bytes_of(*ranges, GoRangeUse::stack)) == figures.at("stack_inuse"));
      CHECK(bytes_of(*ranges, GoRangeUse::heap_arena) >= std::stoull(figures.at("heap_sys")));
      for (std::size_t i = 0; i < ranges->size(); ++i)
        for (std::size_t j = 0; j < i; ++j)
          if ((*ranges)[i].use != GoRangeUse::stack)
            CHECK_FALSE(touches({(*ranges)[j]}, (*ranges)[i].range));
      std::string unknown;
      for (const MappedMemory &mapped : process.mapped())
        if ((mapped.name.empty() || mapped.name.starts_with("[anon: Go")) &&
            std::ranges::none_of(process.images(),
                                 [&](const GoImage &image) { return image.module->contains(mapped.range.begin); }) &&
            !touches(*ranges, mapped.range))
          unknown += std::to_string(mapped.range.begin.value) + " " + std::to_string(mapped.range.size()) + " " +
                     mapped.name + "\n";
      CHECK(unknown == "");
    }
  });
}

} // namespace inspect
