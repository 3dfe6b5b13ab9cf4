// What the C library's figures say: its arenas, what malloc holds that the program has freed, thread stacks; and which
// other allocator is there instead.
#include "inspector/memory/memory_rules.h"
#include "machine/number_text.h"

#include <algorithm>
#include <array>
#include <fmt/format.h>

namespace inspect {
namespace {

namespace limits = memory_thresholds;

std::optional<MemoryFinding> many_arenas(const MemoryEvidence &evidence) {
  const auto &statistics = evidence.report.malloc_statistics;
  if (!statistics)
    return std::nullopt;
  std::uint64_t count = 0;
  std::uint64_t heaps = 0;
  std::uint64_t reserved = 0;
  std::uint64_t in_use = 0;
  for (const MallocArena &arena : statistics->arenas) {
    if (arena.is_main)
      continue;
    ++count;
    in_use += arena.in_use;
    for (const RunRange &heap : arena.heaps) {
      ++heaps;
      reserved += heap.size();
    }
  }
  if (count < limits::arena_count || reserved < limits::arena_bytes ||
      !at_least_percent(reserved, evidence.virtual_size(), limits::arena_percent))
    return std::nullopt;
  const std::uint64_t resident = evidence.of(MappingKind::malloc_arena).resident;
  MemoryFinding finding;
  finding.id = "malloc-arenas";
  finding.bytes = reserved;
  finding.sentence =
      heaps == count && reserved % count == 0
          ? fmt::format("{} malloc arenas × {} reserved", with_thousands(count), size_text(reserved / count))
          : fmt::format("{} malloc arenas reserve {} in {}", with_thousands(count), size_text(reserved),
                        counted(heaps, "heap"));
  finding.sentence += fmt::format(": {} of VSZ {}", size_text(reserved), size_text(evidence.virtual_size()));
  if (evidence.report.measured)
    finding.sentence += fmt::format(", of which {} is resident and {} in use", size_text(resident), size_text(in_use));
  finding.see = "MALLOC_ARENA_MAX, mallopt(3) M_ARENA_MAX";
  finding.figures = {{"arenas", count}, {"reserved", reserved}, {"resident", resident}, {"in_use", in_use}};
  return finding;
}

/// Resident are chunks in use and free ones, and no more of the former than there are: the rest of what is resident is
/// free for certain.
std::optional<MemoryFinding> free_in_malloc(const MemoryEvidence &evidence) {
  const auto &statistics = evidence.report.malloc_statistics;
  if (!statistics || !evidence.report.measured || !statistics->complete)
    return std::nullopt;
  const std::uint64_t resident =
      evidence.of(MappingKind::main_heap).resident + evidence.of(MappingKind::malloc_arena).resident;
  const std::uint64_t held = std::min(statistics->totals.fordblks, less(resident, statistics->totals.uordblks));
  if (!evidence.is_large(held))
    return std::nullopt;
  MemoryFinding finding;
  finding.id = "malloc-free";
  finding.bytes = held;
  finding.sentence = fmt::format("RSS {}: {} is memory that the program has freed and malloc keeps, of {} that it took "
                                 "from the system for {}",
                                 size_text(evidence.resident()), size_text(held), size_text(statistics->totals.arena),
                                 counted(statistics->arenas.size(), "arena"));
  finding.see = "malloc_trim(3) gives back what is whole pages; mallopt(3) M_TRIM_THRESHOLD";
  finding.figures = {{"rss", evidence.resident()}, {"free", held}, {"arena", statistics->totals.arena}};
  return finding;
}

std::optional<MemoryFinding> thread_stacks(const MemoryEvidence &evidence) {
  const KindUsage stacks = evidence.report.usage_of(MappingKind::thread_stack);
  const bool many = stacks.mappings >= limits::stack_count && stacks.amounts.reserved >= limits::stack_bytes;
  if (!many && !evidence.is_large(stacks.amounts.resident))
    return std::nullopt;
  MemoryFinding finding;
  finding.id = "thread-stacks";
  finding.bytes = evidence.is_large(stacks.amounts.resident) ? stacks.amounts.resident : stacks.amounts.reserved;
  finding.sentence = fmt::format("{} reserve {} of VSZ {} ({} each)", counted(stacks.mappings, "thread stack"),
                                 size_text(stacks.amounts.reserved), size_text(evidence.virtual_size()),
                                 size_text(stacks.amounts.reserved / std::max<std::size_t>(stacks.mappings, 1)));
  if (evidence.report.measured)
    finding.sentence += fmt::format("; {} is resident", size_text(stacks.amounts.resident));
  finding.see = "ulimit -s, pthread_attr_setstacksize(3); fewer threads";
  finding.figures = {
      {"stacks", stacks.mappings}, {"reserved", stacks.amounts.reserved}, {"resident", stacks.amounts.resident}};
  return finding;
}

std::string statistics_of(std::string_view allocator) {
  if (allocator == "jemalloc")
    return "malloc_stats_print(3), MALLOC_CONF=stats_print:true";
  if (allocator == "tcmalloc")
    return "MallocExtension::GetStats(), MALLOCSTATS=1";
  if (allocator == "mimalloc")
    return "mi_stats_print(), MIMALLOC_SHOW_STATS=1";
  return "the allocator's own statistics";
}

std::optional<MemoryFinding> other_allocator(const MemoryEvidence &evidence) {
  if (evidence.report.other_allocators.empty() || evidence.report.go)
    return std::nullopt;
  const std::uint64_t anonymous = evidence.of(MappingKind::anonymous).resident;
  if (!evidence.is_large(anonymous))
    return std::nullopt;
  const OtherAllocator &allocator = evidence.report.other_allocators.front();
  MemoryFinding finding;
  finding.id = "other-allocator";
  finding.bytes = anonymous;
  finding.sentence = fmt::format(
      "RSS {}: {} is anonymous memory; the allocator is {} ({}), which has statistics of its own on what of it "
      "is in use",
      size_text(evidence.resident()), size_text(anonymous), allocator.name, allocator.module_path);
  finding.see = statistics_of(allocator.name);
  finding.figures = {{"rss", evidence.resident()}, {"anonymous", anonymous}};
  return finding;
}

constexpr std::array<MemoryRule, 4> malloc_rules = {many_arenas, free_in_malloc, thread_stacks, other_allocator};

} // namespace

std::span<const MemoryRule> malloc_memory_rules() {
  return malloc_rules;
}

} // namespace inspect
