// Go's steps of expressions beyond those that all languages share (values/value_operations.h).
#pragma once

#include "machine/error.h"
#include "values/value.h"
#include "values/value_environment.h"
#include "values/value_operations.h"

#include <string_view>

namespace inspect {

/// A string that is nowhere in the target: it can be compared, be a map's key, be printed.
Value go_text_literal(std::string_view text, ValueEnvironment &environment);

/// What an interface value holds, as dlv's value.(data); usage where the value is none, or nil.
Result<Value> go_dynamic_value(const Value &interface_value, ValueEnvironment &environment);

/// Go's ==, of strings, structures and interfaces too; usage where Go cannot compare them.
Result<bool> go_equal(const Value &left, const Value &right, ValueEnvironment &environment);

} // namespace inspect
