// Applies one row of call frame information: from a frame's registers to its caller's. It knows nothing of modules or
// of how rows are found.
//
// Source: DWARF 5 section 6.4.1, "Structure of Call Frame Information".
#pragma once

#include "dwarf/cfi/cfi_table.h"
#include "dwarf/unwind/unwinder.h"
#include "machine/memory_view.h"
#include "machine/registers.h"

#include <optional>
#include <string>

namespace inspect {

struct StepFailure {
  StackEnd end;
  RunAddress at;
  std::string reason;
};

struct Caller {
  RegisterSet registers;        ///< recovered: those known in the caller's frame
  RunAddress cfa;               ///< of the callee
  std::optional<RunAddress> pc; ///< none: the row says that there is no caller
  RunAddress pc_saved_at;       ///< where in memory the row found `pc`; 0: in none (a register, a computed value)
};

/// Fills `caller`. On failure only `caller.cfa` means something, and it is 0 where not even the CFA was found.
std::optional<StepFailure> apply_row(const CfiRow &row, LoadBias bias, const RegisterSet &callee,
                                     const MemoryView &memory, Caller &caller);

} // namespace inspect
