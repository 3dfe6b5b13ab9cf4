#include "golang/heap_goal.h"

#include "golang/structure_fields.h"

#include <algorithm>

namespace inspect {
namespace {

constexpr std::uint64_t least_headroom = 1 << 20;
constexpr std::uint64_t headroom_percent = 3; // since Go 1.21
constexpr std::uint64_t least_runway = 64 << 10;

/// What the memory limit leaves for the heap.
std::uint64_t goal_by_limit(const MemoryLayout &layout, const StructureFields &fields, std::int64_t cached) {
  const MemoryLayout::Controller &at = layout.controller;
  const std::uint64_t marked = fields.word(at.heap_marked);
  const std::uint64_t heap = fields.word(at.heap_free) + fields.word(at.total_alloc) +
                             static_cast<std::uint64_t>(cached) - fields.word(at.total_free);
  const std::uint64_t mapped = fields.word(at.mapped_ready);
  const std::uint64_t limit = fields.word(at.memory_limit);
  const std::uint64_t other = mapped - std::min(heap, mapped);
  const std::uint64_t overage = mapped > limit ? mapped - limit : 0;
  if (other + overage >= limit)
    return marked;
  const std::uint64_t left = limit - (other + overage);
  const std::uint64_t headroom =
      layout.version >= GoVersion{1, 21} ? std::max(left / 100 * headroom_percent, least_headroom) : least_headroom;
  const bool is_tight = left < headroom || left - headroom < headroom;
  return std::max(is_tight ? headroom : left - headroom, marked);
}

} // namespace

std::optional<std::uint64_t> next_heap_goal(const MemoryLayout &layout, std::span<const std::byte> stats,
                                            std::span<const std::byte> controller, std::int64_t cached) {
  const MemoryLayout::Controller &at = layout.controller;
  if (layout.stats.next_gc >= 0)
    return StructureFields(stats).word(layout.stats.next_gc);
  if (controller.empty())
    return std::nullopt;
  const StructureFields fields(controller);
  if (at.heap_goal >= 0)
    return fields.word(at.heap_goal);
  const std::uint64_t by_percent = fields.word(at.percent_goal);
  const std::uint64_t by_limit = goal_by_limit(layout, fields, cached);
  if (by_limit < by_percent)
    return by_limit;
  const std::uint64_t goal = std::max(by_percent, fields.word(at.sweep_trigger));
  const std::uint64_t triggered = fields.word(at.triggered);
  if (triggered != ~std::uint64_t{0} && goal < triggered + least_runway)
    return triggered + least_runway;
  return goal;
}

} // namespace inspect
