// The stacks of a process as plain data: the answer that `stacks`, `bt` and `threads` print in their formats.
#pragma once

#include "attach/unstopped/look.h"
#include "inspector/stacks/goroutine_report.h"
#include "inspector/stacks/report_frame.h"
#include "inspector/target/mapped_code.h"
#include "inspector/target/runtime_kind.h"
#include "inspector/target/target.h"

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace inspect {

class DumpVariables; // inspector/stacks/dump_variables.h

/// How the stack of a thread was read.
enum class ThreadReading : std::uint8_t {
  stopped,
  without_stop, ///< it slept all the while; callee-saved registers are not known
  not_read,
};

struct ThreadReport {
  pid_t thread = 0;
  std::string name;
  char state = '?';       ///< as it was before the stop: R S D T Z …
  std::string state_text; ///< "running", "sleeping", "stopped by a signal", …
  ThreadReading reading = ThreadReading::stopped;
  /// Why it did not stop with the others, as a clause; empty where it did, or where none was stopped.
  std::string why_not_stopped;
  KernelWait kernel;                 ///< where in the kernel it waits; only of one that was read without a stop
  std::string_view waiting_for = {}; ///< "waits for an NFS server": what an uninterruptible sleep is for; may be empty
  std::string waiting_in; ///< "futex(0x7ffe…, FUTEX_WAIT_PRIVATE, 2) timeout 3 s", "read(5 </var/log/x>)"; empty: not
                          ///< in a system call
  pid_t lock_holder = 0;  ///< the thread that holds the mutex it waits for; 0: unknown or no mutex
  bool lock_holder_guessed = false;
  std::uint64_t goroutine = 0; ///< it runs, by id; 0: none
  std::size_t go_runtime = 0;  ///< of which of the Go runtimes, an index into GoReport::runtimes
  std::vector<ReportFrame> frames;
  StackEnd end = StackEnd::complete;
  std::string end_reason; ///< empty when complete
  Stack stack; ///< the physical frames; with registers as far as ReportOptions::max_equal_with_registers goes
};

/// Equal for threads with the same stack (same functions, lines and inlining; what they wait in may differ).
inline auto stack_identity(const ThreadReport &thread) {
  return std::tuple(thread.end, thread.state, thread.reading, std::string_view(thread.why_not_stopped),
                    std::string_view(thread.kernel.channel), thread.kernel.stack_text(), FrameSequence(thread.frames));
}

struct ProcessReport {
  pid_t process = 0;
  std::string command;
  std::string executable;
  RuntimeInfo runtime;
  std::chrono::microseconds pause{0};
  /// Why no thread was stopped at all, as a clause; empty where threads were.
  std::string why_not_stopped;
  std::chrono::system_clock::time_point taken_at;
  std::vector<ThreadReport> threads;   ///< ascending by thread id
  std::optional<GoReport> go;          ///< none: no Go process, or goroutines were not wanted
  std::vector<ReportMapping> mappings; ///< of code
  std::vector<std::string> warnings;
  std::string note; ///< what kind of frames is not in it, and what shows those; empty: nothing to say
  std::shared_ptr<const SnapshotMemory> captured; ///< the copied stacks, for `x` on what `bt` showed
  std::shared_ptr<TextPool> texts;                ///< owns the texts of all frames
  /// Arguments and locals by debug information; null: not wanted. What they lead to is read when a writer asks.
  std::shared_ptr<DumpVariables> values;
  bool values_are_later = false; ///< the process ran on meanwhile
};

/// So many frames a stack gets although all together have used up their budget: what it is doing now is in them.
inline constexpr std::size_t min_frames = 32;

/// So many frames that nobody sees are walked over for the outermost ones behind them, in all threads, and in all
/// goroutines: a second or two.
inline constexpr std::size_t max_elided_frames = 8'000'000;

/// Whether the goroutines of a Go process are wanted.
enum class GoroutineWish : std::uint8_t {
  none, ///< but a Go runtime, where there is one, says how its threads' stacks are walked
  if_any,
  required, ///< an error where the process has none, or they cannot be had
};

struct ReportOptions {
  StopChoice stop = StopChoice::all;
  SnapshotOptions snapshot;
  std::size_t max_depth = 1'000'000; ///< physical frames per thread
  /// Of a deeper stack so many of the outermost ones are there, too.
  std::size_t outermost_frames = 50;
  /// Physical frames of all threads together, and those of all different stacks of goroutines. One that comes too late
  /// still gets its innermost ones: min_frames.
  std::size_t max_thread_frames = 1'000'000;
  std::size_t max_goroutine_frames = 5'000'000;
  /// The registers of all frames are kept of so many threads with equal stacks, and of those that run goroutines:
  /// values need them, and they cost 600 bytes a frame.
  std::size_t max_equal_with_registers = 0;
  GoroutineWish goroutines = GoroutineWish::if_any;
  bool argument_words = true;
  bool argument_values = true;          ///< GoReport::values and ProcessReport::values are there
  bool symbolize_while_stopped = false; ///< --stopped: release only when the report is done
  const Cancellation *cancellation = nullptr;
  std::function<void(std::string_view phase, std::size_t done, std::size_t total)> progress; ///< may be empty
};

/// One short stop, then the whole report.
Result<ProcessReport> report_stacks(Target &target, const ReportOptions &options);
/// From a process that is held stopped by the caller.
Result<ProcessReport> report_stopped(const StoppedProcess &stopped, Target &target, const ReportOptions &options);

/// Threads with equal stack_identity, by index. Most interesting first: running threads before blocked ones, rare
/// stacks before common ones, then by thread id.
std::vector<StackGroup> group_threads(const ProcessReport &report);

} // namespace inspect
