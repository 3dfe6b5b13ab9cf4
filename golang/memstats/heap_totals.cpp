#include "golang/memstats/heap_totals.h"

#include "golang/runtime/structure_fields.h"

#include <algorithm>
#include <numeric>

namespace inspect {
namespace {

constexpr std::size_t copies = 3; // mstats.go, consistentHeapStats.stats

std::uint64_t bytes_of(const MemoryLayout &layout, std::span<const std::uint64_t> counts) {
  std::uint64_t bytes = 0;
  for (std::size_t i = 0; i < std::min(counts.size(), layout.size_classes.size()); ++i)
    bytes += counts[i] * layout.size_classes[i];
  return bytes;
}

std::uint64_t sum_of(std::span<const std::uint64_t> counts) {
  return std::accumulate(counts.begin(), counts.end(), std::uint64_t{0});
}

void add_delta(const MemoryLayout::Delta &delta, const StructureFields &fields, HeapTotals &totals) {
  totals.committed += fields.word(delta.committed);
  totals.released += fields.word(delta.released);
  totals.in_heap += fields.word(delta.in_heap);
  totals.in_stacks += fields.word(delta.in_stacks);
  totals.in_work_buffers += fields.word(delta.in_work_buffers);
  totals.in_pointer_bits += fields.word(delta.in_pointer_bits);
  totals.tiny_count += fields.word(delta.tiny_count);
  totals.large_bytes += fields.word(delta.large_bytes);
  totals.large_count += fields.word(delta.large_count);
  totals.large_freed_bytes += fields.word(delta.large_freed_bytes);
  totals.large_freed_count += fields.word(delta.large_freed_count);
  for (std::size_t i = 0; i < totals.small_counts.size(); ++i) {
    const auto place = static_cast<std::int32_t>(i * 8);
    totals.small_counts[i] += fields.word(delta.small_counts + place);
    totals.small_freed_counts[i] += fields.word(delta.small_freed_counts + place);
  }
}

} // namespace

std::uint64_t HeapTotals::allocated_bytes(const MemoryLayout &layout) const {
  return large_bytes + bytes_of(layout, small_counts);
}

std::uint64_t HeapTotals::freed_bytes(const MemoryLayout &layout) const {
  return large_freed_bytes + bytes_of(layout, small_freed_counts);
}

std::uint64_t HeapTotals::allocated_count() const {
  return large_count + sum_of(small_counts) + tiny_count;
}

std::uint64_t HeapTotals::freed_count() const {
  return large_freed_count + sum_of(small_freed_counts) + tiny_count;
}

HeapTotals sum_heap_totals(const MemoryLayout &layout, std::span<const std::byte> stats) {
  HeapTotals totals;
  totals.small_counts.resize(static_cast<std::size_t>(layout.delta.size_classes));
  totals.small_freed_counts.resize(totals.small_counts.size());
  const auto size = static_cast<std::size_t>(layout.delta.size);
  const auto first = static_cast<std::size_t>(layout.stats.heap_stats);
  for (std::size_t i = 0; i < copies && first + (i + 1) * size <= stats.size(); ++i)
    add_delta(layout.delta, StructureFields(stats.subspan(first + i * size, size)), totals);
  return totals;
}

std::int64_t add_cached_span(const MemoryLayout &layout, std::size_t class_index, std::span<const std::byte> span,
                             HeapTotals &totals) {
  const StructureFields fields(span);
  const std::size_t size_class = class_index / 2; // the lowest bit says that there are no pointers in it
  if (size_class >= totals.small_counts.size())
    return 0;
  const auto allocated = std::int64_t{fields.value<std::uint16_t>(layout.span.allocated)};
  const auto elements = layout.span.elements_bytes == 2
                            ? std::int64_t{fields.value<std::uint16_t>(layout.span.elements)}
                            : std::int64_t{fields.value<std::uint32_t>(layout.span.elements)};
  const std::int64_t change = layout.span.allocated_before >= 0
                                  ? allocated - std::int64_t{fields.value<std::uint16_t>(layout.span.allocated_before)}
                                  : allocated - elements;
  totals.small_counts[size_class] += static_cast<std::uint64_t>(change);
  return change * static_cast<std::int64_t>(layout.size_classes[size_class]);
}

} // namespace inspect
