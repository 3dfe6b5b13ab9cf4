// Go's numbers and conversions: what number a value is, which bytes hold a number, T(value), and ==.
//
// Source: go.dev/ref/spec, "Conversions", "Comparison operators", "Numeric types".
#pragma once

#include "machine/error.h"
#include "values/number.h"
#include "values/value.h"
#include "values/value_environment.h"

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace inspect {

/// A slice that is nowhere in the target: its elements stand behind its words, which read_go_slice knows.
Value go_slice_literal(const GoType &type, std::span<const std::byte> elements, std::uint64_t count);

/// Of Go's numbers, truth values, pointers and what is one inside; usage of anything else.
Result<Number> go_number(const Value &value);
/// Of a native value, too, such as a register.
Result<Number> any_number(const Value &value, ValueEnvironment &environment);
/// usage where the number does not fit.
Result<std::vector<std::byte>> encode_go_number(const Number &number, const GoType &type);
/// type(value); between pointers, uintptr and unsafe.Pointer all goes, and a number may become a pointer.
Result<Value> convert_go_value(const Value &value, const GoType &type, ValueEnvironment &environment);
/// Whether two descriptions are of one type: from DWARF, from the runtime, or made of a name.
bool same_go_type(const GoType &left, const GoType &right);

bool is_go_number(const GoType &type);  ///< integers and floats
bool is_go_address(const GoType &type); ///< kinds whose value is one pointer

} // namespace inspect
