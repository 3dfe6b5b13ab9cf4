// Places at which a command that the user cancels ends although it makes something whole: a table of symbols, the rows
// of a line table, the checksum of a file. Half of such a thing is no answer, and whoever asked for it on the way has
// no use for an error: so it ends by an exception, as it does where memory runs out, and nothing half-made is kept.
//
//     const CancellationScope scope(session.cancellation());   // around a command, on its thread
//     …
//     for (…) { if (i % 4096 == 0) cancellation_point(); … }   // anywhere below
//
// Those who can hand over what they have so far (a walk of a stack, a list of goroutines) ask a Cancellation that they
// are given instead. Outside of a scope nothing is ever cancelled: there Ctrl-C ends the program.
#pragma once

#include "machine/cancellation.h"

#include <exception>

namespace inspect {

class Cancelled : public std::exception {
public:
  const char *what() const noexcept override { return "cancelled"; }
};

/// Makes the calling thread's cancellation points obey; scopes may be nested, the inner one counts. The cancellation
/// must outlive it; null: nothing is cancelled.
class CancellationScope {
public:
  explicit CancellationScope(const Cancellation *cancellation);
  ~CancellationScope();
  CancellationScope(const CancellationScope &) = delete;
  CancellationScope &operator=(const CancellationScope &) = delete;

private:
  const Cancellation *outer_;
};

/// What the calling thread obeys, for threads that work for it; null: nothing.
const Cancellation *current_cancellation();

/// Throws Cancelled where the thread's cancellation is requested. Some nanoseconds.
void cancellation_point();

} // namespace inspect
