#include "tests/allocators/malloc_process.h"
#include "tests/support/catch.h"

#include <algorithm>

namespace inspect::test {
namespace {

struct Variant {
  std::string program;
  std::vector<std::string> debug_directories;
  std::string version;
};

/// Every word of mallinfo2(3), in its own order of names.
std::map<std::string, std::uint64_t> by_name(const MallocTotals &totals) {
  REQUIRE(totals.hblks.has_value());
  REQUIRE(totals.hblkhd.has_value());
  return {{"arena", totals.arena},       {"ordblks", totals.ordblks},   {"smblks", totals.smblks},
          {"hblks", *totals.hblks},      {"hblkhd", *totals.hblkhd},    {"fsmblks", totals.fsmblks},
          {"uordblks", totals.uordblks}, {"fordblks", totals.fordblks}, {"keepcost", totals.keepcost}};
}

TEST_CASE("malloc's books are what mallinfo2 and malloc_info of the process say") {
  const std::vector<Variant> variants = {{"malloc_arenas", {"/usr/lib/debug"}, "2."},
                                         {"malloc_arenas", {}, "2."},
                                         {"malloc_arenas_static", {}, ""},
                                         {"malloc_arenas_static_stripped", {}, ""}};
  for (const Variant &variant : variants) {
    INFO(variant.program << " with debug files from " << variant.debug_directories.size() << " directories");
    MallocProcess process({fixture_path(variant.program), "5"}, {.debug_directories = variant.debug_directories});
    auto books = MallocBooks::open(process.modules(), process.memory());
    REQUIRE(books.has_value());
    REQUIRE((*books)->copy().has_value());
    const MallocStatistics statistics = (*books)->statistics();
    INFO(statistics.why_incomplete);
    CHECK(statistics.complete);
    CHECK(statistics.version.starts_with(variant.version));
    CHECK(by_name(statistics.totals) == process.told().totals);
    const std::vector<ToldArena> &told = process.told().arenas;
    REQUIRE(statistics.arenas.size() == told.size());
    REQUIRE(told.size() > 1);
    for (std::size_t i = 0; i < told.size(); ++i) {
      const MallocArena &arena = statistics.arenas[i];
      CHECK(arena.is_main == (i == 0));
      CHECK(arena.system_bytes == told[i].system);
      CHECK(arena.fast_bins == told[i].fast);
      CHECK(arena.free == told[i].rest + told[i].fast);
      CHECK(arena.heaps.size() == told[i].subheaps);
      CHECK(arena.attached_threads == 1);
    }
    process.child().close_stdin();
  }
}

} // namespace
} // namespace inspect::test
