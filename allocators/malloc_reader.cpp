#include "allocators/malloc_reader.h"

#include "allocators/malloc_free_lists.h"
#include "allocators/malloc_heaps.h"
#include "allocators/malloc_parameters.h"
#include "allocators/malloc_search.h"
#include "allocators/mapped_chunks.h"

#include <algorithm>
#include <fmt/format.h>

namespace inspect {
namespace {

MallocArena summary(const ArenaCopy &copy, const FreeChunks &chunks, const ArenaMemory &memory, bool is_main) {
  MallocArena arena;
  arena.address = copy.address();
  arena.is_main = is_main;
  arena.system_bytes = copy.system_bytes();
  arena.top = memory.top_bytes;
  arena.fast_bins = chunks.fast_bytes;
  arena.free = chunks.bytes + chunks.fast_bytes + memory.top_bytes;
  arena.in_use = arena.system_bytes - arena.free;
  arena.free_chunks = chunks.chunks + chunks.fast_chunks;
  arena.attached_threads = copy.attached_threads();
  arena.heaps = memory.heaps;
  return arena;
}

} // namespace

struct MallocReader::State {
  const MemoryView &memory;
  MallocPlace place;
  PageCache pages;
  MallocStatistics statistics;
  std::vector<std::uint64_t> expected_pages; ///< that free chunks were on when the target ran

  State(const MemoryView &target_memory, MallocPlace where)
      : memory(target_memory), place(std::move(where)), pages(target_memory) {}

  std::vector<ArenaCopy> known_arenas() const;
  std::optional<MallocParameters> parameters() const;
  void add_up(std::span<const ArenaCopy> arenas, const FreeListResult &lists, ArenaMemoryResult rest);
};

MallocReader::MallocReader(std::unique_ptr<State> state) : state_(std::move(state)) {}
MallocReader::~MallocReader() = default;

Result<std::unique_ptr<MallocReader>> MallocReader::open(ModuleMap &modules, const MemoryView &memory) {
  auto place = find_malloc(modules, memory);
  if (!place)
    return std::unexpected(place.error());
  return std::unique_ptr<MallocReader>(new MallocReader(std::make_unique<State>(memory, std::move(*place))));
}

/// Those that were there before, with one read; what cannot be read is left out.
std::vector<ArenaCopy> MallocReader::State::known_arenas() const {
  std::vector<std::vector<std::byte>> bytes(place.arenas.size(), std::vector<std::byte>(place.layout.state.size()));
  std::vector<MemoryRead> reads;
  for (std::size_t i = 0; i < bytes.size(); ++i)
    reads.push_back({place.arenas[i], bytes[i]});
  memory.read_many(reads);
  std::vector<ArenaCopy> known;
  for (std::size_t i = 0; i < bytes.size(); ++i)
    if (reads[i].done)
      known.emplace_back(place.arenas[i], place.layout.state, std::move(bytes[i]));
  return known;
}

std::optional<MallocParameters> MallocReader::State::parameters() const {
  if (!place.parameters)
    return std::nullopt;
  const auto read = read_malloc_parameters(memory, *place.parameters, place.layout.parameters);
  return read ? std::optional(*read) : std::nullopt;
}

void MallocReader::State::add_up(std::span<const ArenaCopy> arenas, const FreeListResult &lists,
                                 ArenaMemoryResult rest) {
  statistics.why_incomplete = lists.why_incomplete.empty() ? rest.why_incomplete : lists.why_incomplete;
  MallocTotals &totals = statistics.totals;
  for (std::size_t i = 0; i < arenas.size(); ++i) {
    const FreeChunks &chunks = lists.arenas[i];
    ArenaMemory &memory_of = rest.arenas[i];
    // The lists were followed only as far as the arena's bytes reach.
    if (memory_of.top_bytes > arenas[i].system_bytes() - chunks.bytes - chunks.fast_bytes) {
      if (statistics.why_incomplete.empty())
        statistics.why_incomplete =
            fmt::format("the top chunk at {:#x} would be larger than its arena", arenas[i].top().value);
      memory_of.top_bytes = 0;
    }
    const MallocArena &arena = statistics.arenas.emplace_back(summary(arenas[i], chunks, memory_of, i == 0));
    totals.arena += arena.system_bytes;
    totals.ordblks += chunks.chunks + 1; // with the top chunk
    totals.smblks += chunks.fast_chunks;
    totals.fsmblks += chunks.fast_bytes;
    totals.fordblks += arena.free;
    totals.uordblks += arena.in_use;
    if (arena.is_main)
      totals.keepcost = arena.top;
  }
  statistics.complete = statistics.why_incomplete.empty();
}

/// The lists change while they are followed, which ends a walk here and there; what it has seen until then is where
/// free chunks will be when the target is stopped.
void MallocReader::prepare() {
  constexpr std::size_t max_chunks = 2'000'000;
  constexpr std::chrono::milliseconds longest(1000);
  State &state = *state_;
  const auto arenas =
      read_arena_circle(state.memory, state.place.main_arena, state.place.layout.state, state.known_arenas());
  if (!arenas) // the copy will say so
    return;
  state.expected_pages =
      follow_free_lists(
          state.pages, *arenas,
          {.protected_links = state.place.protected_links, .chunk_limit = max_chunks, .time_limit = longest})
          .pages;
  std::ranges::sort(state.expected_pages);
  const auto repeated = std::ranges::unique(state.expected_pages);
  state.expected_pages.erase(repeated.begin(), repeated.end());
}

Result<void> MallocReader::copy(std::size_t chunk_limit, std::chrono::milliseconds time_limit) {
  State &state = *state_;
  state.statistics = {};
  auto arenas = read_arena_circle(state.memory, state.place.main_arena, state.place.layout.state, state.known_arenas());
  if (!arenas)
    return std::unexpected(arenas.error().while_doing("copying malloc's structures"));
  const auto parameters = state.parameters();
  const FreeListResult lists = follow_free_lists(state.pages, *arenas,
                                                 {.protected_links = state.place.protected_links,
                                                  .chunk_limit = chunk_limit,
                                                  .time_limit = time_limit,
                                                  .expected_pages = state.expected_pages});
  ArenaMemoryResult rest =
      read_arena_memory(state.memory, *arenas, parameters ? std::optional(parameters->huge_page_size) : std::nullopt);
  state.statistics.version = to_string(state.place.version);
  if (parameters) {
    state.statistics.totals.hblks = parameters->mapped_chunks;
    state.statistics.totals.hblkhd = parameters->mapped_bytes;
  }
  state.add_up(*arenas, lists, std::move(rest));
  return {};
}

MallocStatistics MallocReader::statistics() const {
  return state_->statistics;
}

bool MallocReader::is_mapped_chunk(RunRange mapping) const {
  return mapped_chunk_bytes(state_->memory, mapping, state_->place.layout.mapped_size_left_out) * 2 > mapping.size();
}

} // namespace inspect
