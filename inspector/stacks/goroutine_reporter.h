// Makes the report of the goroutines from what was copied in the stop: which thread runs which, their stacks, what they
// share.
//
//     GoroutineReporter reporter(…);
//     for (const StoppedThread &stopped : threads)
//       unwind with reporter.unwinding_of(stopped)           // Go frames and C frames joined
//     report.go = reporter.report(report.threads);           // threads' stacks are those of running goroutines
#pragma once

#include "golang/goroutines/goroutine_copy.h"
#include "golang/unwind/go_unwind.h"
#include "inspector/stacks/frame_namer.h"
#include "inspector/stacks/goroutine_report.h"
#include "inspector/stacks/stack_report.h"

#include <memory>
#include <span>
#include <unordered_map>
#include <vector>

namespace inspect {

class GoroutineReporter {
public:
  struct Input {
    Target &target;
    GoRuntime &runtime;
    GoroutineCopy &copy;
    const MemoryView &memory; ///< the snapshot, the files, the live process
    const MemoryView &stacks; ///< the same, without the live process where nothing was stopped
    TextPool &texts;
    const ReportOptions &options;
  };
  GoroutineReporter(const Input &input, std::span<const StoppedThread> threads);
  ~GoroutineReporter();
  GoroutineReporter(const GoroutineReporter &) = delete;
  GoroutineReporter &operator=(const GoroutineReporter &) = delete;

  /// Where the process has several runtimes, a thread's stack may lead from one's goroutines through C to another's.
  /// The reporters, some of which may be null, must outlive each other's calls.
  void join(std::span<const std::unique_ptr<GoroutineReporter>> all);
  /// The unwinder's extension for this thread's stack; valid until the next call.
  UnwindExtension *unwinding_of(const StoppedThread &thread);
  /// The goroutine that the thread runs, by id; 0: none.
  std::uint64_t goroutine_on(pid_t thread) const;
  /// Appends the runtime and its goroutines. `threads` have been unwound, in any order.
  void report(std::span<const ThreadReport> threads, std::vector<std::string> &warnings, GoReport &into);

private:
  struct State;
  std::unique_ptr<State> state_;
};

} // namespace inspect
