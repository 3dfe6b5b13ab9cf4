// Elements of arrays, of what pointers lead to, and of library containers.
#pragma once

#include "machine/error.h"
#include "values/value.h"
#include "values/value_environment.h"

#include <cstdint>
#include <optional>
#include <string>

namespace inspect {

Result<Value> native_element(const Value &value, const Value &index, ValueEnvironment &environment);
Result<Value> native_slice(const Value &value, std::uint64_t low, std::optional<std::uint64_t> high,
                           ValueEnvironment &environment);
/// What a pointer, a reference, a smart pointer or another value that wraps one leads to.
Result<Value> native_dereference(const Value &value, ValueEnvironment &environment);
Result<std::uint64_t> native_length(const Value &value, ValueEnvironment &environment);
Result<std::uint64_t> native_capacity(const Value &value, ValueEnvironment &environment);
/// Of character arrays, pointers to characters, and library strings; in bytes of its encoding, cut at `limit`.
Result<std::string> native_string(const Value &value, std::size_t limit, ValueEnvironment &environment);

/// The type of an array's elements: of several dimensions, that of its rows.
TypeHandle element_type(const DwarfType &array, ValueEnvironment &environment);
/// How many elements the array type says it has; of several dimensions, rows.
std::optional<std::uint64_t> array_length(const DwarfType &array);

} // namespace inspect
