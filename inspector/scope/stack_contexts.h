// The frames of one unwound stack as the expressions of variables see them (dwarf/location/frame_context.h): each knows
// the frame that called it, because values that a function has overwritten may still be known there.
//
//     StackContexts contexts({stack, memory, target.modules()});
//     const FrameContext &frame = contexts.at(2);
//     auto location = locate(variable.die, frame);
#pragma once

#include "dwarf/location/frame_context.h"
#include "dwarf/location/tail_caller_frames.h"
#include "dwarf/unwind/unwinder.h"

#include <cstddef>
#include <map>
#include <utility>

namespace inspect {

class StackContexts {
public:
  struct Input {
    const Stack &stack;       ///< unwound with keep_registers
    const MemoryView &memory; ///< the copied stacks first
    ModuleMap &modules;
  };
  /// What the input refers to must outlive the object.
  explicit StackContexts(const Input &input) : input_(input) {}
  StackContexts(const StackContexts &) = delete;
  StackContexts &operator=(const StackContexts &) = delete;

  /// Of a physical frame, which the stack must have; lives as long as this object.
  const FrameContext &at(std::size_t physical);
  /// Of a function that left for that of a physical frame by a tail call, at the jump in front of the address; null
  /// where none did. Nothing is known of its part of the stack, which others use now.
  const FrameContext *tail_caller(std::size_t physical, RunAddress behind_jump);

private:
  /// A frame whose part of the stack is gone.
  struct WithoutStack {
    FrameContext context;
    RegisterSet registers;
  };

  FrameContext make(std::size_t physical) const;
  bool is_called_by_next(std::size_t physical) const;

  Input input_;
  std::map<std::size_t, FrameContext> contexts_; ///< nodes do not move: contexts point at their callers
  std::map<std::size_t, TailCallerFrames> tail_callers_;
  std::map<std::pair<std::size_t, RunAddress>, WithoutStack> shown_tail_callers_;
};

} // namespace inspect
