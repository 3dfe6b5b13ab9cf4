// Where the memory of a process is: totals, kinds, the allocators' statistics, and what follows from them, as plain
// data.
//
//     auto reader = MemoryReader::open(4251, {});
//     auto report = (*reader)->read({.stop = true});
//     for (const KindUsage &usage : report->kinds) …
//
// One look reads smaps once. The target is stopped only while the allocators' statistics are copied; without the right
// to stop it the rest of the report holds, and a warning says what is missing.
#pragma once

#include "attach/cgroup/cgroup_memory.h"
#include "attach/procfs/process_status.h"
#include "attach/ptrace/stopped_process.h"
#include "inspector/mappings/mapping_kind.h"
#include "inspector/mappings/process_mappings.h"
#include "inspector/target/runtime_kind.h"

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace inspect {

struct KindUsage {
  MappingKind kind = MappingKind::anonymous;
  std::size_t mappings = 0;
  MemoryAmounts amounts;
};

/// One thing that the figures say. It is there only where they hold.
struct MemoryFinding {
  std::string id;          ///< stable: "go-idle-heap", "malloc-arenas", … see docs/memory.md
  std::string sentence;    ///< whole, with figures; no line break; not escaped
  std::string see;         ///< the knob or page behind it: "MALLOC_ARENA_MAX, mallopt(3)"
  std::uint64_t bytes = 0; ///< how much memory it is about, for the order
  std::vector<std::pair<std::string, std::uint64_t>> figures; ///< those of the sentence, in bytes or counts
};

/// The statistics of a further Go runtime in the process: a c-shared library's.
struct HostedGoMemory {
  std::string version; ///< "go1.22.1"; empty: not known
  std::string image;   ///< the file that it is in
  GoMemoryStatistics statistics;
};

struct MemoryReport {
  pid_t process = 0;
  std::string command;
  std::string executable;
  RuntimeInfo runtime;
  std::int64_t taken_at = 0;     ///< milliseconds since the epoch
  std::uint64_t start_ticks = 0; ///< of the process: tells it from a later one of the same number
  std::size_t thread_count = 0;
  MemoryStatus status;
  Result<ControlGroupMemory> cgroup = std::unexpected(Error(ErrorKind::not_found, "not read"));
  /// Why there are no mappings, where the right to read them is missing: `status` and `cgroup` are all there is then.
  std::optional<Error> refused;
  std::size_t mapping_count = 0; ///< of those that count
  MemoryAmounts total;           ///< over the mappings
  bool measured = false;         ///< false: of the mappings only the address space is known
  std::string why_not_measured;
  std::vector<KindUsage> kinds;            ///< largest resident first; only those that occur
  std::uint64_t goroutine_stack_bytes = 0; ///< of go_heap
  std::optional<GoMemoryStatistics> go;    ///< of the first Go runtime
  std::string go_image;                    ///< the file that this one is in
  std::vector<HostedGoMemory> other_go;    ///< of the others
  std::optional<MallocStatistics> malloc_statistics;
  std::vector<OtherAllocator> other_allocators;
  std::vector<MemoryFinding> findings; ///< most bytes first
  std::chrono::microseconds pause{0};  ///< of the target, for the allocators' statistics
  std::vector<std::string> warnings;   ///< what is missing and why, what does not add up and by how much

  /// Of a kind that does not occur: nothing.
  KindUsage usage_of(MappingKind kind) const;
};

struct MemoryReadOptions {
  bool stop = false; ///< the target, for its allocators' statistics; without, they are left out, unless it is held
  bool held = false; ///< the caller holds the target: its statistics are read as they are
};

/// Reads reports of one process, one after the other: what was opened for the first look serves the next.
class MemoryReader {
public:
  /// A process that may not be opened (another user's, a 32-bit one) can still be read in part. no_such_process;
  /// unsupported for what has no memory: kernel threads and zombies; and for this process itself.
  static Result<std::unique_ptr<MemoryReader>> open(pid_t process, const TargetOptions &options);
  /// Of a target that is open already and outlives the reader.
  explicit MemoryReader(Target &target);
  ~MemoryReader();
  MemoryReader(const MemoryReader &) = delete;
  MemoryReader &operator=(const MemoryReader &) = delete;

  /// no_such_process: it has ended.
  Result<MemoryReport> read(const MemoryReadOptions &options);

private:
  struct State;
  explicit MemoryReader(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

/// All that hold for this report (memory_findings.cpp). `mappings` are those that the report was made of.
std::vector<MemoryFinding> find_memory_findings(const MemoryReport &report,
                                                std::span<const ClassifiedMapping> mappings);

/// Adds up what the mappings are: `total`, `kinds`, `mapping_count` and `goroutine_stack_bytes` of the report.
void add_up_mappings(MemoryReport &report, std::span<const ClassifiedMapping> mappings);

/// What the kernel's counters, read before and after the mappings, and the sums over the mappings say differently, in
/// sentences with the difference. A difference that the process itself made meanwhile is said to be one.
std::vector<std::string> check_memory_sums(const MemoryReport &report, const MemoryStatus &before,
                                           const MemoryStatus &after);

} // namespace inspect
