// Go types as one writes them in an expression: "*main.T", "[]string", "map[string]int", "[4]int", "chan int",
// "func(int) error", "struct { a int; b string }", "interface {}", "main.Pair[int,string]", "net/http.Server" (also
// with its path in quotes: "net/http".Server). Names are looked up in the DWARF, and where there is none among the
// types that the runtime describes.
//
// Source: go.dev/ref/spec, "Types".
#pragma once

#include "machine/error.h"
#include "values/value.h"
#include "values/value_environment.h"

#include <string_view>

namespace inspect {

/// The whole of `text` must be one type. usage: where it cannot be read; not_found: no type has that name;
/// unsupported: no Go in the process.
Result<ValueType> parse_go_type(std::string_view text, ValueEnvironment &environment);

} // namespace inspect
