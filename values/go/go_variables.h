// Go variables as DWARF describes them, made into values whose types are Go's.
//
//     Value value = go_value(variable.type, *source, variable.escaped, environment);
#pragma once

#include "machine/value_source.h"
#include "values/value.h"
#include "values/value_environment.h"

#include <cstdint>

namespace inspect {

/// The Go type that a DWARF type of a Go unit stands for; without Go in the environment `handle` itself.
ValueType go_value_type(const TypeHandle &handle, ValueEnvironment &environment);

/// A variable whose location holds `source`. `escaped`: Go moved it to the heap, the location holds a pointer to it and
/// `handle` is the pointer's type, as DWARF has it for "&x".
Value go_value(const TypeHandle &handle, ValueSource source, bool escaped, ValueEnvironment &environment);

/// What lies at an address, as globals do.
Value go_value_at(const GoType &type, RunAddress address, const ValueEnvironment &environment);

} // namespace inspect
