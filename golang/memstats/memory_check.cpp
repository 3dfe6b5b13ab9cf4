#include "golang/memstats/memory_check.h"

#include "golang/runtime/structure_fields.h"

#include <algorithm>
#include <array>
#include <fmt/format.h>

namespace inspect {
namespace {
constexpr std::uint32_t last_processor_status = 4;  // runtime2.go, _Pdead
constexpr std::uint64_t goroutine_batch = 16;       // proc.go, _GoidCacheBatch: so many numbers a P takes at a time
constexpr std::uint64_t max_numbered = 1ULL << 40U; // goroutine ids count up from 1; the heap lies above

std::vector<std::byte> read_bytes(const MemoryView &memory, RunAddress address, std::int32_t size) {
  std::vector<std::byte> bytes(static_cast<std::size_t>(size));
  if (!memory.read(address, bytes))
    bytes.clear();
  return bytes;
}

bool may_point(std::uint64_t value) {
  return value != 0 && value % 8 == 0 && value < end_of_user_space;
}

/// mgcpacer.go, setGCPercent: the least heap follows from GOGC; -1 wraps as it does there. The smaller one is that of
/// GOEXPERIMENT=heapminimum512kib.
bool is_minimum_for(std::uint64_t minimum, std::int32_t gc_percent) {
  constexpr std::array defaults{std::uint64_t{4} << 20U, std::uint64_t{512} << 10U};
  return gc_percent >= -1 && std::ranges::any_of(defaults, [&](std::uint64_t at_hundred) {
           return minimum == at_hundred * static_cast<std::uint64_t>(std::int64_t{gc_percent}) / 100;
         });
}

bool is_near(std::uint64_t one, std::uint64_t other) {
  const std::uint64_t difference = one > other ? one - other : other - one;
  return difference <= other / 4;
}

} // namespace

bool MemoryCheck::in_data(RunAddress address) const {
  const ModuleData &data = image_.data;
  return data.bss.contains(address) || data.pointer_free_bss.contains(address) || data.data.contains(address) ||
         data.pointer_free_data.contains(address);
}

std::string MemoryCheck::problem_of_heap(RunAddress heap) const {
  const MemoryLayout::Heap &at = layout_.heap;
  const std::vector<std::byte> bytes = read_bytes(memory_, heap, at.size);
  if (bytes.empty())
    return fmt::format("the heap's variable at {:#x} cannot be read", heap.value);
  const StructureFields fields(bytes);
  if (fields.address(at.span_owner) != heap)
    return "its allocator for spans is another's, or the runtime has not begun";
  if (fields.word(at.span_size) != static_cast<std::uint64_t>(layout_.span.size))
    return fmt::format("its spans have {} bytes instead of {}", fields.word(at.span_size), layout_.span.size);
  if (fields.word(at.cache_size) != static_cast<std::uint64_t>(layout_.cache.size))
    return fmt::format("its caches have {} bytes instead of {}", fields.word(at.cache_size), layout_.cache.size);
  const auto by_span = fields.word(at.span_counter) - static_cast<std::uint64_t>(layout_.stats.mspan_sys);
  const auto by_cache = fields.word(at.cache_counter) - static_cast<std::uint64_t>(layout_.stats.mcache_sys);
  if (by_span != by_cache || !in_data({by_span}))
    return "its allocators do not count in one variable";
  if (fields.word(at.span_inuse) % static_cast<std::uint64_t>(layout_.span.size) != 0 ||
      fields.word(at.cache_inuse) % static_cast<std::uint64_t>(layout_.cache.size) != 0)
    return "it has spans and caches in use that are not whole";
  const auto totals = totals_of({by_span});
  const std::uint64_t in_heap = fields.word(at.pages_in_use) * go_page_size;
  if (!totals || !is_near(totals->in_heap, in_heap))
    return fmt::format("{} bytes of it are in use, and its counters say {}", in_heap, totals ? totals->in_heap : 0);
  return {};
}

RunAddress MemoryCheck::stats_of(RunAddress heap) const {
  const auto counter = read_word(memory_, heap + static_cast<std::uint64_t>(layout_.heap.span_counter));
  return counter ? RunAddress{*counter} - static_cast<std::uint64_t>(layout_.stats.mspan_sys) : RunAddress{};
}

std::optional<HeapTotals> MemoryCheck::totals_of(RunAddress stats) const {
  const std::vector<std::byte> bytes = read_bytes(memory_, stats, layout_.stats.size);
  if (bytes.empty())
    return std::nullopt;
  return sum_heap_totals(layout_, bytes);
}

bool MemoryCheck::is_controller(RunAddress controller, const HeapTotals &totals) const {
  const MemoryLayout::Controller &at = layout_.controller;
  const std::vector<std::byte> bytes = read_bytes(memory_, controller, at.size);
  const StructureFields fields(bytes);
  const auto percent = fields.value<std::int32_t>(at.gc_percent);
  if (bytes.empty() || !is_minimum_for(fields.word(at.heap_minimum), percent))
    return false;
  if (at.heap_in_use < 0) {
    const std::uint64_t goal = fields.word(at.heap_goal);
    const std::uint64_t live = fields.word(at.heap_live);
    const std::uint64_t marked = fields.word(at.heap_marked);
    return live != 0 && live <= totals.committed && marked < end_of_user_space &&
           (percent < 0 ? goal == ~std::uint64_t{0} : goal >= marked && goal != 0);
  }
  const std::uint64_t in_use = fields.word(at.heap_in_use);
  const auto limit = fields.value<std::int64_t>(at.memory_limit);
  // GOGC=0 makes for a zero that is everywhere, and so does a limit of 0; nobody has both.
  return limit >= 0 && (limit != 0 || fields.word(at.heap_minimum) != 0) && in_use != 0 && in_use % go_page_size == 0 &&
         is_near(in_use, totals.in_heap) && fields.word(at.heap_free) <= totals.committed + totals.committed / 4 &&
         fields.word(at.total_alloc) >= fields.word(at.total_free) &&
         fields.word(at.mapped_ready) >= in_use - in_use / 4;
}

int MemoryCheck::likeness_of_scheduler(RunAddress scheduler, const SchedulerWitness &witness) const {
  const MemoryLayout::Scheduler &at = layout_.scheduler;
  const std::vector<std::byte> bytes = read_bytes(memory_, scheduler, at.size);
  const StructureFields fields(bytes);
  const std::uint64_t last = fields.word(at.last_goroutine);
  if (bytes.empty() || last + goroutine_batch < witness.goroutines || last >= max_numbered)
    return 0;
  const auto runtime_ms = fields.value<std::int64_t>(at.next_m) - fields.value<std::int64_t>(at.freed_ms);
  const auto max_ms = fields.value<std::int32_t>(at.max_ms);
  const auto counted = static_cast<std::int64_t>(witness.runtime_ms);
  constexpr std::int64_t may_have_come = 4;
  if (runtime_ms < 1 || max_ms < runtime_ms || (counted != 0 && std::abs(runtime_ms - counted) > may_have_come))
    return 0;
  const auto within = [&](std::int32_t offset, std::uint64_t most) {
    const auto count = fields.value<std::int32_t>(offset);
    return count >= 0 && static_cast<std::uint64_t>(count) <= most;
  };
  const std::uint64_t idle = fields.word(at.idle_list);
  if (!within(at.system_goroutines, witness.goroutines) || !within(at.free_goroutines, witness.goroutines) ||
      !within(at.free_without_stack, witness.goroutines) || !within(at.idle_count, witness.processors.size()) ||
      (idle == 0) != (fields.value<std::int32_t>(at.idle_count) == 0) ||
      (idle != 0 && std::ranges::find(witness.processors, idle) == witness.processors.end()))
    return 0;
  constexpr std::int32_t usual_limit = 10000; // proc.go, schedinit
  return 1 + (max_ms == usual_limit ? 4 : 0) + (idle != 0 ? 4 : 0) + (runtime_ms == counted ? 2 : 0) +
         (last % goroutine_batch == 0 ? 1 : 0);
}

bool MemoryCheck::is_cache(RunAddress cache) const {
  const std::vector<std::byte> bytes = read_bytes(memory_, cache, layout_.cache.size);
  const StructureFields fields(bytes);
  for (std::int32_t i = 0; i < layout_.cache.span_count; ++i)
    if (!may_point(fields.word(layout_.cache.spans + i * 8)))
      return false;
  return !bytes.empty();
}

std::vector<std::uint64_t> MemoryCheck::processors_of(RunAddress header) const {
  const auto slice = read_value<std::array<std::uint64_t, 3>>(memory_, header);
  if (!slice || !may_point((*slice)[0]) || (*slice)[1] == 0 || (*slice)[1] > (*slice)[2] ||
      (*slice)[2] > max_processors)
    return {};
  std::vector<std::uint64_t> processors(static_cast<std::size_t>((*slice)[1]));
  if (!memory_.read({(*slice)[0]}, std::as_writable_bytes(std::span(processors))))
    return {};
  for (std::size_t i = 0; i < processors.size(); ++i) {
    const std::vector<std::byte> bytes = may_point(processors[i])
                                             ? read_bytes(memory_, {processors[i]}, layout_.processor.size)
                                             : std::vector<std::byte>();
    const StructureFields fields(bytes);
    if (bytes.empty() || fields.value<std::int32_t>(layout_.processor.id) != static_cast<std::int32_t>(i) ||
        fields.value<std::uint32_t>(layout_.processor.status) > last_processor_status ||
        !is_cache(fields.address(layout_.processor.cache)))
      return {};
  }
  return processors;
}

} // namespace inspect
