// An OS thread of our own that does the tracing of one stop and then ends.
//
// Why: a thread that was seized can be detached only while it is in a ptrace-stop, and one that sits uninterruptibly in
// the kernel (the parent of a vfork, a read from a dead disk) may reach that stop seconds after we have left. When the
// *tracing thread* ends, though, the kernel detaches all that it still traces, stopped or not, and cancels the pending
// interrupt. So a program that lives on, as the interactive session does, lets go of everything by tracing from a
// thread that ends with the stop (stopped_process_test.cpp: "a vfork parent").
//
//     auto thread = TracingThread::start();
//     (*thread)->run([&] { …ptrace… });
//     thread->reset();               // the kernel has let go of everything now
#pragma once

#include "machine/error.h"

#include <functional>
#include <memory>

namespace inspect {

class TracingThread {
public:
  static Result<std::unique_ptr<TracingThread>> start();
  TracingThread(const TracingThread &) = delete;
  TracingThread &operator=(const TracingThread &) = delete;
  /// Ends the thread and waits until the kernel has detached what it traced; one that was given up ends by itself.
  ~TracingThread();

  enum class Waiting { go_on, give_up };
  /// Runs `job` there and returns true when it is done, or throws what it or `meanwhile` threw. Should that take long,
  /// `meanwhile`, which must not throw, is called here now and then. When that gives up, false is returned and nothing
  /// may be run there any more; the job, which has to own all that it uses, ends when it can, and until then another
  /// thread goes on calling `meanwhile`.
  bool run(std::function<void()> job, std::function<Waiting()> meanwhile = {});

private:
  struct State;
  explicit TracingThread(std::shared_ptr<State> state);
  std::shared_ptr<State> state_;
};

} // namespace inspect
