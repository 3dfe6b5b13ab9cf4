// A consistent copy of what unwinding needs: every thread's registers and the live part of every stack, all taken in
// one stop. The target runs again when take_snapshot returns (unless the caller keeps the stop), and when the copy has
// to wait for memory that nobody delivers it runs on after a fraction of a second: the tracing thread itself reads
// nothing.
#pragma once

#include "attach/procfs/memory_map.h"
#include "attach/ptrace/stopped_process.h"
#include "attach/snapshot/copy_buffer.h"
#include "attach/snapshot/live_memory.h"

#include <atomic>
#include <chrono>
#include <functional>
#include <optional>
#include <span>

namespace inspect {

/// What was copied, as memory; reads may not leave what was captured. Ranges are sorted and do not overlap.
class SnapshotMemory final : public MemoryView {
public:
  Result<void> read(RunAddress address, std::span<std::byte> into) const override;
  /// Whether this address was captured.
  bool holds(RunAddress address) const;
  std::uint64_t size_in_bytes() const;
  /// Adds what another copy has and this one has not.
  void add(SnapshotMemory other);

  struct Range {
    RunRange range;
    std::byte *bytes; ///< in the buffer
  };
  SnapshotMemory() = default;
  SnapshotMemory(std::vector<Range> ranges, CopyBuffer buffer);
  SnapshotMemory(SnapshotMemory &&other) noexcept;
  SnapshotMemory &operator=(SnapshotMemory &&other) noexcept;

private:
  std::size_t first_range_for(RunAddress address) const;

  std::vector<Range> ranges_;
  CopyBuffer buffer_;
  /// The range that was read last: whoever walks a stack reads it again and again, and among a million ranges a search
  /// costs as much as the walk.
  mutable std::atomic<std::size_t> recent_{0};
};

/// Adds a runtime's own stacks to the copy, within the same stop.
class StackSource {
public:
  virtual ~StackSource() = default;
  /// The target still runs: whatever takes time and memory is done here.
  virtual void prepare() = 0;
  /// After prepare: about how many bytes the stacks will be; a good guess makes the pause shorter.
  virtual std::uint64_t expected_bytes() const { return 0; }
  /// The target is stopped. What is to be copied, ascending and not overlapping; a thread's stack pointer inside one of
  /// these ranges is taken care of by it.
  virtual std::vector<RunRange> stacks(std::span<const RunAddress> stack_pointers) = 0;
  /// After stacks: where native stacks were left that no thread is on now; they are copied like the threads'. What they
  /// point to may be gone.
  virtual std::vector<RunAddress> further_stack_pointers() const { return {}; }

  // Where nothing is stopped (attach/unstopped/look.h), after prepare() and in this order:

  /// What says which stacks there are is read now.
  virtual void list() {}
  /// The stack among them that this thread's stack pointer is in.
  virtual std::optional<RunRange> stack_at(RunAddress stack_pointer) const {
    static_cast<void>(stack_pointer);
    return std::nullopt;
  }
  /// What was copied already of a thread that slept.
  struct Held {
    RunRange range;
    bool slept_since_list = false; ///< so that what list() read of this thread holds
  };
  /// Gives memory for so many bytes; null: there is none left.
  using Room = std::function<std::byte *(std::uint64_t)>;
  /// Copies those that can be trusted, ascending and not overlapping. `held` is ascending.
  virtual std::vector<SnapshotMemory::Range> copy_running(std::span<const Held> held, std::uint64_t limit_bytes,
                                                          const Room &room) {
    static_cast<void>(held);
    static_cast<void>(limit_bytes);
    static_cast<void>(room);
    return {};
  }
};

struct SnapshotOptions {
  StopOptions stop;
  /// Per stack: the copy reaches from the stack pointer (less the red zone) to the end of its mapping, at most this
  /// far.
  std::uint64_t stack_limit_bytes = 16ULL << 20;
  /// All threads' stacks together; when they would exceed it, every stack gets an equal share at least.
  std::uint64_t total_limit_bytes = 512ULL << 20;
  /// The same for the source's stacks; nor do they take more than half of the memory that is free.
  std::uint64_t source_limit_bytes = 4ULL << 30;
  StackSource *source = nullptr; ///< may be null; must outlive the call
};

struct Snapshot {
  std::vector<StoppedThread> threads;
  SnapshotMemory memory;
  std::chrono::microseconds pause{0}; ///< as the target felt it; zero while the stop is kept
  std::vector<std::string> warnings;  ///< sentences: threads that did not stop, stacks cut, …
  std::string why_not_stopped;        ///< "frozen by its control group"; empty: threads were stopped
};

/// The warning of a thread that did not stop.
std::string no_stack_warning(const StoppedThread &thread);

/// Stops, copies, releases. `maps` were read before; they are read again inside the pause only when a stack pointer
/// lies in none of them.
Result<Snapshot> take_snapshot(pid_t process, const LiveMemory &memory, const std::vector<Mapping> &maps,
                               const SnapshotOptions &options);

/// Copies from a process that is stopped already and stays so.
Result<Snapshot> copy_stopped(const StoppedProcess &stopped, pid_t process, const LiveMemory &memory,
                              const std::vector<Mapping> &maps, const SnapshotOptions &options);

} // namespace inspect
