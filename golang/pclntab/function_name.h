// Names of Go functions and types as the linker writes them: "net/http.(*Server).Serve", "main.Map[go.shape.int]"; and
// as the runtime prints them: "main.Map[...]".
//
// Source: runtime/symtab.go, funcNameForPrint, since Go 1.21. The linkers of Go 1.18 to 1.20 write the short form.
#pragma once

#include "golang/go_version.h"

#include <string>
#include <string_view>

namespace inspect {

/// "net/http" and "Server" of "net/http.Server": the package's path ends at the first dot behind its last slash. The
/// package is empty where there is none; type arguments, which have paths of their own, belong to the name.
struct QualifiedName {
  std::string_view package;
  std::string_view name;
};
QualifiedName split_qualified_name(std::string_view qualified);

/// The name itself where it has no type arguments, and in versions that print it as it is.
std::string printed_function_name(std::string_view linked, GoVersion version);

} // namespace inspect
