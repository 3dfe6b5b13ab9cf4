// The variables that a function value carries with it, as values.
#pragma once

#include "dwarf/variables/go_captures.h"
#include "values/value.h"
#include "values/value_environment.h"

#include <vector>

namespace inspect {

/// Of the function whose code begins there; empty where it captures nothing or nobody knows (before Go 1.23).
std::vector<GoCapture> go_closure_captures(RunAddress code, ValueEnvironment &environment);
/// One of them, of the closure that lies there.
Value go_capture_value(const GoCapture &capture, RunAddress closure, ValueEnvironment &environment);

} // namespace inspect
