// From a Go variable's description to its value. Go's compiler takes values apart into scalars and tracks each by
// itself, and its functions keep no registers for their callers: so the value is put together from what several
// sources know of its parts, and none is taken for more than it says:
//
// - the location list inside of the call, and behind it, where what was spilled is in memory;
// - for parameters the place where the caller put them or they are spilled, where the compiler says for tracebacks that
//   it is written at this pc.
//
// A list without DW_OP_piece, or with fewer pieces than the value has scalars, is of those scalars alone that the
// function uses, and does not say which (cmd/compile/internal/ssa/debug.go, writePendingEntry: a piece is written where
// a variable has several slots): of a parameter its place tells, else nothing is shown.
//
// Sources: Go's src/cmd/compile/abi-internal.md, cmd/compile/internal/ssa/debug.go, runtime/traceback.go printArgs, Go
// 1.17 to 1.27.
#pragma once

#include "dwarf/location/frame_context.h"
#include "dwarf/variables/frame_variables.h"
#include "golang/arguments/parameter_places.h"
#include "values/value.h"
#include "values/value_environment.h"

#include <optional>
#include <vector>

namespace inspect {

/// What the ABI and the compiler's tables say of the parameters of one frame's function.
class GoParameters {
public:
  /// Of a frame that is not an inlined call. Empty where the binary says too little, or does not agree with itself.
  GoParameters(const FunctionScope &function, const FrameContext &frame, ValueEnvironment &environment);

  struct Parameter {
    ParameterPlace place;
    RunAddress address;           ///< of the place
    std::vector<bool> is_written; ///< of each part: whether the place has its value at this pc
  };
  /// Null: not known.
  const Parameter *of(const ScopeVariable &variable) const;

private:
  struct Known {
    Dwarf_Die die;
    Parameter parameter;
  };
  std::vector<Known> known_;
};

/// `parameters` are those of the frame's function.
Value go_variable_value(const ScopeVariable &variable, const GoParameters &parameters, const FrameContext &frame,
                        ValueEnvironment &environment);

} // namespace inspect
