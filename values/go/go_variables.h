// Go values of an environment, made of variables as DWARF describes them, of what lies at an address, and of bytes that
// are nowhere; and what golang/values/value_layout.h needs to read them.
//
//     Value value = go_value(variable.type, *source, variable.escaped, environment);
#pragma once

#include "golang/values/value_layout.h"
#include "machine/error.h"
#include "machine/value_source.h"
#include "values/value.h"
#include "values/value_environment.h"

#include <cstdint>
#include <initializer_list>
#include <span>

namespace inspect {

/// The Go type that a DWARF type of a Go unit stands for; without Go in the environment `handle` itself.
ValueType go_value_type(const TypeHandle &handle, ValueEnvironment &environment);

/// A variable whose location holds `source`. `escaped`: Go moved it to the heap, the location holds a pointer to it and
/// `handle` is the pointer's type, as DWARF has it for "&x".
Value go_value(const TypeHandle &handle, ValueSource source, bool escaped, ValueEnvironment &environment);

/// What lies at an address, as globals do.
Value go_value_at(const GoType &type, RunAddress address, const ValueEnvironment &environment);

/// The type with what it consists of, which types made of DWARF lack beyond a few steps.
const GoType &whole(const GoType &type, const ValueEnvironment &environment);
ValueContext go_value_context(const ValueEnvironment &environment);
GoVersion go_version_of(const ValueEnvironment &environment);

/// A value that is nowhere: `bytes` are all of it.
Value go_value_of_bytes(const GoType &type, std::span<const std::byte> bytes);
Value go_value_of_words(const GoType &type, std::initializer_list<std::uint64_t> words);

/// What a variable of the type begins as: all zero, of strings the empty one.
Value zero_go_value(const GoType &type, ValueEnvironment &environment);

/// The value's bytes; not_found with what is missing.
Result<ValueSource> source_of(const Value &value);

} // namespace inspect
