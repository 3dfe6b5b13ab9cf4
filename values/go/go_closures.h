// What a Go closure carries with it: the variables of the function around it, by name.
//
// Source: DW_AT_go_closure_offset (dwarf/variables/go_captures.h), Go 1.23 and later.
#pragma once

#include "machine/error.h"
#include "values/value.h"
#include "values/value_environment.h"

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace inspect {

/// Of the closure that lies there; empty where it captures nothing or nobody knows.
std::vector<std::pair<std::string, Value>> go_captured_values(RunAddress closure, RunAddress code,
                                                              ValueEnvironment &environment);
/// Of a variable of a function's type: f.name. not_found with the names that there are.
Result<Value> go_captured_member(const Value &function, std::string_view name, ValueEnvironment &environment);

} // namespace inspect
