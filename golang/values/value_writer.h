// Writes a Go value as dlv does ("main.T {a: 1, s: []string len: 2, cap: 4, ["a","b"]}"), from memory or from argument
// words, registers and whatever else knows only parts of it: `print`, `args`, stacks and crash texts use it.
//
//     ValueContext context;
//     context.memory = &memory;
//     std::string text = write_go_value(type, ValueSource::in_memory(memory, address, type.size), context);
//
// What is not there is written as far as it is known: "len: 7, at 0x4c3839" of a string whose bytes nobody has,
// "(*main.T)(0xc000012120)" of a pointer that cannot be followed, "..." or "(unreadable …)" of absent bytes.
//
// Source: dlv's service/api/prettyprint.go and pkg/proc/variables.go.
#pragma once

#include "golang/values/value_layout.h"

#include <optional>
#include <string>

namespace inspect {

/// One line, bounded by the context's limits.
std::string write_go_value(const GoType &type, const ValueSource &source, const ValueContext &context);

/// What an error's Error() would say, for the error types of the standard library and a few that nearly every program
/// links: read from their fields, nothing is run. Of a value of `type`, or of a pointer to one; nothing where the type
/// is not known or its text not readable.
std::optional<std::string> error_text(const GoType &type, const ValueSource &source, const ValueContext &context);

} // namespace inspect
