// The runtime's own counters of heap bytes and objects, added up over the three copies that it keeps of them
// (memstats.heapStats), and then over what the Ps' caches hold back.
//
// Source: runtime/mstats.go (heapStatsDelta.merge, readmemstats_m), runtime/mcache.go (refill, releaseAll), Go 1.16 to
// 1.27.
#pragma once

#include "golang/memstats/memory_layout.h"

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace inspect {

struct HeapTotals {
  std::uint64_t committed = 0, released = 0, in_heap = 0, in_stacks = 0, in_work_buffers = 0, in_pointer_bits = 0;
  std::uint64_t tiny_count = 0;
  std::uint64_t large_bytes = 0, large_count = 0, large_freed_bytes = 0, large_freed_count = 0;
  std::vector<std::uint64_t> small_counts, small_freed_counts; ///< by size class

  std::uint64_t allocated_bytes(const MemoryLayout &layout) const;
  std::uint64_t freed_bytes(const MemoryLayout &layout) const;
  /// Objects; tiny ones count as allocated and as freed, for their block is counted, too.
  std::uint64_t allocated_count() const;
  std::uint64_t freed_count() const;
};

/// From a copy of the variable memstats. Counters wrap: one of the three may be "negative".
HeapTotals sum_heap_totals(const MemoryLayout &layout, std::span<const std::byte> stats);

/// Adds what the flushing of one P's cache would: objects that were handed out of the span since it was cached (from Go
/// 1.19 on), or else those that were counted as handed out when it was cached and were not. `class_index` is its place
/// in mcache.alloc. Returns the bytes by which the total of allocated ones changed.
std::int64_t add_cached_span(const MemoryLayout &layout, std::size_t class_index, std::span<const std::byte> span,
                             HeapTotals &totals);

} // namespace inspect
