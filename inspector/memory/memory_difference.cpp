#include "inspector/memory/memory_difference.h"

#include "inspector/memory/memory_rules.h"
#include "machine/number_text.h"

#include <algorithm>
#include <fmt/format.h>

namespace inspect {
namespace {

namespace limits = memory_thresholds;

/// Both have it; the time of the last collection is not an amount.
std::vector<FigureChange> changes(const std::vector<MemoryFigure> &earlier, const std::vector<MemoryFigure> &later) {
  std::vector<FigureChange> changed;
  for (const MemoryFigure &after : later) {
    const auto before = std::ranges::find(earlier, after.name, &MemoryFigure::name);
    if (before != earlier.end() && before->value != after.value && after.name->unit != FigureUnit::moment)
      changed.push_back({after.name, before->value, after.value});
  }
  return changed;
}

KindUsage usage_in(const std::vector<KindUsage> &kinds, MappingKind kind) {
  const auto found = std::ranges::find(kinds, kind, &KindUsage::kind);
  return found == kinds.end() ? KindUsage{.kind = kind, .mappings = 0, .amounts = {}} : *found;
}

KindUsage sum_of(const std::vector<KindUsage> &kinds) {
  KindUsage sum;
  for (const KindUsage &usage : kinds) {
    sum.mappings += usage.mappings;
    sum.amounts += usage.amounts;
  }
  return sum;
}

/// Growth that is comparable: what is resident where both are known, else address space.
struct Growth {
  bool grew = false;
  std::uint64_t bytes = 0; ///< of growth or of shrinking

  Growth(std::uint64_t before, std::uint64_t after)
      : grew(after > before), bytes(grew ? after - before : before - after) {}
  bool before(const Growth &other) const {
    if (grew != other.grew)
      return grew;
    return grew ? bytes > other.bytes : bytes < other.bytes;
  }
};

bool grows_more(const KindChange &left, const KindChange &right, bool measured) {
  const auto growth = [](const KindChange &change, std::uint64_t MemoryAmounts::*amount) {
    return Growth(change.before.amounts.*amount, change.after.amounts.*amount);
  };
  if (measured) {
    const Growth one = growth(left, &MemoryAmounts::resident);
    const Growth other = growth(right, &MemoryAmounts::resident);
    if (one.bytes != other.bytes || one.grew != other.grew)
      return one.before(other);
  }
  return growth(left, &MemoryAmounts::reserved).before(growth(right, &MemoryAmounts::reserved));
}

std::vector<KindChange> changed_kinds(const MemoryFigures &earlier, const MemoryFigures &later, bool measured) {
  std::vector<KindChange> kinds;
  for (std::size_t number = 0; number < mapping_kind_count; ++number) {
    const auto kind = static_cast<MappingKind>(number);
    const KindChange change{usage_in(earlier.kinds, kind), usage_in(later.kinds, kind)};
    const bool same_amounts = measured ? change.before.amounts == change.after.amounts
                                       : change.before.amounts.reserved == change.after.amounts.reserved;
    if (!same_amounts || change.before.mappings != change.after.mappings)
      kinds.push_back(change);
  }
  std::ranges::stable_sort(
      kinds, [&](const KindChange &left, const KindChange &right) { return grows_more(left, right, measured); });
  return kinds;
}

const MemoryFigure *figure(const std::vector<MemoryFigure> &figures, std::string_view name) {
  const auto found = std::ranges::find_if(figures, [&](const MemoryFigure &one) { return one.name->name == name; });
  return found == figures.end() ? nullptr : &*found;
}

bool grew_much(std::uint64_t before, std::uint64_t after) {
  const std::uint64_t growth = less(after, before);
  return growth >= limits::growth_bytes && at_least_percent(growth, before, limits::growth_percent);
}

MemoryFinding growth_finding(std::string id, std::uint64_t before, std::uint64_t after, std::string sentence,
                             std::string see) {
  return {.id = std::move(id),
          .sentence = std::move(sentence),
          .see = std::move(see),
          .bytes = less(after, before),
          .figures = {{"before", before}, {"after", after}}};
}

/// A heap that grows with the goroutines is their work; one that grows alone is kept by something.
void find_go_growth(const MemoryFigures &earlier, const MemoryFigures &later, std::vector<MemoryFinding> &findings) {
  const MemoryFigure *heap_before = figure(earlier.go, "heap_inuse");
  const MemoryFigure *heap_after = figure(later.go, "heap_inuse");
  const MemoryFigure *goroutines_before = figure(earlier.go, "goroutines");
  const MemoryFigure *goroutines_after = figure(later.go, "goroutines");
  if (heap_before == nullptr || heap_after == nullptr || goroutines_before == nullptr || goroutines_after == nullptr)
    return;
  const std::uint64_t more_goroutines = less(goroutines_after->value, goroutines_before->value);
  const bool goroutines_grew = more_goroutines > 0 && at_least_percent(more_goroutines, goroutines_before->value,
                                                                       limits::same_goroutines_percent);
  if (grew_much(heap_before->value, heap_after->value) && !goroutines_grew)
    findings.push_back(
        growth_finding("go-heap-growth", heap_before->value, heap_after->value,
                       fmt::format("Heap in use grew by {} (from {} to {}) while goroutines did not ({}, now {})",
                                   size_text(less(heap_after->value, heap_before->value)),
                                   size_text(heap_before->value), size_text(heap_after->value),
                                   with_thousands(goroutines_before->value), with_thousands(goroutines_after->value)),
                       "go tool pprof -base on two heap profiles says which function keeps it"));
  const MemoryFigure *stacks_before = figure(earlier.go, "stack_inuse");
  const MemoryFigure *stacks_after = figure(later.go, "stack_inuse");
  if (stacks_before != nullptr && stacks_after != nullptr && goroutines_grew &&
      grew_much(stacks_before->value, stacks_after->value))
    findings.push_back(growth_finding(
        "go-goroutine-growth", stacks_before->value, stacks_after->value,
        fmt::format("{} more than before ({}, now {}), and {} more of stacks", counted(more_goroutines, "goroutine"),
                    with_thousands(goroutines_before->value), with_thousands(goroutines_after->value),
                    size_text(less(stacks_after->value, stacks_before->value))),
        "inspect stacks PID shows where they wait and what made them"));
}

void find_malloc_growth(const MemoryFigures &earlier, const MemoryFigures &later,
                        std::vector<MemoryFinding> &findings) {
  const auto in_use = [](const MemoryFigures &figures) -> std::optional<std::uint64_t> {
    const MemoryFigure *used = figure(figures.malloc_figures, "uordblks");
    const MemoryFigure *mapped = figure(figures.malloc_figures, "hblkhd");
    if (used == nullptr)
      return std::nullopt;
    return used->value + (mapped != nullptr ? mapped->value : 0);
  };
  const auto before = in_use(earlier);
  const auto after = in_use(later);
  if (!before || !after || !grew_much(*before, *after))
    return;
  findings.push_back(
      growth_finding("malloc-growth", *before, *after,
                     fmt::format("What the program has from malloc grew by {} (from {} to {})",
                                 size_text(less(*after, *before)), size_text(*before), size_text(*after)),
                     "heaptrack or valgrind --tool=massif say which calls keep it"));
}

} // namespace

MemoryFigures figures_of(const MemoryReport &report) {
  MemoryFigures figures;
  figures.process = report.process;
  figures.start_ticks = report.start_ticks;
  figures.command = report.command;
  figures.taken_at = report.taken_at;
  figures.measured = report.measured;
  figures.totals = total_memory_figures(report);
  if (report.go)
    figures.go = go_memory_figures(*report.go);
  if (report.malloc_statistics)
    figures.malloc_figures = malloc_memory_figures(*report.malloc_statistics);
  figures.kinds = report.kinds;
  return figures;
}

Result<MemoryDifference> compare_memory(const MemoryFigures &earlier, const MemoryFigures &later) {
  if (earlier.process != later.process)
    return std::unexpected(Error(ErrorKind::usage,
                                 fmt::format("the earlier look is one at process {} ({}), and not at process {} ({})",
                                             earlier.process, earlier.command, later.process, later.command),
                                 "take it with `inspect mem PID --json` of the same process"));
  if (earlier.start_ticks != later.start_ticks)
    return std::unexpected(
        Error(ErrorKind::usage,
              fmt::format("the earlier look is one at another process ({}) that had the number {} before",
                          earlier.command, earlier.process),
              "the process was started anew since; take a look at this one with `inspect mem PID --json`"));
  MemoryDifference difference;
  difference.earlier = earlier.taken_at;
  difference.later = later.taken_at;
  difference.measured = earlier.measured && later.measured;
  difference.totals = changes(earlier.totals, later.totals);
  difference.go = changes(earlier.go, later.go);
  difference.malloc_changes = changes(earlier.malloc_figures, later.malloc_figures);
  difference.kinds = changed_kinds(earlier, later, difference.measured);
  difference.sum = {sum_of(earlier.kinds), sum_of(later.kinds)};
  find_go_growth(earlier, later, difference.findings);
  find_malloc_growth(earlier, later, difference.findings);
  return difference;
}

} // namespace inspect
