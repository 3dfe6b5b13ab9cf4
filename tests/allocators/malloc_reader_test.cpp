#include "allocators/malloc_search.h"
#include "tests/allocators/malloc_process.h"
#include "tests/support/catch.h"
#include "tests/support/skip.h"

#include <algorithm>
#include <cstdlib>
#include <sstream>

namespace inspect::test {
namespace {

struct Variant {
  std::vector<std::string> command;
  std::vector<std::string> debug_directories;
  std::string version;
  bool from_memory = false; ///< as if all files had been deleted
};

/// Every word of mallinfo2(3), in its own order of names.
std::map<std::string, std::uint64_t> by_name(const MallocTotals &totals) {
  REQUIRE(totals.hblks.has_value());
  REQUIRE(totals.hblkhd.has_value());
  return {{"arena", totals.arena},       {"ordblks", totals.ordblks},   {"smblks", totals.smblks},
          {"hblks", *totals.hblks},      {"hblkhd", *totals.hblkhd},    {"fsmblks", totals.fsmblks},
          {"uordblks", totals.uordblks}, {"fordblks", totals.fordblks}, {"keepcost", totals.keepcost}};
}

std::unique_ptr<MallocReader> open_reader(MallocProcess &process) {
  auto reader = MallocReader::open(process.modules(), process.memory());
  REQUIRE(reader.has_value());
  return std::move(*reader);
}

/// The part of a mapping, from its begin on, that is blocks which the program knows to be mapped by themselves: header
/// and alignment are in front of them, and what is left of a page behind.
double mapped_part(const ToldByMalloc &told, RunRange mapping) {
  constexpr std::uint64_t max_between = 0x12000;
  RunAddress end = mapping.begin;
  for (const RunRange &block : told.mapped_blocks)
    if (block.begin >= end && block.end <= mapping.end && block.begin - end < max_between)
      end = block.end;
  return static_cast<double>(end - mapping.begin) / static_cast<double>(mapping.size());
}

/// Which mappings malloc made for single blocks. Beside others they may have become part of any mapping.
void check_mapped_chunks(const MallocProcess &process, const MallocReader &reader) {
  for (const auto &[range, name] : process.mappings()) {
    INFO(std::hex << range.begin.value << " " << name);
    const double part = mapped_part(process.told(), range);
    if (part > 0.55 || part < 0.45)
      CHECK(reader.is_mapped_chunk(range) == (part > 0.5));
  }
}

/// With this machine's glibc, linked in both ways, and with those in the folders that INSPECT_GLIBC_DIRECTORIES names
/// (docs/add-a-glibc-version.md).
std::vector<Variant> variants() {
  const std::string program = fixture_path("malloc_arenas");
  std::vector<Variant> all = {{{program}, {"/usr/lib/debug"}, "2."},
                              {{program}, {}, "2."},
                              {{program}, {}, "2.", true},
                              {{fixture_path("malloc_arenas_static")}, {}, ""},
                              {{fixture_path("malloc_arenas_static_stripped")}, {}, ""}};
  const char *folders = std::getenv("INSPECT_GLIBC_DIRECTORIES");
  std::istringstream list(folders != nullptr ? folders : "");
  for (std::string folder; std::getline(list, folder, ':');)
    all.push_back({{folder + "/ld-linux-x86-64.so.2", "--library-path", folder, program}, {}, "2."});
  return all;
}

TEST_CASE("malloc statistics are what mallinfo2 and malloc_info of the process say") {
  for (Variant &variant : variants()) {
    INFO(variant.command.front() << " with debug files from " << variant.debug_directories.size() << " folders");
    variant.command.emplace_back("5");
    MallocProcess process(variant.command, {.debug_directories = variant.debug_directories}, variant.from_memory);
    const auto reader = open_reader(process);
    if (!variant.from_memory) // with and without: the figures are the same
      reader->prepare();
    REQUIRE(reader->copy().has_value());
    const MallocStatistics statistics = reader->statistics();
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
    CHECK(process.told().mapped_blocks.size() == 4);
    check_mapped_chunks(process, *reader);
  }
}

TEST_CASE("malloc statistics are there before malloc was called") {
  for (const std::string program : {"malloc_arenas", "malloc_arenas_static", "malloc_arenas_static_stripped"}) {
    INFO(program);
    MallocProcess process({fixture_path(program), "0"}, {.debug_directories = {}});
    const auto reader = open_reader(process);
    REQUIRE(reader->copy().has_value());
    const MallocStatistics statistics = reader->statistics();
    CHECK(statistics.complete);
    CHECK(statistics.arenas.size() == 1);
    process.child().write("x");
    CHECK(by_name(statistics.totals) == process.listen().totals);
  }
}

TEST_CASE("A walk of malloc's lists ends where it may not go on") {
  MallocProcess process({fixture_path("malloc_arenas"), "2"});
  const auto reader = open_reader(process);
  REQUIRE(reader->copy().has_value());
  const MallocTotals all = reader->statistics().totals;
  REQUIRE(reader->copy(100).has_value());
  const MallocStatistics few = reader->statistics();
  CHECK_FALSE(few.complete);
  CHECK(few.why_incomplete == "there are more than 100 free chunks");
  CHECK(few.totals.ordblks + few.totals.smblks == 100 + few.arenas.size());
  CHECK(few.totals.arena == all.arena);
  CHECK(few.totals.keepcost == all.keepcost);
  CHECK(few.totals.fordblks < all.fordblks);
  CHECK(few.totals.hblkhd == all.hblkhd);
}

TEST_CASE("The table of malloc's layouts is what libc's debug information says") {
  MallocProcess process({fixture_path("malloc_arenas"), "1"});
  const auto place = find_malloc(process.modules(), process.memory());
  REQUIRE(place.has_value());
  const auto described = described_malloc_layout(*place->module, place->version);
  if (!described)
    SKIP_TEST("libc's debug information is not installed");
  CHECK(described->state == place->layout.state);
  CHECK(described->parameters == place->layout.parameters);
}

} // namespace
} // namespace inspect::test
