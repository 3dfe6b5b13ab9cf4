// Whether a function is the program's own or came with Go: who looks at a goroutine that waits in sync.(*Mutex).Lock
// wants to see who called it.
#pragma once

#include <string_view>

namespace inspect {

/// Told by the beginning of the package's path, which is as good as certain: the go command keeps paths whose first
/// part has no dot to the standard library, but for those that a module without a dot in its own path takes.
bool is_standard_library(std::string_view function);

} // namespace inspect
