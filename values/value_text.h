// Prints a value: Go values as dlv prints them, C++ as gdb prints them with its standard-library printers, Rust as its
// own {:?} would as far as that is unambiguous.
//
// Everything read may be nonsense: variables that are not initialised yet, structures that another thread is changing.
// Lengths are checked before they are believed, what is followed is bounded by PrintLimits, circles are cut.
#pragma once

#include "machine/print_options.h"
#include "values/value.h"
#include "values/value_environment.h"

#include <string>

namespace inspect {

/// One line without a line end, but where the value's own text has one it is escaped. Of a missing value
/// "<optimized out>" and the like.
std::string value_text(const Value &value, ValueEnvironment &environment, const PrintOptions &options);

/// The halves that value_text chooses between.
std::string native_value_text(const Value &value, ValueEnvironment &environment, const PrintOptions &options);
std::string go_value_text(const Value &value, ValueEnvironment &environment, const PrintOptions &options);

} // namespace inspect
