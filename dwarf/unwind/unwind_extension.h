// Code whose frames are described by something else than call frame information: a language runtime's own tables. The
// unwinder asks the extension first, at every frame; what the extension does not know goes the usual way, so that one
// walk crosses from Go to C and back.
#pragma once

#include "dwarf/unwind/unwind_step.h"

#include <optional>
#include <string>
#include <variant>

namespace inspect {

class UnwindExtension {
public:
  virtual ~UnwindExtension() = default;

  /// The caller of a frame whose code the extension knows.
  struct ToCaller {
    Caller caller;               ///< registers, the callee's CFA, and the caller's pc (a return address unless `exact`)
    bool switches_stack = false; ///< the caller is on another stack: the stack pointer may go anywhere
    bool exact_pc = false;       ///< the caller's pc is where it will go on, and no return address
    FrameOrigin origin = FrameOrigin::runtime_table; ///< how the caller was found
  };
  /// The frame is the outermost one.
  struct Outermost {};
  using Step = std::variant<ToCaller, Outermost, StepFailure>;

  /// Nothing: this is not the extension's code. It may correct whether the frame's pc is a return address.
  virtual std::optional<Step> step(Frame &frame, const RegisterSet &registers, const MemoryView &memory) = 0;
};

} // namespace inspect
