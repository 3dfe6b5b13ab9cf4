// Which frames and goroutines the Go runtime's own traceback leaves out: its internals and the wrappers that the
// compiler makes. The go format prints what the runtime would, and the human-readable text leaves out the same.
//
// Source: runtime/traceback.go, showfuncinfo, isExportedRuntime, elideWrapperCalling, isSystemGoroutine,
// Go 1.16 to 1.26.
#pragma once

#include "golang/go_version.h"
#include "golang/pclntab/pclntab.h"

#include <string_view>

namespace inspect {

/// Decides frame by frame, innermost first.
class TracebackFilter {
public:
  explicit TracebackFilter(GoVersion version) : version_(version) {}

  /// Whether the frame is left out. Calls inlined into a frame count as frames.
  bool hides(std::string_view function, GoFuncId func_id);

private:
  GoVersion version_;
  GoFuncId callee_ = GoFuncId::normal;
  bool printed_any_ = false;
};

/// Whether a goroutine that began in this function is the runtime's own.
bool is_system_goroutine(std::string_view start_function, GoFuncId func_id);

/// Whether "created by" is printed with this function's name.
bool shows_creator(std::string_view function, GoVersion version);

/// Whether a function came with Go and is not the program's own: who looks at a goroutine that waits in
/// sync.(*Mutex).Lock wants to see who called it. Told by the beginning of the package's path, which is as good as
/// certain: the go command keeps paths whose first part has no dot to the standard library, but for those that a module
/// without a dot in its own path takes.
bool is_standard_library(std::string_view function);

} // namespace inspect
