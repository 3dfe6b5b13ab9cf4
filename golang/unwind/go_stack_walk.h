// The stacks of goroutines that are parked, a million of them: nearly all have nothing but plain Go frames, and need no
// registers but the stack pointer, no rules but a number per pc, and one or two reads of memory.
//
//     GoStackWalk walk(runtime);
//     Stack stack;                                       // reused: its frames keep their memory
//     if (!walk.walk(goroutine, memory, limits, stack))  // anything unusual
//       stack = unwind(parked_registers(goroutine), memory, modules, with_go_unwind);
//
// Where it succeeds the stack is the one that unwind() finds.
#pragma once

#include "dwarf/unwind/unwinder.h"
#include "golang/unwind/frame_rules.h"

#include <array>
#include <cstddef>

namespace inspect {

class GoStackWalk {
public:
  explicit GoStackWalk(const GoRuntime &runtime) : rules_(runtime) {}

  /// False where the general unwinder is needed: other frames than plain Go ones, memory that cannot be read, stacks
  /// that do not end in an outermost function. `stack` then has no meaning. Of the limits, max_frames is heeded.
  bool walk(const Goroutine &goroutine, const MemoryView &memory, const UnwindLimits &limits, Stack &stack);

private:
  /// A part of the stack, read ahead.
  struct Window {
    static constexpr std::size_t capacity = 4096;
    RunAddress begin;
    std::size_t size = 0;
    std::array<std::byte, capacity> bytes;
  };

  bool read_word(RunAddress address, const RunRange &stack, const MemoryView &memory, std::uint64_t &into);
  bool refill(RunAddress address, const RunRange &stack, const MemoryView &memory);

  GoFrameRules rules_;
  Window window_;
};

} // namespace inspect
