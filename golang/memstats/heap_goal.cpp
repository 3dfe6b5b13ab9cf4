#include "golang/memstats/heap_goal.h"

#include "golang/runtime/structure_fields.h"

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

std::optional<std::int64_t> gc_percent_by_goal(std::uint64_t goal, std::uint64_t marked) {
  constexpr std::uint64_t telling = 1 << 16; // below, each goal is a whole number of per cent of it
  constexpr std::uint64_t default_minimum = 4 << 20;
  constexpr std::uint64_t largest = 1 << 20;
  if (goal == ~std::uint64_t{0})
    return -1;
  const auto whole_part = [](std::uint64_t part, std::uint64_t of) -> std::optional<std::int64_t> {
    const std::uint64_t percent = part / of * 100 + (part % of * 100 + of - 1) / of;
    return percent < largest && of * percent / 100 == part ? std::optional(static_cast<std::int64_t>(percent))
                                                           : std::nullopt;
  };
  if (marked >= telling && marked <= goal && goal < std::uint64_t{1} << 47U)
    if (const auto percent = whole_part(goal - marked, marked))
      return percent;
  return whole_part(goal, default_minimum);
}

} // namespace inspect
