// The heuristic unwinder: callers of code that no unwind table describes: called through a bad pointer, compiled at run
// time, or built without tables. Every caller is checked against what a return address must look like; a frame found so
// is marked as guessed.
//
// Sources: System V psABI, AMD64 supplement, section 3.2.2 "The Stack Frame" (figure 3.3: the frame pointer chain) and
// section 3.4.1, "Initial Stack and Register State".
#pragma once

#include "dwarf/unwind/code_lookup.h"
#include "dwarf/unwind/unwinder.h"
#include "machine/memory_view.h"
#include "machine/registers.h"

#include <optional>

namespace inspect::x86_64 {

struct HeuristicCaller {
  FrameOrigin origin;        ///< how it was found
  RunAddress return_address; ///< 0: there is no caller
  RunAddress cfa;
};

class HeuristicUnwinder {
public:
  HeuristicUnwinder(CodeLookup &code, const MemoryView &memory) : code_(code), memory_(memory) {}

  /// The caller of the code at `pc`, which is `exact` where it is about to be executed. Fills `caller` with its
  /// registers.
  std::optional<HeuristicCaller> caller(const RegisterSet &callee, const CodePlace &place, RunAddress pc, bool exact,
                                        RegisterSet &caller);

private:
  std::optional<HeuristicCaller> by_stack_pointer(const RegisterSet &callee, RegisterSet &caller);
  std::optional<HeuristicCaller> by_instructions(const RegisterSet &callee, RunAddress pc, RegisterSet &caller);
  std::optional<HeuristicCaller> by_frame_pointer(const RegisterSet &callee, RegisterSet &caller);
  bool leads_to_module(RunAddress frame_pointer);
  std::optional<HeuristicCaller> by_chain(const RegisterSet &callee, RegisterSet &caller);
  std::optional<HeuristicCaller> by_start_code(const RegisterSet &callee, RegisterSet &caller);

  CodeLookup &code_;
  const MemoryView &memory_;
  /// Instructions that may still be followed in this walk: a deep recursion without tables must not take minutes.
  std::size_t instruction_budget_ = 2'000'000;
  /// Links of frame pointer chains that may still be looked at.
  std::size_t link_budget_ = 1'000'000;
  /// The chain that is known to lead to a module: from this frame pointer to that one.
  RunAddress chain_begin_, chain_end_;
};

} // namespace inspect::x86_64
