#include "allocators/malloc_heaps.h"

#include <algorithm>
#include <array>
#include <bit>
#include <fmt/format.h>

namespace inspect {
namespace {

constexpr std::uint64_t usual_heap_size = 64ULL << 20U; // arena.c: HEAP_MAX_SIZE
constexpr std::uint64_t huge_pages_in_heap = 4;
/// Of all arenas; more do not fit into the address space.
constexpr std::size_t max_heaps = (std::size_t{1} << 47U) / usual_heap_size;

struct HeapInfo { // arena.c: struct _heap_info
  std::uint64_t arena;
  std::uint64_t previous;
  std::uint64_t size;
};

/// Sizes that heaps may have, likeliest first.
std::vector<std::uint64_t> heap_sizes(std::optional<std::uint64_t> huge_page_size) {
  if (!huge_page_size)
    return {usual_heap_size, huge_pages_in_heap << 21U, huge_pages_in_heap << 30U};
  const std::uint64_t size = *huge_page_size == 0 ? usual_heap_size : *huge_page_size * huge_pages_in_heap;
  return {std::has_single_bit(size) ? size : usual_heap_size};
}

/// A heap that is being looked at, of one arena and for one size.
struct Candidate {
  std::size_t arena = 0;
  std::uint64_t size = 0;
  RunAddress begin;
  HeapInfo info{};
};

class Heaps {
public:
  Heaps(const MemoryView &memory, std::span<const ArenaCopy> arenas) : memory_(memory), arenas_(arenas) {
    result_.arenas.resize(arenas.size());
  }

  void read_tops();
  void read_heaps(const std::vector<std::uint64_t> &sizes);
  ArenaMemoryResult take() { return std::move(result_); }

private:
  std::vector<Candidate> verified(std::vector<Candidate> candidates) const;
  void complain(std::string why) {
    if (result_.why_incomplete.empty())
      result_.why_incomplete = std::move(why);
  }

  const MemoryView &memory_;
  std::span<const ArenaCopy> arenas_;
  ArenaMemoryResult result_;
};

void Heaps::read_tops() {
  std::vector<std::uint64_t> words(arenas_.size());
  std::vector<MemoryRead> reads;
  for (std::size_t i = 0; i < arenas_.size(); ++i)
    if (!arenas_[i].is_untouched())
      reads.push_back({arenas_[i].top() + 8, std::as_writable_bytes(std::span(words).subspan(i, 1))});
  memory_.read_many(reads);
  for (const MemoryRead &read : reads)
    if (!read.done)
      complain(fmt::format("the top chunk at {:#x} cannot be read", read.address.value - 8));
  for (std::size_t i = 0; i < arenas_.size(); ++i)
    result_.arenas[i].top_bytes = chunk_size(words[i]);
}

/// Those that are heaps of their arenas, read at once.
std::vector<Candidate> Heaps::verified(std::vector<Candidate> candidates) const {
  std::vector<MemoryRead> reads;
  for (Candidate &one : candidates)
    reads.push_back({one.begin, std::as_writable_bytes(std::span(&one.info, 1))});
  memory_.read_many(reads);
  std::vector<Candidate> found;
  for (std::size_t i = 0; i < candidates.size(); ++i)
    if (reads[i].done && candidates[i].info.arena == arenas_[candidates[i].arena].address().value &&
        candidates[i].info.size <= candidates[i].size)
      found.push_back(candidates[i]);
  return found;
}

void Heaps::read_heaps(const std::vector<std::uint64_t> &sizes) {
  std::vector<Candidate> candidates;
  for (std::size_t i = 1; i < arenas_.size(); ++i)
    for (const std::uint64_t size : sizes)
      candidates.push_back({i, size, RunAddress{arenas_[i].top().value & ~(size - 1)}, {}});
  std::size_t count = 0;
  for (bool first = true; !candidates.empty(); first = false) {
    std::vector<Candidate> next;
    std::size_t previous = arenas_.size();
    for (const Candidate &heap : verified(std::move(candidates))) {
      if (first && heap.arena == previous)
        continue; // a second size that fits: the start of a larger one
      previous = heap.arena;
      result_.arenas[heap.arena].heaps.push_back({heap.begin, heap.begin + heap.size});
      if (heap.info.previous != 0 && heap.info.previous % heap.size == 0 && ++count < max_heaps)
        next.push_back({heap.arena, heap.size, RunAddress{heap.info.previous}, {}});
      else if (heap.info.previous != 0)
        complain(fmt::format("the heap at {:#x} has one before it at {:#x}", heap.begin.value, heap.info.previous));
    }
    candidates = std::move(next);
  }
  for (std::size_t i = 1; i < arenas_.size(); ++i) {
    // The arena lies in the first of its heaps.
    const auto &heaps = result_.arenas[i].heaps;
    if (heaps.empty() || !heaps.back().contains(arenas_[i].address()))
      complain(fmt::format("not all heaps of the arena at {:#x} were found", arenas_[i].address().value));
  }
}

} // namespace

ArenaMemoryResult read_arena_memory(const MemoryView &memory, std::span<const ArenaCopy> arenas,
                                    std::optional<std::uint64_t> huge_page_size) {
  Heaps heaps(memory, arenas);
  heaps.read_tops();
  heaps.read_heaps(heap_sizes(huge_page_size));
  return heaps.take();
}

} // namespace inspect
