// The phases of a stop, on the OS thread that calls them: seize all, interrupt all, wait for all, read all registers,
// release all. One loop per phase, since a loop that does everything for one thread after the other doubles or triples
// the pause. The public face is attach/ptrace/stopped_process.h.
//
//     ThreadStops stops(pid, options);
//     if (auto seized = stops.seize_all(); !seized) …     // the target runs on
//     stops.stop_all();                                   // the pause begins
//     …
//     stops.release_all();                                // and ends
//
// Source: man page ptrace(2). docs/harmless.md tells what the target may notice of it.
#pragma once

#include "attach/ptrace/seized_thread.h"
#include "attach/ptrace/stopped_process.h"
#include "attach/ptrace/tracing_thread.h"
#include "machine/file_descriptor.h"

#include <atomic>
#include <mutex>
#include <unordered_set>

namespace inspect {

class ThreadStops {
public:
  ThreadStops(pid_t process, StopOptions options) : process_(process), options_(std::move(options)) {}

  /// Lists and seizes until a pass finds no new thread; an error when no thread could be seized.
  Result<void> seize_all();
  /// Interrupts, waits within the budget, includes threads born meanwhile, reads registers. unsupported for a 32-bit
  /// process, no_such_process when all of it ended.
  Result<void> stop_all();
  /// Never twice.
  void release_all();
  /// To be called now and then by *another* thread of this program while seize_all or stop_all run. A thread in execve
  /// waits until we have reaped the threads that it ended, and holds a lock for which PTRACE_SEIZE of the next thread
  /// waits without a limit: then only a reaping from elsewhere helps. (The kernel knows of it: man page ptrace(2),
  /// "execve(2) under ptrace"; stopped_process_test.cpp: "execve".)
  ///
  /// give_up once a single PTRACE_SEIZE has taken too long: the kernel holds it while a process that was stopped by a
  /// signal is frozen by its control group as well (frozen_process_test.cpp). What is then left of seize_all
  /// fails, and lets go of what it has seized, as soon as the kernel returns.
  TracingThread::Waiting unblock_seizing();
  /// What is said where unblock_seizing gave up.
  Error seizing_error() const;

  std::span<const SeizedThread> seized() const { return seized_; }
  SeizedThread *find(pid_t thread);
  /// All threads that were met, by id.
  std::vector<StoppedThread> describe() const;
  /// Between stop_all and release_all.
  std::chrono::microseconds pause() const { return pause_; }

private:
  using Clock = std::chrono::steady_clock;

  std::expected<std::size_t, Error> seize_new_threads();
  void seize_one(pid_t thread);
  void note_failure(pid_t thread, int error_number);
  SeizedThread::State poll(std::size_t i);
  void interrupt_from(std::size_t first);
  void wait_from(std::size_t first);
  void wait_for_stragglers(std::vector<std::uint32_t> missing);
  void add_unseized(pid_t thread, StopState state, std::string reason);
  bool may_have_new_threads() const;

  pid_t process_;
  StopOptions options_;
  FileDescriptor task_directory_;
  std::vector<SeizedThread> seized_;
  std::mutex ids_mutex_;
  std::vector<pid_t> seized_ids_;            ///< for unblock_seizing, under the mutex
  std::atomic<Clock::rep> seizing_since_{0}; ///< 0: no thread is being seized
  std::atomic<bool> given_up_{false};
  std::unordered_set<pid_t> met_;
  std::vector<StoppedThread> not_seized_;
  std::optional<Error> first_failure_;
  Clock::time_point begin_;
  Clock::time_point deadline_;
  std::chrono::microseconds pause_{0};
  bool released_ = false;
};

/// The x86-64 registers as ptrace gives them, by DWARF number; and back, for those that are known.
RegisterSet to_register_set(const user_regs_struct &raw);
/// Adds xmm0 to xmm15, each in two halves.
void add_vector_registers(const user_fpregs_struct &raw, RegisterSet &registers);
void apply_register_set(const RegisterSet &registers, user_regs_struct &raw);

/// The beginning of every stop: refuses, early and without touching it, what cannot be stopped (this process, kernel
/// threads, zombies, what another tracer holds, what does not exist), else starts the thread that will trace.
Result<std::unique_ptr<TracingThread>> start_tracing(pid_t process);

} // namespace inspect
