// Finds the caller of code without any unwind table by following its instructions to where it returns: whatever a
// function did with its stack pointer, its own epilogue undoes. This is what walks the C library of musl systems, which
// has neither tables nor frame pointers.
//
// Only moves, pushes, pops and simple arithmetic are carried out, on copies; memory is never written. Calls are taken
// to return. Both sides of conditional jumps are tried. A return counts only where the word it takes can be a return
// address, so that a wrong turn (behind a call that never returns) ends in nothing rather than in a wrong caller.
//
// Sources: Intel SDM volume 2 (PUSH, POP, LEAVE, RET, …); System V psABI, AMD64 supplement, section 3.2.1, for what
// calls preserve; <sys/syscall.h> for the system calls that end a thread.
#pragma once

#include "dwarf/unwind/code_lookup.h"
#include "machine/memory_view.h"
#include "machine/registers.h"

namespace inspect::x86_64 {

struct WalkedOut {
  enum class Kind : std::uint8_t {
    nowhere,       ///< no return was found
    returns,       ///< to `return_address`, with the registers `caller`
    never_returns, ///< the code ends its thread or process: it has no caller
  };
  Kind kind = Kind::nowhere;
  RunAddress return_address;
  RegisterSet caller; ///< with the stack pointer behind the return address
};

/// `budget` is how many instructions may still be looked at; it is counted down.
WalkedOut walk_out(CodeLookup &code, const MemoryView &memory, const RegisterSet &registers, RunAddress pc,
                   std::size_t &budget);

} // namespace inspect::x86_64
