// Memory that Go's runtime or glibc's malloc manages: by their own statistics, or, without these, by the places and
// sizes that only they use.
//
// Sources: Go's runtime/malloc.go (arena hints, heapArenaBytes); glibc's malloc/arena.c (HEAP_MAX_SIZE, new_heap).
#include "inspector/mappings/mapping_claims.h"

#include <algorithm>

namespace inspect {
namespace {

constexpr std::uint64_t go_arena_size = 64ULL << 20;
constexpr RunAddress first_go_arena{0xc000000000};
constexpr std::uint64_t malloc_heap_size = 64ULL << 20;
/// malloc's default threshold (M_MMAP_THRESHOLD); it can be set lower, and such small ones stay anonymous.
constexpr std::uint64_t least_mapped_chunk = 128ULL << 10;
/// Each look is a read of the target.
constexpr std::size_t max_looks_for_chunks = 16'384;

/// Ranges that may overlap, as ascending ones that do not.
class RangeSet {
public:
  void add(RunRange range) {
    if (range.size() > 0)
      ranges_.push_back(range);
  }
  void finish() {
    std::ranges::sort(ranges_);
    std::size_t kept = 0;
    for (const RunRange &range : ranges_) {
      if (kept > 0 && range.begin <= ranges_[kept - 1].end)
        ranges_[kept - 1].end = std::max(ranges_[kept - 1].end, range.end);
      else
        ranges_[kept++] = range;
    }
    ranges_.resize(kept);
  }
  /// Bytes of `range` that are in it.
  std::uint64_t overlap(RunRange range) const {
    auto at = std::ranges::upper_bound(ranges_, range.begin, {}, &RunRange::begin);
    if (at != ranges_.begin())
      --at;
    std::uint64_t bytes = 0;
    for (; at != ranges_.end() && at->begin < range.end; ++at)
      bytes += RunRange{std::max(at->begin, range.begin), std::min(at->end, range.end)}.size();
    return bytes;
  }

private:
  std::vector<RunRange> ranges_;
};

bool is_most_of(std::uint64_t part, RunRange whole) {
  return part > 0 && part >= whole.size() - part;
}

} // namespace

void claim_go_memory(MappingClaims &claims, std::span<const GoMemoryRange> ranges) {
  if (ranges.empty())
    return;
  RangeSet arenas;
  RangeSet metadata;
  RangeSet stacks;
  for (const GoMemoryRange &one : ranges)
    (one.use == GoRangeUse::heap_arena ? arenas : one.use == GoRangeUse::stack ? stacks : metadata).add(one.range);
  arenas.finish();
  metadata.finish();
  stacks.finish();
  for (std::size_t i = 0; i < claims.size(); ++i) {
    const RunRange range = claims.mapping(i).range;
    const bool named = claims.claimed(i) && claims.row(i).kind == MappingKind::go_heap;
    if (!named && (claims.claimed(i) || !claims.is_private_anonymous(i)))
      continue;
    // What the runtime has reserved behind its last arena is not an arena yet.
    const bool rest = i > 0 && claims.adjoins_previous(i) && claims.claimed(i - 1) &&
                      claims.row(i - 1).kind == MappingKind::go_heap && claims.is_private_reserve(i) &&
                      range.end.value % go_arena_size == 0;
    if (named || rest || is_most_of(arenas.overlap(range), range)) {
      ClassifiedMapping &row = claims.claim(i, MappingKind::go_heap);
      if (!claims.is_private_reserve(i))
        row.goroutine_stacks = stacks.overlap(range);
    } else if (is_most_of(metadata.overlap(range), range)) {
      claims.claim(i, MappingKind::go_metadata);
    }
  }
}

void guess_go_memory(MappingClaims &claims) {
  for (std::size_t i = claims.find(first_go_arena); i < claims.size(); ++i) {
    const Mapping &mapping = claims.mapping(i);
    const bool first = mapping.range.begin == first_go_arena;
    const bool next = i > 0 && mapping.range.begin > first_go_arena && claims.adjoins_previous(i) &&
                      claims.claimed(i - 1) && claims.row(i - 1).kind == MappingKind::go_heap;
    const bool fits = claims.is_private_reserve(i) || (claims.is_private_data(i) && !mapping.executable);
    if (claims.claimed(i) || !(first || next) || !fits)
      return;
    claims.claim(i, MappingKind::go_heap).guessed = true;
  }
}

void claim_malloc_arenas(MappingClaims &claims, std::span<const MallocArena> arenas) {
  struct Heap {
    RunRange range;
    RunAddress arena;
  };
  std::vector<Heap> heaps;
  for (const MallocArena &arena : arenas) {
    for (const RunRange &heap : arena.heaps)
      heaps.push_back({heap, arena.address});
    if (!arena.is_main)
      continue;
    for (std::size_t i = 0; i < claims.size(); ++i)
      if (claims.claimed(i) && claims.row(i).kind == MappingKind::main_heap)
        claims.row(i).arena = arena.address;
  }
  std::ranges::sort(heaps, {}, [](const Heap &heap) { return heap.range.begin; });
  auto heap = heaps.begin();
  for (std::size_t i = 0; i < claims.size(); ++i) {
    const RunRange range = claims.mapping(i).range;
    while (heap != heaps.end() && heap->range.end <= range.begin)
      ++heap;
    if (heap == heaps.end())
      return;
    const bool named = claims.claimed(i) && claims.row(i).kind == MappingKind::malloc_arena;
    if (!named && (claims.claimed(i) || !claims.is_private_anonymous(i)))
      continue;
    std::uint64_t covered = 0; // full heaps that adjoin each other are one mapping
    for (auto at = heap; at != heaps.end() && at->range.begin < range.end; ++at)
      covered += RunRange{std::max(at->range.begin, range.begin), std::min(at->range.end, range.end)}.size();
    if (is_most_of(covered, range))
      claims.claim(i, MappingKind::malloc_arena).arena = heap->arena;
  }
}

void guess_malloc_arenas(MappingClaims &claims) {
  for (std::size_t i = 0; i + 1 < claims.size(); ++i) {
    const RunRange used = claims.mapping(i).range;
    const RunRange rest = claims.mapping(i + 1).range;
    const bool named = claims.claimed(i) && claims.row(i).kind == MappingKind::malloc_arena;
    const bool may_be_used_part = named || (!claims.claimed(i) && claims.is_private_data(i));
    if (!may_be_used_part || claims.claimed(i + 1) || !claims.is_private_reserve(i + 1) ||
        !claims.adjoins_previous(i + 1) || used.begin.value % malloc_heap_size != 0 ||
        rest.end - used.begin != malloc_heap_size)
      continue;
    claims.claim(i, MappingKind::malloc_arena).guessed = !named;
    claims.claim(i + 1, MappingKind::malloc_arena).guessed = !named;
  }
}

void claim_mapped_chunks(MappingClaims &claims, const std::function<bool(RunRange)> &is_mapped_chunk) {
  std::vector<std::size_t> candidates;
  for (std::size_t i = 0; i < claims.size(); ++i)
    if (!claims.claimed(i) && claims.is_private_data(i) && !claims.mapping(i).executable &&
        claims.mapping(i).range.size() >= least_mapped_chunk)
      candidates.push_back(i);
  if (candidates.size() > max_looks_for_chunks) {
    const auto larger = [&](std::size_t left, std::size_t right) {
      return claims.mapping(left).range.size() > claims.mapping(right).range.size();
    };
    std::ranges::partial_sort(candidates, candidates.begin() + max_looks_for_chunks, larger);
    candidates.resize(max_looks_for_chunks);
  }
  for (const std::size_t index : candidates)
    if (is_mapped_chunk(claims.mapping(index).range))
      claims.claim(index, MappingKind::malloc_mapped);
}

} // namespace inspect
