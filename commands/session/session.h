// The state of one `inspect attach`: the target, whether it is held stopped, the last snapshot, the selected thread and
// frame, settings. The target runs unless `stop` was given; every command that needs stacks takes a fresh short
// snapshot then.
#pragma once

#include "commands/cli/output.h"
#include "commands/session/settings.h"
#include "inspector/stacks/stack_report.h"
#include "inspector/target/patched_memory.h"
#include "inspector/target/target.h"

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace inspect {

class FrameScope;    // inspector/scope/frame_scope.h
class ProgramValues; // inspector/scope/program_values.h
struct PrintOptions; // values/value_text.h

class Session {
public:
  Session(std::unique_ptr<Target> target, bool read_only);
  ~Session(); ///< releases a held target
  Session(const Session &) = delete;
  Session &operator=(const Session &) = delete;

  Target &target() { return *target_; }
  pid_t process() const { return target_->process(); }
  bool read_only() const { return read_only_; }
  bool held() const { return stopped_.has_value(); }
  Result<void> hold();
  void let_go();
  /// Takes note of libraries loaded since, or of the new program after an execve. Before every command.
  Result<void> follow_target();
  /// The process has ended (a number that was given to another process since does not deceive it).
  bool target_ended() const;

  /// A fresh report: from the held stop where there is one, else a short stop. Selects the process' main thread when
  /// the selected one is gone, and a thread when the selected goroutine is gone, which the report's warnings then say.
  Result<const ProcessReport *> fresh_report();
  /// While set, fresh_report() gives the last report: for `goroutines -exec`, which would stop the target once for
  /// each.
  void keep_same_look(bool keep) { same_look_ = keep; }
  /// The last report, or null: for what must not stop the target.
  const ProcessReport *known_report() const { return report_ ? &*report_ : nullptr; }
  /// The last report, or a fresh one when there is none yet: `frame`, `up`, `regs` speak of what the last `bt` showed.
  Result<const ProcessReport *> last_report();
  Result<const ThreadReport *> selected_thread();
  Result<void> select_thread(pid_t thread);
  pid_t selected_thread_id() const { return selected_thread_; }
  /// The goroutine that `goroutine ID` selected; null while a thread is selected. A goroutine that is gone is an error.
  Result<const GoroutineReport *> selected_goroutine();
  std::uint64_t selected_goroutine_id() const { return selected_goroutine_; } ///< 0: a thread is selected
  /// With it the thread that it runs on, where it runs.
  Result<void> select_goroutine(std::uint64_t id);
  /// The report's Go part; unsupported, with the reason, for a process without.
  Result<const GoReport *> go_report();
  /// The frames of the selected goroutine or thread.
  Result<std::span<const ReportFrame>> selected_frames();
  std::size_t selected_frame() const { return selected_frame_; } ///< index into selected_frames()
  Result<void> select_frame(std::size_t index);
  /// The selected line of the selected stack, and the registers as they were in it. not_found where there are no
  /// frames. Of a goroutine that is parked the runtime keeps but the program counter, the stack pointer and the frame
  /// pointer.
  Result<const ReportFrame *> selected_report_frame();
  Result<const Frame *> selected_physical_frame();
  /// What names mean in the selected frame, for expressions; without a frame, what the whole program has. Valid, as are
  /// the values that it finds, until the next call or the next command.
  Result<FrameScope *> scope();
  /// The same for another line of the selected stack.
  Result<FrameScope *> scope_of_frame(std::size_t index);
  /// As config has them.
  PrintOptions print_options() const;
  /// Types and names of the target's present modules.
  ProgramValues &program();
  /// Until the index of names is made, with progress; Ctrl-C ends the wait.
  void wait_for_names();
  /// Begins to read the names of the whole program, in the background.
  void read_names_ahead();

  /// Read live: `x` shows what is there now, while frames and registers are those of the last report.
  const MemoryView &memory() const { return target_->memory(); }
  struct Exchange {
    std::vector<std::byte> before;
    std::vector<std::byte> after; ///< as read back
  };
  /// Reads, writes and reads back, inside one short stop unless held. not_permitted with --read-only.
  Result<Exchange> write_memory(RunAddress address, std::span<const std::byte> bytes);
  /// not_permitted with --read-only.
  Result<void> check_writable() const;
  /// Runs `job` while the target is held: inside a short stop of its own, unless it is held already.
  Result<void> while_held(const std::function<Result<void>()> &job);
  /// Takes a fresh report and selects the frame again that is selected now. not_found where it has returned meanwhile.
  Result<void> find_frame_again();
  /// Of the selected thread, whose innermost frame must be selected, in a held target. `bytes` are the whole
  /// register's.
  Result<void> write_register(unsigned dwarf_number, std::span<const std::byte> bytes);
  /// "0x10", "-5", "$rip", "rsp+8", "symbol", "symbol+0x10", "$NAME" of the environment: a number. usage or not_found
  /// where it makes no sense.
  Result<std::uint64_t> evaluate(std::string_view text);

  Cancellation &cancellation() { return cancellation_; }
  Settings &settings() { return settings_; }
  bool leave = false; ///< set by `exit`
  std::FILE *transcript = nullptr;
  int source_depth = 0; ///< how many files `source` is in
  std::function<void(std::string_view phase, std::size_t done, std::size_t total)> progress;

private:
  std::string selection() const; ///< "goroutine 17", "thread 4251"
  Result<void> keep_report(Result<ProcessReport> report);
  Result<const GoroutineReport *> find_goroutine(std::uint64_t id);
  /// A goroutine's is the program's own one that is innermost, a thread's the innermost.
  void select_first_frame();
  Result<std::uint64_t> register_value(unsigned dwarf_number, std::string_view name);
  Result<std::uint64_t> evaluate_symbols(std::string_view text);
  /// Of the selected goroutine or thread.
  Result<const Stack *> selected_stack();
  struct Look; ///< what the last scope() stands on
  void forget_look();
  std::unique_ptr<Target> target_;
  bool read_only_;
  std::uint64_t start_ticks_ = 0; ///< of the process: tells it from a later one of the same number
  std::optional<StoppedProcess> stopped_;
  std::optional<ProcessReport> report_;
  pid_t selected_thread_ = 0;
  std::uint64_t selected_goroutine_ = 0; ///< 0: a thread is selected
  std::size_t selected_frame_ = 0;
  std::optional<Stack> goroutine_stack_; ///< of the selected one, with registers; walked when asked for
  bool same_look_ = false;
  std::unique_ptr<ProgramValues> program_; ///< of the target's present modules
  std::vector<WrittenBytes> written_;      ///< since the report was taken, which does not know of it
  std::unique_ptr<Look> look_;             ///< after the program's values, which it speaks of
  Cancellation cancellation_;
  Settings settings_;
};

} // namespace inspect
