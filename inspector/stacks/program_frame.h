// The frame of a goroutine that says most to whoever knows the program: neither gopark nor sync.(*Mutex).Lock, but
// their caller.
#pragma once

#include "inspector/stacks/goroutine_report.h"

#include <cstddef>
#include <optional>

namespace inspect {

/// Index of the innermost frame that is not the standard library's; where all are, of the outermost one that says
/// something ("net/http.(*conn).serve", "runtime.gcBgMarkWorker"). Nothing without frames.
std::optional<std::size_t> program_frame(const GoroutineStack &stack);

/// Index of the function that the go statement called: the outermost frame but for runtime.goexit, which every
/// goroutine returns to.
std::optional<std::size_t> start_frame(const GoroutineStack &stack);

} // namespace inspect
