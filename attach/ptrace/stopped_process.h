// Stops the threads of a process with ptrace and lets them go, harming nothing.
//
// PTRACE_SEIZE and PTRACE_INTERRUPT only, no PTRACE_O_* options, so that the kernel resumes everything as it was should
// this program be killed at any instant. ptrace ties a tracee to the OS thread that traces it: here one that lives as
// long as the stop (attach/ptrace/tracing_thread.h says why), so that any thread of this program may ask for a stop.
//
//     auto stopped = StoppedProcess::stop(pid, {});
//     for (const StoppedThread &thread : stopped->threads()) …   // registers are there
//     stopped->release();                                  // or the destructor does
//
// Sources: man page ptrace(2); the order of phases is explained in docs/harmless.md.
#pragma once

#include "attach/procfs/kernel_wait.h"
#include "machine/error.h"
#include "machine/registers.h"

#include <chrono>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <sys/types.h>
#include <vector>

namespace inspect {

struct StopOptions {
  /// How long to wait for all threads together, and 50 microseconds more for each; a thread that has not stopped by
  /// then is reported and left out.
  std::chrono::microseconds budget{200'000};
  /// Stop only these threads; empty: all of the process.
  std::vector<pid_t> only = {};
  /// Read xmm0 to xmm15 too, which hold floating-point arguments: one more system call for each thread in the pause.
  bool vector_registers = false;
};

/// How a thread took part in the stop.
enum class StopState {
  stopped,       ///< its registers are known
  did_not_stop,  ///< within the budget (uninterruptible in the kernel, a vfork parent, …)
  ended,         ///< it ended meanwhile
  not_traceable, ///< see `reason`: it could not be seized
  // Only where attach/unstopped/ was asked, which stops nothing:
  read_without_stop, ///< it slept all the while: of its registers those are known that the kernel tells
  not_asleep,        ///< it ran whenever it was looked at
};

struct StoppedThread {
  pid_t thread = 0;
  StopState state = StopState::did_not_stop;
  RegisterSet registers;          ///< by DWARF number, incl. rflags and fs_base, on request xmm; empty unless `stopped`
                                  ///< or `read_without_stop`
  std::int64_t system_call = -1;  ///< orig_rax: the number of the system call it is in, -1 outside of one
  bool was_group_stopped = false; ///< it was stopped by job control (SIGSTOP, …) before and stays so
  std::string reason;             ///< in words, for all but `stopped`: why it was not stopped, or has no stack
  KernelWait kernel;              ///< of one that was `read_without_stop`
  bool ran_since_mark = false;    ///< of one that was `read_without_stop`: see ScheduleMarks of attach/unstopped/
  char task_state = '?';          ///< as in proc(5), of one that was `read_without_stop` or `not_asleep`
};

class StoppedProcess {
public:
  /// Seizes, interrupts, waits, reads registers. Lists the threads again until a pass finds none new. already_traced
  /// names the tracer; not_permitted names the missing right; unsupported for kernel threads, a 32-bit process, this
  /// process itself.
  static Result<StoppedProcess> stop(pid_t process, const StopOptions &options);

  StoppedProcess(StoppedProcess &&) noexcept;
  StoppedProcess &operator=(StoppedProcess &&) noexcept;
  ~StoppedProcess(); ///< releases

  std::span<const StoppedThread> threads() const;
  /// Writes one thread's registers (the known ones of `registers`) back; the thread must be stopped. unsupported for
  /// rax and rip of a thread in a system call.
  Result<void> write_registers(pid_t thread, const RegisterSet &registers);
  /// Detaches every thread, hands pending signals back. Never twice; safe to call on an ended process.
  void release();
  /// Between the first PTRACE_INTERRUPT and the last PTRACE_DETACH; zero before the release.
  std::chrono::microseconds pause() const;

private:
  struct State;
  explicit StoppedProcess(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

} // namespace inspect
