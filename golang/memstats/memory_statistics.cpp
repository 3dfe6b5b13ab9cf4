#include "golang/memstats/memory_statistics.h"

#include "golang/memstats/heap_totals.h"
#include "golang/runtime/structure_fields.h"

#include <algorithm>
#include <array>
#include <fmt/format.h>

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

// MemStats.NextGC: at how many live bytes the next garbage collection is to have ended. Until Go 1.18 a variable; since
// 1.19, which has a memory limit, it is computed when someone asks.
//
// Source: runtime/mgcpacer.go, heapGoalInternal and memoryLimitHeapGoal, Go 1.19 to 1.26; mstats.next_gc in 1.16,
// gcControllerState.heapGoal in 1.17 and 1.18.

/// From copies of memstats and of gcController (which may be empty: not found). `cached` are the bytes that the Ps'
/// caches have handed out and not counted yet.
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

/// GOGC of a Go 1.16 whose variable gcpercent was not found, from the goal that was computed from it (mgc.go,
/// gcSetTriggerRatio): the growth over what was marked last, or the least heap, in whole per cent. Nothing where the
/// goal is neither; that a goal which was raised for other reasons is whole by chance is one case in some ten thousand.
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

struct CountedTwice {
  std::string_view what;
  std::uint64_t once, again;
};

std::uint64_t distance(std::uint64_t one, std::uint64_t other) {
  return one > other ? one - other : other - one;
}

std::unexpected<Error> contradiction(std::string_view what, std::uint64_t one, std::string_view other_name,
                                     std::uint64_t other) {
  return std::unexpected(Error(ErrorKind::corrupt,
                               fmt::format("the Go runtime's figures contradict each other: {} {}, {} {}, {} apart",
                                           what, one, other_name, other, distance(one, other)),
                               "a thread may have been stopped between two counters: try again"));
}

class StatisticsMaker {
public:
  StatisticsMaker(const MemoryLayout &layout, const MemoryCopy &copy, std::vector<std::string> &warnings)
      : layout_(layout), copy_(copy), warnings_(warnings), stats_(copy.stats), heap_(copy.heap),
        controller_(copy.controller), totals_(sum_heap_totals(layout, copy.stats)) {}

  Result<GoMemoryStatistics> make() {
    add_caches();
    add_heap();
    if (auto sound = settle_heap(); !sound)
      return std::unexpected(sound.error());
    if (auto sound = check(); !sound)
      return std::unexpected(sound.error());
    add_objects();
    add_system();
    add_collections();
    add_settings();
    add_goroutines();
    return std::move(result_);
  }

private:
  void add_caches();
  void add_heap();
  void take_heap_from_totals();
  Result<void> settle_heap();
  Result<void> check() const;
  void add_objects();
  void add_system();
  void add_collections();
  void add_pauses(std::uint32_t collections);
  void add_settings();
  void add_goroutines();

  const MemoryLayout &layout_;
  const MemoryCopy &copy_;
  std::vector<std::string> &warnings_;
  StructureFields stats_, heap_, controller_;
  HeapTotals totals_;
  std::int64_t cached_bytes_ = 0; ///< handed out by the Ps' caches, not counted by the controller yet
  GoMemoryStatistics result_;
};

/// flushallmcaches, without touching anything.
void StatisticsMaker::add_caches() {
  if (layout_.stats.tiny_allocs >= 0)
    totals_.tiny_count += stats_.word(layout_.stats.tiny_allocs);
  for (const CopiedProcessor &processor : copy_.processors) {
    totals_.tiny_count += StructureFields(processor.cache).word(layout_.cache.tiny_allocs);
    for (const CopiedSpan &span : processor.spans)
      if (!span.bytes.empty())
        cached_bytes_ += add_cached_span(layout_, span.class_index, span.bytes, totals_);
  }
}

void StatisticsMaker::add_heap() {
  const MemoryLayout::Controller &controller = layout_.controller;
  if (layout_.stats.heap_sys >= 0) {
    result_.heap_sys = stats_.word(layout_.stats.heap_sys);
    result_.heap_inuse = stats_.word(layout_.stats.heap_inuse);
    result_.heap_released = stats_.word(layout_.stats.heap_released);
  } else if (!copy_.controller.empty()) {
    result_.heap_inuse = controller_.word(controller.heap_in_use);
    result_.heap_released = controller_.word(controller.heap_released);
    result_.heap_sys = *result_.heap_inuse + *result_.heap_released + controller_.word(controller.heap_free);
  } else {
    take_heap_from_totals();
  }
  result_.heap_idle = *result_.heap_sys - *result_.heap_inuse;
}

void StatisticsMaker::take_heap_from_totals() {
  result_.heap_inuse = totals_.in_heap;
  result_.heap_released = totals_.released;
  result_.heap_sys =
      totals_.committed + totals_.released - totals_.in_stacks - totals_.in_work_buffers - totals_.in_pointer_bits;
  result_.heap_idle = *result_.heap_sys - *result_.heap_inuse;
}

/// What readmemstats_m holds to be equal with the world stopped.
Result<void> StatisticsMaker::settle_heap() {
  constexpr std::uint64_t growth = 4 << 20; // mheap.go, grow: a chunk of pages
  const std::uint64_t committed =
      totals_.committed - totals_.in_stacks - totals_.in_work_buffers - totals_.in_pointer_bits;
  const std::array pairs{CountedTwice{"in use", *result_.heap_inuse, totals_.in_heap},
                         CountedTwice{"released", *result_.heap_released, totals_.released},
                         CountedTwice{"kept", *result_.heap_sys - *result_.heap_released, committed}};
  bool settled = false;
  for (const CountedTwice &pair : pairs) {
    if (pair.once == pair.again)
      continue;
    const std::uint64_t apart = distance(pair.once, pair.again);
    if (apart > growth)
      return contradiction(fmt::format("heap {} is", pair.what), pair.once, "the sum of its parts", pair.again);
    if (!settled)
      warnings_.push_back(
          fmt::format("the Go runtime was stopped while it counted: heap {} is {}, the sum of its parts "
                      "{}, {} apart; the sums are shown",
                      pair.what, pair.once, pair.again, apart));
    settled = true;
    take_heap_from_totals();
  }
  return {};
}

/// What must hold of any sums.
Result<void> StatisticsMaker::check() const {
  if (*result_.heap_inuse > *result_.heap_sys)
    return contradiction("heap in use is", *result_.heap_inuse, "the whole heap", *result_.heap_sys);
  if (*result_.heap_released > *result_.heap_idle)
    return contradiction("heap released is", *result_.heap_released, "the idle heap", *result_.heap_idle);
  const std::uint64_t allocated = totals_.allocated_bytes(layout_);
  const std::uint64_t freed = totals_.freed_bytes(layout_);
  if (freed > allocated)
    return contradiction("bytes freed are", freed, "those ever allocated", allocated);
  if (allocated - freed > *result_.heap_inuse)
    return contradiction("bytes allocated are", allocated - freed, "the heap in use", *result_.heap_inuse);
  if (totals_.freed_count() > totals_.allocated_count())
    return contradiction("objects freed are", totals_.freed_count(), "those ever allocated", totals_.allocated_count());
  return {};
}

void StatisticsMaker::add_objects() {
  result_.total_alloc = totals_.allocated_bytes(layout_);
  result_.alloc = *result_.total_alloc - totals_.freed_bytes(layout_);
  result_.heap_alloc = result_.alloc;
  result_.lookups = 0; // no version counts them
  result_.mallocs = totals_.allocated_count();
  result_.frees = totals_.freed_count();
  result_.heap_objects = *result_.mallocs - *result_.frees;
}

void StatisticsMaker::add_system() {
  const MemoryLayout::Stats &at = layout_.stats;
  const std::uint64_t thread_stacks = stats_.word(at.stacks_sys);
  result_.stack_inuse = totals_.in_stacks;
  result_.stack_sys = totals_.in_stacks + thread_stacks;
  result_.mspan_inuse = heap_.word(layout_.heap.span_inuse);
  result_.mspan_sys = stats_.word(at.mspan_sys);
  result_.mcache_inuse = heap_.word(layout_.heap.cache_inuse);
  result_.mcache_sys = stats_.word(at.mcache_sys);
  result_.buck_hash_sys = stats_.word(at.buckhash_sys);
  result_.gc_sys = stats_.word(at.gc_misc_sys) + totals_.in_work_buffers + totals_.in_pointer_bits;
  result_.other_sys = stats_.word(at.other_sys);
  result_.sys = *result_.heap_sys + *result_.stack_sys + *result_.mspan_sys + *result_.mcache_sys +
                *result_.buck_hash_sys + *result_.gc_sys + *result_.other_sys;
}

void StatisticsMaker::add_collections() {
  const MemoryLayout::Stats &at = layout_.stats;
  const auto collections = stats_.value<std::uint32_t>(at.gc_count);
  result_.last_gc = stats_.word(at.last_gc);
  result_.pause_total_ns = stats_.word(at.pause_total);
  result_.num_gc = collections;
  result_.num_forced_gc = stats_.value<std::uint32_t>(at.forced_gc_count);
  result_.gc_cpu_fraction = stats_.value<double>(at.gc_cpu_fraction);
  add_pauses(collections);
}

/// A ring, the latest at (collections - 1) modulo its size.
void StatisticsMaker::add_pauses(std::uint32_t collections) {
  const auto size = static_cast<std::uint32_t>(layout_.stats.pause_count);
  for (std::uint32_t i = 0; i < std::min(collections, size); ++i) {
    const std::uint32_t place = (collections - 1 - i) % size;
    result_.recent_pauses_ns.push_back(stats_.word(layout_.stats.pauses + static_cast<std::int32_t>(place * 8)));
  }
}

void StatisticsMaker::add_settings() {
  result_.gomaxprocs = copy_.processors.size();
  result_.next_gc = next_heap_goal(layout_, copy_.stats, copy_.controller, cached_bytes_);
  if (layout_.controller.gc_percent < 0)
    result_.gogc = copy_.gc_percent ? std::optional<std::int64_t>(*copy_.gc_percent)
                                    : gc_percent_by_goal(*result_.next_gc, stats_.word(layout_.stats.heap_marked));
  else if (!copy_.controller.empty())
    result_.gogc = controller_.value<std::int32_t>(layout_.controller.gc_percent);
  if (layout_.controller.memory_limit >= 0 && !copy_.controller.empty())
    result_.memory_limit = controller_.value<std::int64_t>(layout_.controller.memory_limit);
}

void StatisticsMaker::add_goroutines() {
  if (copy_.scheduler.empty() || !copy_.goroutines)
    return;
  const MemoryLayout::Scheduler &at = layout_.scheduler;
  const StructureFields scheduler(copy_.scheduler);
  auto count = static_cast<std::int64_t>(*copy_.goroutines);
  for (const std::int32_t offset : {at.system_goroutines, at.free_goroutines, at.free_without_stack})
    count -= scheduler.value<std::int32_t>(offset);
  for (const CopiedProcessor &processor : copy_.processors)
    count -= StructureFields(processor.bytes).value<std::int32_t>(layout_.processor.free_goroutines);
  // gcount does not believe in less, either: the counters are not changed together.
  result_.goroutines = static_cast<std::uint64_t>(std::max<std::int64_t>(count, 1));
}

} // namespace

Result<GoMemoryStatistics> memory_statistics(const MemoryLayout &layout, const MemoryCopy &copy,
                                             std::vector<std::string> &warnings) {
  return StatisticsMaker(layout, copy, warnings).make();
}

} // namespace inspect
