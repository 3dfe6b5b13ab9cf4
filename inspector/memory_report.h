// Where the memory of a process is: totals, kinds, the runtimes' own books, and what follows from them, as plain data.
#pragma once

#include "attach/cgroup_memory.h"
#include "attach/memory_status.h"
#include "inspector/mapping_kind.h"
#include "inspector/runtime_kind.h"

#include <chrono>

namespace inspect {

struct KindUsage {
  MappingKind kind;
  std::size_t mappings = 0;
  MemoryAmounts amounts;
};

/// One thing that the figures say. It is there only where they hold.
struct MemoryFinding {
  std::string id;       ///< stable: "go-idle-heap", "malloc-arenas", … see docs/manual.md
  std::string sentence; ///< whole, with figures; no line break
  std::string see;      ///< the knob or page behind it: "MALLOC_ARENA_MAX, mallopt(3)"
  std::vector<std::pair<std::string, std::uint64_t>> figures; ///< those of the sentence, in bytes or counts
};

struct MemoryReport {
  pid_t process = 0;
  std::string command;
  std::string executable;
  RuntimeInfo runtime;
  std::int64_t taken_at = 0; ///< milliseconds since the epoch
  MemoryStatus status;
  MemoryAmounts total; ///< over the mappings
  bool measured = false;
  std::string why_not_measured;
  Result<ControlGroupMemory> cgroup = std::unexpected(Error(ErrorKind::not_found, "not read"));
  std::vector<KindUsage> kinds;            ///< largest resident first; only those that occur
  std::uint64_t goroutine_stack_bytes = 0; ///< of go_heap
  std::size_t thread_count = 0;
  std::optional<GoMemoryStatistics> go;
  std::optional<MallocStatistics> malloc_statistics;
  std::vector<OtherAllocator> other_allocators;
  std::vector<MemoryFinding> findings; ///< most bytes first
  std::chrono::microseconds pause{0};  ///< of the target, for the runtimes' books
  std::vector<std::string> warnings;   ///< what is missing and why, what does not add up and by how much
};

struct MemoryReportOptions {
  bool runtime_books = true; ///< false: nothing is stopped
};

Result<MemoryReport> read_memory_report(Target &target, const MemoryReportOptions &options);

/// All that hold for this report (memory_findings.cpp).
std::vector<MemoryFinding> find_memory_findings(const MemoryReport &report,
                                                std::span<const ClassifiedMapping> mappings);

} // namespace inspect
