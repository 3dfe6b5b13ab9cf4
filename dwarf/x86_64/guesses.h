// Callers of code that no unwind table describes: called through a bad pointer, compiled at run time, or built without
// tables. Every guess is checked against what a return address must look like; a frame found so is marked as guessed.
//
// Sources: System V psABI, AMD64 supplement, section 3.2.2 "The Stack Frame" (figure 3.3: the frame pointer chain).
#pragma once

#include "dwarf/code_lookup.h"
#include "machine/memory_view.h"
#include "machine/registers.h"

namespace inspect::x86_64 {

struct Guess {
  enum class Kind : std::uint8_t {
    none,
    leaf,          ///< the return address is at the stack pointer
    frame_pointer, ///< by the saved rbp
    outermost,     ///< there is no caller
  };
  Kind kind = Kind::none;
  RunAddress return_address;
  RunAddress cfa;
};

class Guesses {
public:
  Guesses(CodeLookup &code, const MemoryView &memory) : code_(code), memory_(memory) {}

  /// `exact`: the pc is about to be executed. Fills `caller` where there is one.
  Guess caller(const RegisterSet &callee, RunAddress pc, bool exact, RegisterSet &caller);

private:
  Guess by_stack_pointer(const RegisterSet &callee, RegisterSet &caller);
  Guess by_frame_pointer(const RegisterSet &callee, RegisterSet &caller);

  CodeLookup &code_;
  const MemoryView &memory_;
};

} // namespace inspect::x86_64
