// Ctrl-C in a session: it ends the running command, and the session goes on.
//
// Commands end by looking at the session's Cancellation (machine/cancellation.h, cancellation_point.h). One that does
// not look, since it waits in a library or in the kernel, has a second: then the whole program ends as it would without
// a session, by SIGINT, and the kernel lets the target go. SIGTERM always ends the program.
//
// A thread waits for the signal, and not a handler: a thread that sits in the kernel where no signal reaches it, as in
// a read of a file system that does not answer, would not run one.
#pragma once

#include "machine/cancellation.h"
#include "machine/error.h"

#include <memory>

namespace inspect {

/// While it lives, SIGINT requests the cancellation instead of ending the program. One at a time, on the main thread.
class InterruptGuard {
public:
  /// system: there is no thread for it.
  static Result<std::unique_ptr<InterruptGuard>> begin(Cancellation &cancellation);
  ~InterruptGuard();
  InterruptGuard(const InterruptGuard &) = delete;
  InterruptGuard &operator=(const InterruptGuard &) = delete;

private:
  struct State;
  explicit InterruptGuard(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

/// While it lives a command runs, which Ctrl-C has a second to end. They may be nested (`source`).
class InterruptibleCommand {
public:
  InterruptibleCommand();
  ~InterruptibleCommand();
  InterruptibleCommand(const InterruptibleCommand &) = delete;
  InterruptibleCommand &operator=(const InterruptibleCommand &) = delete;
};

} // namespace inspect
