// Which bytes a place of the target gets when a value is assigned to it: the checks of types and ranges that `set`
// makes, in C's and Go's terms.
#pragma once

#include "values/assign/assignment_plan.h"
#include "values/expression/expression_evaluation.h"

#include <vector>

namespace inspect {

/// The new value, as far as it is known without the place's type.
struct AssignedValue {
  EvaluationOperand operand;
  Value value; ///< the same as a value
};

/// In this order. usage in a clause that goes on from "x is an int": "70000 does not fit".
using Writes = Result<std::vector<MemoryWrite>>;
Writes go_assignment(const Value &target, const AssignedValue &assigned, ValueEnvironment &environment);
Writes native_assignment(const Value &target, const AssignedValue &assigned, ValueEnvironment &environment);

/// Where the target is in memory; 0 of what is in a register, for which the caller takes the bytes alone.
RunAddress place_of(const Value &target);
Writes one_write(RunAddress address, Result<std::vector<std::byte>> bytes);
/// The value's own bytes, to be copied; at most a mebibyte.
Result<std::vector<std::byte>> bytes_of_value(const Value &value, ValueEnvironment &environment);
std::vector<std::byte> bytes_of_text(std::string_view text, bool with_nul);

} // namespace inspect
