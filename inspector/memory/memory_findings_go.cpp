// What a Go process' figures say. The terms are those of runtime.MemStats: HeapIdle is spans without objects, part of
// which is HeapReleased, given back to the system; what is idle and not released is kept for reuse.
#include "inspector/memory/memory_rules.h"
#include "machine/number_text.h"

#include <algorithm>
#include <array>
#include <fmt/format.h>
#include <limits>

namespace inspect {
namespace {

namespace limits = memory_thresholds;

/// A part of RSS that is not said in a sentence of its own gets a word from here on.
constexpr unsigned side_part_percent = 3;

/// Idle, not given back, and really there.
std::uint64_t kept_idle(const MemoryEvidence &evidence) {
  const auto &go = evidence.report.go;
  if (!go || !go->heap_idle || !go->heap_released)
    return 0;
  const MemoryAmounts heap = evidence.of(MappingKind::go_heap);
  const std::uint64_t kept = less(*go->heap_idle, *go->heap_released);
  return evidence.report.measured ? std::min(kept, less(heap.resident + heap.swapped, heap.lazily_freed)) : kept;
}

std::uint64_t lazily_freed(const MemoryEvidence &evidence) {
  return evidence.report.go ? evidence.of(MappingKind::go_heap).lazily_freed : 0;
}

std::uint64_t c_heap(const MemoryEvidence &evidence) {
  return evidence.of(MappingKind::main_heap).resident + evidence.of(MappingKind::malloc_arena).resident +
         evidence.of(MappingKind::malloc_mapped).resident;
}

/// Anonymous memory of no known owner. What the statistics have beside the heap, and the mappings told as the runtime's
/// tables do not cover, is taken to be part of it.
std::uint64_t foreign_mappings(const MemoryEvidence &evidence) {
  const auto &go = evidence.report.go;
  if (!go || !go->sys || !go->heap_sys)
    return 0;
  const std::uint64_t tables = less(*go->sys, *go->heap_sys + go->stack_inuse.value_or(0));
  const std::uint64_t not_seen = less(tables, evidence.of(MappingKind::go_metadata).resident);
  const std::uint64_t anonymous = evidence.of(MappingKind::anonymous).resident + evidence.of(MappingKind::jit).resident;
  return less(anonymous, not_seen);
}

/// "; 110 MB goroutine stacks (94,000 goroutines); 60 MB C heap, invisible to pprof"
std::string other_parts(const MemoryEvidence &evidence) {
  const auto &go = evidence.report.go;
  const auto worth = [&](std::uint64_t bytes) {
    return bytes > 0 && at_least_percent(bytes, evidence.resident(), side_part_percent);
  };
  std::string text;
  if (const std::uint64_t stacks = go->stack_inuse.value_or(0); worth(stacks)) {
    text += fmt::format("; {} goroutine stacks", size_text(stacks));
    if (go->goroutines)
      text += fmt::format(" ({})", counted(*go->goroutines, "goroutine"));
  }
  if (const std::uint64_t heap = c_heap(evidence); worth(heap))
    text += fmt::format("; {} C heap, invisible to pprof", size_text(heap));
  if (const std::uint64_t foreign = foreign_mappings(evidence); worth(foreign))
    text += fmt::format("; {} in other mappings, invisible to pprof", size_text(foreign));
  return text;
}

std::optional<MemoryFinding> idle_heap(const MemoryEvidence &evidence) {
  const std::uint64_t kept = kept_idle(evidence);
  if (!evidence.is_large(kept))
    return std::nullopt;
  const std::uint64_t lazily = lazily_freed(evidence);
  const std::uint64_t in_use = evidence.report.go->heap_inuse.value_or(0);
  MemoryFinding finding;
  finding.id = "go-idle-heap";
  finding.bytes = kept + lazily;
  finding.sentence = fmt::format("RSS {}, Go heap in use {}: {} is idle heap", size_text(evidence.resident()),
                                 size_text(in_use), size_text(kept + lazily));
  finding.sentence += lazily >= limits::megabyte
                          ? fmt::format(", of which {} is kept for reuse and {} is already given back lazily "
                                        "(MADV_FREE) and goes away under pressure",
                                        size_text(kept), size_text(lazily))
                          : std::string(" kept for reuse");
  finding.sentence += other_parts(evidence);
  finding.see = "runtime/debug.FreeOSMemory gives it back at once; GOGC and GOMEMLIMIT say how much may gather";
  finding.figures = {{"rss", evidence.resident()}, {"heap_inuse", in_use}, {"kept", kept}, {"lazily_freed", lazily}};
  return finding;
}

std::optional<MemoryFinding> heap_freed_lazily(const MemoryEvidence &evidence) {
  const std::uint64_t lazily = lazily_freed(evidence);
  if (!evidence.is_large(lazily) || evidence.is_large(kept_idle(evidence)))
    return std::nullopt;
  MemoryFinding finding;
  finding.id = "go-lazily-freed";
  finding.bytes = lazily;
  finding.sentence =
      fmt::format("RSS {}: {} is Go heap that the runtime has already given back lazily (MADV_FREE); the "
                  "kernel takes it once memory is short, and until then RSS counts it{}",
                  size_text(evidence.resident()), size_text(lazily), other_parts(evidence));
  finding.see = "GODEBUG=madvdontneed=1, the default since Go 1.16, lets RSS fall at once; madvise(2)";
  finding.figures = {{"rss", evidence.resident()}, {"lazily_freed", lazily}};
  return finding;
}

std::optional<MemoryFinding> goroutine_stacks(const MemoryEvidence &evidence) {
  const auto &go = evidence.report.go;
  const std::uint64_t stacks = go ? go->stack_inuse.value_or(0) : 0;
  if (!evidence.is_large(stacks))
    return std::nullopt;
  const std::uint64_t goroutines = go->goroutines.value_or(0);
  MemoryFinding finding;
  finding.id = "go-stacks";
  finding.bytes = stacks;
  finding.sentence = fmt::format("RSS {}: {} is goroutine stacks", size_text(evidence.resident()), size_text(stacks));
  if (goroutines > 0)
    finding.sentence += fmt::format(" ({}, {} each)", counted(goroutines, "goroutine"), size_text(stacks / goroutines));
  finding.see =
      "inspect stacks PID shows where they wait; a collection (runtime.GC) shrinks stacks that were deep once";
  finding.figures = {{"rss", evidence.resident()}, {"stack_inuse", stacks}, {"goroutines", goroutines}};
  return finding;
}

std::optional<MemoryFinding> outside_of_go(const MemoryEvidence &evidence) {
  if (!is_outside_of_go(evidence))
    return std::nullopt;
  const std::uint64_t heap = c_heap(evidence);
  const std::uint64_t foreign = foreign_mappings(evidence);
  const std::uint64_t files = evidence.of(MappingKind::file).resident;
  const std::uint64_t known =
      evidence.of(MappingKind::go_heap).resident + evidence.of(MappingKind::go_metadata).resident;
  std::string parts;
  const auto add = [&](std::uint64_t bytes, std::string_view what) {
    if (bytes >= limits::megabyte)
      parts += fmt::format("{}{} {}", parts.empty() ? "" : ", ", size_text(bytes), what);
  };
  add(heap, "C heap (malloc)");
  add(foreign, "anonymous mappings");
  add(files, "mapped files");
  MemoryFinding finding;
  finding.id = "go-outside";
  finding.bytes = heap + foreign + files;
  finding.sentence =
      fmt::format("RSS {}, of which {} is the Go runtime's: {} lies outside of it, invisible to pprof: {}",
                  size_text(evidence.resident()), size_text(known), size_text(finding.bytes), parts);
  finding.see = "cgo and C libraries, syscall.Mmap; inspect maps PID lists the mappings";
  finding.figures = {
      {"rss", evidence.resident()}, {"go", known}, {"c_heap", heap}, {"mappings", foreign}, {"files", files}};
  return finding;
}

std::optional<MemoryFinding> reserved_by_go(const MemoryEvidence &evidence) {
  const auto &go = evidence.report.go;
  if (!go || !evidence.report.measured || evidence.virtual_size() < limits::reserved_bytes)
    return std::nullopt;
  std::uint64_t untouched = 0;
  for (const MappingKind kind : {MappingKind::go_heap, MappingKind::go_metadata}) {
    const MemoryAmounts amounts = evidence.of(kind);
    untouched += less(amounts.reserved, amounts.resident + amounts.swapped);
  }
  // Part of it may have been used once, and given back.
  untouched = less(untouched, less(go->heap_released.value_or(0), lazily_freed(evidence)));
  if (!at_least_percent(untouched, evidence.virtual_size(), limits::reserved_percent))
    return std::nullopt;
  MemoryFinding finding;
  finding.id = "go-reserved";
  finding.bytes = untouched;
  finding.sentence = fmt::format("VSZ {}: {} is address space that Go reserved and never touched; it costs nothing",
                                 size_text(evidence.virtual_size()), size_text(untouched));
  finding.see = "RSS and PSS say what is used; limits on address space (ulimit -v) do not fit Go";
  finding.figures = {{"vsz", evidence.virtual_size()}, {"untouched", untouched}};
  return finding;
}

bool has_limit(const GoMemoryStatistics &go) {
  return go.memory_limit && *go.memory_limit >= 0 && *go.memory_limit != std::numeric_limits<std::int64_t>::max();
}

std::optional<MemoryFinding> near_go_limit(const MemoryEvidence &evidence) {
  const auto &go = evidence.report.go;
  if (!go || !has_limit(*go) || !go->sys || !go->heap_released)
    return std::nullopt;
  const auto limit = static_cast<std::uint64_t>(*go->memory_limit);
  const std::uint64_t used = less(*go->sys, *go->heap_released); // what the runtime holds against the limit
  if (used == 0 || !at_least_percent(used, limit, limits::go_limit_percent))
    return std::nullopt;
  MemoryFinding finding;
  finding.id = "gomemlimit-near";
  finding.bytes = used;
  finding.sentence = fmt::format("Go uses {} of GOMEMLIMIT {} ({} %): near the limit the collector runs more and more "
                                 "often",
                                 size_text(used), size_text(limit), percent_of(used, limit));
  finding.see = "GOMEMLIMIT, runtime/debug.SetMemoryLimit; GODEBUG=gctrace=1 shows each collection";
  finding.figures = {{"used", used}, {"limit", limit}};
  return finding;
}

std::optional<MemoryFinding> go_limit_above_group(const MemoryEvidence &evidence) {
  const auto &go = evidence.report.go;
  const auto &group = evidence.report.cgroup;
  if (!go || !has_limit(*go) || !group || !group->limit)
    return std::nullopt;
  const auto limit = static_cast<std::uint64_t>(*go->memory_limit);
  if (limit <= *group->limit)
    return std::nullopt;
  MemoryFinding finding;
  finding.id = "gomemlimit-above-cgroup";
  finding.bytes = limit;
  finding.sentence = fmt::format("GOMEMLIMIT {} is above the cgroup's limit {}: the OOM killer comes before the "
                                 "collector hurries",
                                 size_text(limit), size_text(*group->limit));
  finding.see = "GOMEMLIMIT, runtime/debug.SetMemoryLimit: some 10 % below the cgroup's memory.max";
  finding.figures = {{"limit", limit}, {"cgroup_limit", *group->limit}};
  return finding;
}

std::optional<MemoryFinding> collection_off(const MemoryEvidence &evidence) {
  const auto &go = evidence.report.go;
  if (!go || go->gogc != -1 || has_limit(*go) || go->heap_alloc.value_or(0) < limits::resident_bytes)
    return std::nullopt;
  MemoryFinding finding;
  finding.id = "go-gc-off";
  finding.bytes = *go->heap_alloc;
  finding.sentence =
      fmt::format("GOGC is off and there is no GOMEMLIMIT: the heap ({}) only grows", size_text(*go->heap_alloc));
  finding.see = "GOGC, runtime/debug.SetGCPercent";
  finding.figures = {{"heap_alloc", *go->heap_alloc}};
  return finding;
}

std::optional<MemoryFinding> fragmented_heap(const MemoryEvidence &evidence) {
  const auto &go = evidence.report.go;
  if (!go || !go->heap_inuse || !go->heap_alloc)
    return std::nullopt;
  const std::uint64_t holes = less(*go->heap_inuse, *go->heap_alloc);
  if (!evidence.is_large(holes) || !at_least_percent(holes, *go->heap_inuse, limits::fragmented_percent))
    return std::nullopt;
  MemoryFinding finding;
  finding.id = "go-fragmented-heap";
  finding.bytes = holes;
  finding.sentence =
      fmt::format("Go heap in use {}, but only {} of it is objects: {} is free space between them, which "
                  "only objects of the same size class can fill",
                  size_text(*go->heap_inuse), size_text(*go->heap_alloc), size_text(holes));
  finding.see = "a few long-lived objects hold whole spans: runtime.MemStats BySize, pprof -inuse_objects";
  finding.figures = {{"heap_inuse", *go->heap_inuse}, {"heap_alloc", *go->heap_alloc}};
  return finding;
}

constexpr std::array<MemoryRule, 9> go_rules = {idle_heap,      heap_freed_lazily, goroutine_stacks,     outside_of_go,
                                                reserved_by_go, near_go_limit,     go_limit_above_group, collection_off,
                                                fragmented_heap};

} // namespace

bool is_outside_of_go(const MemoryEvidence &evidence) {
  return evidence.report.go && evidence.report.measured &&
         evidence.is_large(c_heap(evidence) + foreign_mappings(evidence));
}

std::span<const MemoryRule> go_memory_rules() {
  return go_rules;
}

} // namespace inspect
