#include "allocators/malloc_search.h"
#include "tests/allocators/malloc_process.h"
#include "tests/support/catch.h"
#include "tests/support/fuzz_rounds.h"

#include <algorithm>
#include <functional>
#include <optional>
#include <random>

namespace inspect::test {
namespace {

/// A process' memory with some words replaced, and on request about one byte in `rarity` of all that is read.
class DamagedStatistics final : public MemoryView {
public:
  explicit DamagedStatistics(const MemoryView &intact) : intact_(intact) {}

  void replace(RunAddress address, std::uint64_t word) { words_[address] = word; }
  void repair() { words_.clear(); }
  void damage(unsigned rarity, std::uint64_t seed) {
    rarity_ = rarity;
    random_.seed(seed);
  }

  Result<void> read(RunAddress address, std::span<std::byte> into) const override {
    if (auto done = intact_.read(address, into); !done)
      return done;
    for (const auto &[place, word] : words_)
      if (place >= address && place - address + sizeof word <= into.size())
        std::memcpy(into.data() + (place - address), &word, sizeof word);
    for (std::size_t at = rarity_ == 0 ? into.size() : random_() % rarity_; at < into.size(); at += random_() % rarity_)
      into[at] = static_cast<std::byte>(random_());
    return {};
  }

private:
  const MemoryView &intact_;
  std::map<RunAddress, std::uint64_t> words_;
  unsigned rarity_ = 0; ///< 0: nothing at random
  mutable std::mt19937_64 random_;
};

/// What holds of every result, however wrong the memory was.
void check_plausible(const MallocStatistics &statistics) {
  CHECK(statistics.complete == statistics.why_incomplete.empty());
  std::uint64_t system = 0;
  for (const MallocArena &arena : statistics.arenas) {
    CHECK(arena.free + arena.in_use == arena.system_bytes);
    CHECK(arena.free <= arena.system_bytes);
    CHECK(arena.top <= arena.free);
    CHECK(arena.fast_bins <= arena.free);
    system += arena.system_bytes;
  }
  CHECK(statistics.totals.arena == system);
  CHECK(statistics.totals.uordblks + statistics.totals.fordblks == system);
}

struct Damage {
  std::string what;
  std::string complaint; ///< a part of what is said; empty: the copy fails, and `error` is a part of why
  std::string error;
  std::function<void(const ArenaCopy &arena, const MallocStateLayout &layout, DamagedStatistics &memory)> inflict;
};

/// A bin that has more than one chunk.
unsigned filled_bin(const ArenaCopy &arena) {
  for (unsigned bin = 2; bin <= malloc_bin_count; ++bin)
    if (arena.bin_last(bin) != arena.bin(bin) && arena.bin_last(bin) != arena.bin_first(bin))
      return bin;
  FAIL("no bin has two chunks");
  return 0;
}

unsigned filled_fast_bin(const ArenaCopy &arena) {
  for (unsigned bin = 0; bin < arena.fast_bin_count(); ++bin)
    if (arena.fast_bin(bin).value != 0)
      return bin;
  return 0;
}

const std::vector<Damage> &damages() {
  static const std::vector<Damage> all = {
      {"a bin that goes in a circle", "does not point back", "",
       [](const ArenaCopy &arena, const MallocStateLayout &, DamagedStatistics &memory) {
         const RunAddress chunk = arena.bin_last(filled_bin(arena));
         memory.replace(chunk + 24, chunk.value);
       }},
      {"a bin that leads out of memory", "cannot be read", "",
       [](const ArenaCopy &arena, const MallocStateLayout &, DamagedStatistics &memory) {
         memory.replace(arena.bin_last(filled_bin(arena)) + 24, 0x10);
       }},
      {"a bin that leads to an odd address", "a bin goes on at 0x7", "",
       [](const ArenaCopy &arena, const MallocStateLayout &, DamagedStatistics &memory) {
         memory.replace(arena.bin_last(filled_bin(arena)) + 24, 7);
       }},
      {"a bin that ends too early", "do not lead to", "",
       [](const ArenaCopy &arena, const MallocStateLayout &, DamagedStatistics &memory) {
         const unsigned bin = filled_bin(arena);
         memory.replace(arena.bin_last(bin) + 24, arena.bin(bin).value);
       }},
      {"a free chunk without a size", "has 0 bytes", "",
       [](const ArenaCopy &arena, const MallocStateLayout &, DamagedStatistics &memory) {
         memory.replace(arena.bin_last(filled_bin(arena)) + 8, 1);
       }},
      {"a free chunk larger than the arena", "has more free chunks than bytes", "",
       [](const ArenaCopy &arena, const MallocStateLayout &, DamagedStatistics &memory) {
         memory.replace(arena.bin_last(126).value != arena.bin(126).value ? arena.bin_last(126) + 8
                                                                          : arena.bin_last(1) + 8,
                        std::uint64_t{1} << 40U);
       }},
      {"a top chunk larger than the arena", "would be larger than its arena", "",
       [](const ArenaCopy &arena, const MallocStateLayout &, DamagedStatistics &memory) {
         memory.replace(arena.top() + 8, std::uint64_t{1} << 40U);
       }},
      {"an arena that follows itself outside of the circle", "", "do not form a circle",
       [](const ArenaCopy &arena, const MallocStateLayout &layout, DamagedStatistics &memory) {
         memory.replace(arena.next() + layout.next, arena.next().value);
       }},
      {"an arena that has a bin of nonsense", "", "no arena of malloc is at",
       [](const ArenaCopy &arena, const MallocStateLayout &layout, DamagedStatistics &memory) {
         memory.replace(arena.address() + layout.bins + 160, 0x123456789);
       }},
      {"an arena of more bytes than it ever had", "", "no arena of malloc is at",
       [](const ArenaCopy &arena, const MallocStateLayout &layout, DamagedStatistics &memory) {
         memory.replace(arena.address() + layout.system_mem, std::uint64_t{1} << 46U);
       }},
  };
  return all;
}

TEST_CASE("Damaged structures of malloc are an error or incomplete, and say what is wrong") {
  MallocProcess process({fixture_path("malloc_arenas"), "2"}, {.debug_directories = {}});
  DamagedStatistics memory(process.memory());
  const auto place = find_malloc(process.modules(), memory);
  REQUIRE(place.has_value());
  const auto reader = MallocReader::open(process.modules(), memory);
  REQUIRE(reader.has_value());
  const auto main = read_arena(memory, place->main_arena, place->layout.state);
  REQUIRE(main.has_value());
  for (const Damage &damage : damages()) {
    INFO(damage.what);
    memory.repair();
    damage.inflict(*main, place->layout.state, memory);
    const auto copied = (*reader)->copy();
    if (!damage.error.empty()) {
      REQUIRE_FALSE(copied.has_value());
      CHECK(copied.error().message().find(damage.error) != std::string::npos);
      continue;
    }
    REQUIRE(copied.has_value());
    const MallocStatistics statistics = (*reader)->statistics();
    CHECK_FALSE(statistics.complete);
    CHECK(statistics.why_incomplete.find(damage.complaint) != std::string::npos);
    check_plausible(statistics);
  }
  if (const unsigned bin = filled_fast_bin(*main); main->fast_bin(bin).value != 0) { // glibc 2.43 has none
    memory.repair();
    const RunAddress link = main->fast_bin(bin) + 16;
    memory.replace(link, main->fast_bin(bin).value ^ (link.value >> 12U));
    REQUIRE((*reader)->copy().has_value());
    CHECK((*reader)->statistics().why_incomplete.find("more free chunks than bytes") != std::string::npos);
    check_plausible((*reader)->statistics());
  }
  memory.repair();
  REQUIRE((*reader)->copy().has_value());
  CHECK((*reader)->statistics().complete);
}

TEST_CASE("Books of malloc that are damaged at random end, and add up") {
  MallocProcess process({fixture_path("malloc_arenas"), "2"}, {.debug_directories = {}});
  DamagedStatistics memory(process.memory());
  const auto reader = MallocReader::open(process.modules(), memory);
  REQUIRE(reader.has_value());
  constexpr unsigned rarest = 30'000;
  for (int round = 0; fuzz_goes_on(round, 60); ++round) {
    INFO("round " << round);
    memory.damage(10 + static_cast<unsigned>(round) * 2003 % rarest, static_cast<std::uint64_t>(round));
    if (round % 4 == 0) {
      const auto opened = MallocReader::open(process.modules(), memory);
      if (opened && (*opened)->copy())
        check_plausible((*opened)->statistics());
    }
    if ((*reader)->copy())
      check_plausible((*reader)->statistics());
    for (const auto &[range, name] : process.mappings())
      (*reader)->is_mapped_chunk(range);
  }
}

} // namespace
} // namespace inspect::test
