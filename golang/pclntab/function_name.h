// A Go function's name as the runtime prints it: "main.Map[...]" of the linked name "main.Map[go.shape.int]".
//
// Source: runtime/symtab.go, funcNameForPrint, since Go 1.21. The linkers of Go 1.18 to 1.20 write the short form.
#pragma once

#include "golang/go_version.h"

#include <string>
#include <string_view>

namespace inspect {

/// The name itself where it has no type arguments, and in versions that print it as it is.
std::string printed_function_name(std::string_view linked, GoVersion version);

} // namespace inspect
