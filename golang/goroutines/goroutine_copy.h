// Copies the list of goroutines while the process is stopped: the slots of allgs, then the g structures (neighbours in
// one read, decoded chunk by chunk, so that a million of them need no gigabyte), then the Ms; and says which parts of
// which stacks are live, for the snapshot to copy in the same stop.
//
// Everything is read once before the stop as well. What was read then is thrown away, but it leaves the order of the
// structures and of the stacks in memory, which hardly change, and all buffers with their pages: so the stop need
// neither sort nor allocate.
//
//     GoroutineCopy copy(runtime, memory);
//     copy.prepare();                           // the target still runs
//     auto stacks = copy.copy(stack_pointers);  // it is stopped; the result goes to attach/snapshot/stack_copy
//     copy.goroutines(), copy.machines()        // afterwards
#pragma once

#include "golang/goroutines/unstopped_stacks.h"
#include "golang/runtime/go_runtime.h"

#include <optional>
#include <span>

namespace inspect {

class GoroutineCopy {
public:
  enum class Stacks { all, on_threads };
  GoroutineCopy(GoRuntime &runtime, const MemoryView &memory, Stacks stacks = Stacks::all);
  ~GoroutineCopy();
  GoroutineCopy(const GoroutineCopy &) = delete;
  GoroutineCopy &operator=(const GoroutineCopy &) = delete;

  Result<void> prepare();
  /// After prepare(): about how many bytes the stacks that copy() names will have.
  std::uint64_t expected_stack_bytes() const;
  /// The live parts of the goroutines' stacks, ascending, not overlapping: from the stack pointer where the goroutine
  /// is parked, and for each of `stack_pointers` (of the stopped threads) from it to the end of the goroutine or system
  /// stack it lies in. Never fails: what could not be read is a warning.
  std::vector<RunRange> copy(std::span<const RunAddress> stack_pointers);

  /// After copy(): where system stacks were left that C made, whose end only the memory map tells. They may be gone.
  const std::vector<RunAddress> &c_stack_pointers() const;

  // Without a stop: copy({}) reads the lists, and then
  /// the stack that a stack pointer is in, if the runtime made it,
  std::optional<RunRange> stack_at(RunAddress stack_pointer) const;
  /// and those stacks of goroutines that do not run, as golang/goroutines/unstopped_stacks.h says. The records of those
  /// that ran since are newer then.
  std::vector<UnstoppedStack> copy_running(std::span<const HeldStack> held, std::uint64_t limit_bytes,
                                           const StackRoom &room);
  /// Of the goroutine with this structure there is no stack: it ran whenever it was looked at.
  bool ran_meanwhile(RunAddress goroutine) const;

  /// Not idle and not dead, in the runtime's order. Valid after copy().
  const std::vector<Goroutine> &goroutines() const;
  std::vector<Goroutine> take_goroutines();
  const std::vector<GoM> &runtime_ms() const;
  /// The number of the synctest bubble there, as its goroutines' tracebacks name it; 0: it could not be read.
  std::uint64_t bubble_number(RunAddress bubble) const;
  /// CLOCK_MONOTONIC in nanoseconds at the time of the copy: wait times are relative to it.
  std::int64_t now() const;
  std::vector<std::string> take_warnings();

private:
  struct State;
  std::unique_ptr<State> state_;
};

} // namespace inspect
