// A consistent copy of what unwinding needs: every thread's registers and the live part of every stack, all taken in
// one stop. The target runs again when take_snapshot returns (unless the caller keeps the stop).
#pragma once

#include "attach/live_memory.h"
#include "attach/memory_map.h"
#include "attach/tracer.h"

#include <chrono>

namespace inspect {

/// What was copied, as memory; reads may not leave what was captured. Ranges are sorted and do not overlap.
class SnapshotMemory final : public MemoryView {
public:
  Result<void> read(RunAddress address, std::span<std::byte> into) const override;
  /// Whether this address was captured.
  bool holds(RunAddress address) const;
  std::uint64_t size_in_bytes() const;

  struct Range {
    RunRange range;
    std::size_t position; ///< of its first byte in the bytes
  };
  SnapshotMemory() = default;
  SnapshotMemory(std::vector<Range> ranges, std::unique_ptr<std::byte[]> bytes);
  SnapshotMemory(SnapshotMemory &&other) noexcept;
  SnapshotMemory &operator=(SnapshotMemory &&other) noexcept;

private:
  std::vector<Range> ranges_;
  std::unique_ptr<std::byte[]> bytes_;
};

struct SnapshotOptions {
  StopOptions stop;
  /// Per stack: the copy reaches from the stack pointer (less the red zone) to the end of its mapping, at most this
  /// far.
  std::uint64_t stack_limit_bytes = 16ULL << 20;
  /// All stacks together; when they would exceed it, every stack gets an equal share at least.
  std::uint64_t total_limit_bytes = 512ULL << 20;
};

struct Snapshot {
  std::vector<StoppedThread> threads;
  SnapshotMemory memory;
  std::chrono::microseconds pause{0}; ///< as the target felt it; zero while the stop is kept
  std::vector<std::string> warnings;  ///< sentences: threads that did not stop, stacks cut, …
};

/// Stops, copies, releases. `maps` were read before; they are read again inside the pause only when a stack pointer
/// lies in none of them.
Result<Snapshot> take_snapshot(Tracer &tracer, pid_t process, const LiveMemory &memory,
                               const std::vector<Mapping> &maps, const SnapshotOptions &options);

/// Copies from a process that is stopped already and stays so.
Snapshot copy_stopped(const StoppedProcess &stopped, pid_t process, const LiveMemory &memory,
                      const std::vector<Mapping> &maps, const SnapshotOptions &options);

} // namespace inspect
