// Walks one stack over a memory view. It never traces, never reads files by itself, and always ends: with the reason.
#pragma once

#include "dwarf/module/module_map.h"
#include "machine/cancellation.h"
#include "machine/memory_view.h"
#include "machine/registers.h"

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

namespace inspect {

class UnwindExtension; // dwarf/unwind/unwind_extension.h

enum class FrameOrigin : std::uint8_t {
  registers,       ///< the innermost: the thread's own registers
  call_frame_info, ///< by exact rules
  signal_frame,    ///< by the registers a signal saved: its pc is exact
  frame_pointer,   ///< heuristic: from the frame pointer chain
  leaf_guess,      ///< heuristic: from the word at the stack pointer (a call into nowhere, code without any table)
  instructions,    ///< heuristic: by following code that has no table to where it returns
  runtime_table,   ///< by a language runtime's own tables: as exact as call_frame_info
};

struct Frame {
  RunAddress pc;
  RunAddress cfa; ///< canonical frame address; 0 where unknown
  FrameOrigin origin = FrameOrigin::registers;
  /// False in the innermost frame, in one interrupted by a signal, and in the trampoline a signal handler returns to
  /// (the kernel made it up as a return address: no call instruction is in front of it).
  bool pc_is_return_address = true;
  /// The recovered registers: what is known of the registers in this frame; null without
  /// UnwindLimits::keep_registers.
  std::shared_ptr<const RegisterSet> registers;

  bool guessed() const {
    return origin == FrameOrigin::frame_pointer || origin == FrameOrigin::leaf_guess ||
           origin == FrameOrigin::instructions;
  }
  /// The address to look names up at: inside the call instruction rather than after it, so that noreturn calls at a
  /// function's end stay in it.
  RunAddress lookup_address() const { return pc_is_return_address ? pc - 1 : pc; }
};

enum class StackEnd : std::uint8_t {
  complete, ///< the outermost frame says so: undefined return address, or pc 0 at the thread's start
  depth_limit,
  no_unwind_rule,    ///< no table and no plausible frame pointer at `at`
  unreadable_memory, ///< at `at`
  no_progress,       ///< neither pc nor CFA moved, or the CFA went backwards without a signal or stack switch
  bad_rule,          ///< a rule that cannot be applied: an expression that fails, a register not known
  not_captured,      ///< the thread was not stopped
  cancelled,
};

struct Stack {
  std::vector<Frame> frames; ///< innermost first
  StackEnd end = StackEnd::complete;
  RunAddress at;          ///< what `end` refers to
  std::string end_reason; ///< one clause for people; empty when complete
  std::size_t elided = 0; ///< frames that were walked over and left out in front of frames[elided_at]
  std::size_t elided_at = 0;
};

struct UnwindLimits {
  std::size_t max_frames = 1'000'000;
  /// Beyond max_frames so many are kept of the outermost ones: the walk goes on to the end of the stack, at most over
  /// `max_elided` frames more. 0: it ends at the limit.
  std::size_t outermost_frames = 0;
  std::size_t max_elided = 4'000'000;
  bool keep_registers = false; ///< costs 600 bytes a frame
  const Cancellation *cancellation = nullptr;
  UnwindExtension *extension = nullptr; ///< asked first at every frame; may be null
  /// The first pc is a return address: a goroutine that is parked goes on behind the call that parked it.
  bool starts_at_return_address = false;
};

Stack unwind(const RegisterSet &registers, const MemoryView &memory, ModuleMap &modules, const UnwindLimits &limits);

} // namespace inspect
