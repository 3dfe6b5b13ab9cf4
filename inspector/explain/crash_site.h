// Where in a goroutine's stack it crashed. A panic runs the deferred functions on top of the frame that panicked, and
// one of them may panic again, with the same value (net/http, testing, sync.OnceFunc and HandleCrash do, to add to the
// message) or with another: then the innermost frame is the handler, and the cause is below the outermost call of
// panic.
//
// Source: runtime/panic.go (gopanic, printpanics), runtime/traceback.go (a panic is shown in the middle of a stack, not
// at its top), Go 1.5 to 1.27.
#pragma once

#include "golang/traceback/traceback_text.h"
#include "inspector/explain/explanation.h"

#include <optional>
#include <string>
#include <vector>

namespace inspect {

/// A panic that a deferred function raised while another one was under way.
struct LaterPanic {
  std::size_t frame = 0;
  std::string message;     ///< of its value, where the text says which is which
  bool passed_on = false;  ///< it has the value of the one before
  bool has_signal = false; ///< the signal that the text names is of this one
};

struct CrashSite {
  std::optional<std::size_t> frame;  ///< the innermost that is not the runtime's and that panicked, faulted or threw
  std::vector<LaterPanic> later;     ///< in the order of time
  std::optional<std::size_t> during; ///< a fatal error: the frame of a panic that was being handled
};

CrashSite crash_site(const Traceback &traceback, const TracebackGoroutine &goroutine, CrashKind kind);

/// A panic is under way in it: a deferred function runs on top of the frame that panicked.
bool is_panicking(const TracebackGoroutine &goroutine);

/// The first frame from this one on that is of the program, where this one is the standard library's or calls C.
std::optional<std::size_t> program_frame_below(const TracebackGoroutine &goroutine, std::size_t frame);

/// The runtime's own, by name or by file: sync.fatal, time.Sleep and others of package runtime are linked under other
/// names.
bool is_runtime_frame(const TracebackFrame &frame);

/// Where a crash on a thread's own stack happened: below what reports it.
std::optional<std::size_t> system_stack_site(const TracebackGoroutine &goroutine);

} // namespace inspect
