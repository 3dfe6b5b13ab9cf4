// Which part of a goroutine's or an M's stack is in use: from the saved stack pointers, or from where the process'
// threads are. Pure: no reading.
//
// Sources: runtime/stack.go, proc.go (gopark, entersyscall, malg), asm_amd64.s (systemstack, mcall), cgocall.go.
#pragma once

#include "golang/runtime/goroutine.h"

#include <optional>
#include <span>
#include <vector>

namespace inspect {

/// The stack pointers of a process' threads.
class ThreadStackPointers {
public:
  explicit ThreadStackPointers(std::span<const RunAddress> stack_pointers);
  /// The lowest of them in this stack, less the red zone (C code on a Go stack's neighbour may use it), and no lower
  /// than the stack's begin.
  std::optional<RunAddress> lowest_in(RunRange stack) const;

private:
  std::vector<RunAddress> sorted_;
};

struct LiveStack {
  /// A goroutine's stack is not copied further than this: beyond, a pause would be felt.
  static constexpr std::uint64_t limit_bytes = 64 << 20;

  RunRange range;       ///< empty: there is none to copy
  bool damaged = false; ///< bounds, or the stack pointer in them, are malformed
  bool cut = false;     ///< by the limit
};

/// Parked: from where it was left. In a system call: from there, or from its thread's stack pointer if that is on this
/// stack. Running: from the thread's stack pointer; the whole stack when the thread is on another one for the moment.
LiveStack live_stack(const Goroutine &goroutine, const ThreadStackPointers &threads);

/// Whether the runtime made this stack itself, so that its bounds are exact. Those of threads that C made, and of the
/// first thread, are a guess, and the frames of C lie above them.
bool is_runtime_stack(RunRange stack);

struct MStacks {
  std::vector<RunRange> ranges;        ///< of system and signal stacks
  std::vector<RunAddress> on_c_stacks; ///< where a system stack was left whose end only the memory map tells
};
void add_m_stacks(const GoM &runtime_m, const ThreadStackPointers &threads, MStacks &into);

/// Ascending, without overlaps and without empty ranges. `ordered` is ascending but for the empty ones among it; what
/// does not fit is cut.
std::vector<RunRange> join_stacks(std::vector<RunRange> ordered, std::vector<RunRange> others);

} // namespace inspect
