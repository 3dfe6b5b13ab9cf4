// What a session looks at: the last report, and the thread or goroutine and the frame that are selected in it.
//
//     const auto frame = session.selection.report_frame();
//
// Everything here speaks of the last report, and takes one where there is none yet; fresh_report() takes another.
#pragma once

#include "commands/session/attached_process.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>

namespace inspect {

class Selection {
public:
  /// `process` must outlive it.
  explicit Selection(AttachedProcess &process) : process_(process), thread_(process.process()) {}

  /// A fresh report. Selects the process' main thread when the selected one is gone, and a thread when the selected
  /// goroutine is gone, which the report's warnings then say.
  Result<const ProcessReport *> fresh_report();
  /// While set, fresh_report() gives the last report: for `goroutines -exec`, which would stop the target once for
  /// each.
  void keep_same_look(bool keep) { same_look_ = keep; }
  /// The last report, or null: for what must not stop the target.
  const ProcessReport *known_report() const { return report_ ? &*report_ : nullptr; }
  /// The last report, or a fresh one when there is none yet: `frame`, `up`, `regs` speak of what the last `bt` showed.
  Result<const ProcessReport *> last_report();
  /// How many reports there have been.
  std::size_t looks() const { return looks_; }
  /// The report's Go part; unsupported, with the reason, for a process without.
  Result<const GoReport *> go_report();

  Result<const ThreadReport *> thread();
  pid_t thread_id() const { return thread_; }
  Result<void> select_thread(pid_t thread);
  /// The goroutine that `goroutine ID` selected; null while a thread is selected. A goroutine that is gone is an error.
  Result<const GoroutineReport *> goroutine();
  std::uint64_t goroutine_id() const { return goroutine_; } ///< 0: a thread is selected
  bool is_selected(const GoroutineReport &goroutine) const {
    return goroutine.id == goroutine_ && goroutine.runtime == go_runtime_;
  }
  /// With it the thread that it runs on, where it runs. `image` tells which of several Go runtimes is meant, by a part
  /// of its file's name; where it is empty and several have a goroutine of this number, that is an error.
  Result<void> select_goroutine(std::uint64_t id, std::string_view image = {});
  Result<void> select_goroutine(std::uint64_t id, std::size_t runtime);
  std::size_t go_runtime() const { return go_runtime_; } ///< of the selected goroutine

  /// The frames of the selected goroutine or thread.
  Result<std::span<const ReportFrame>> frames();
  /// Its physical frames, with registers. Of a goroutine that is parked the runtime keeps but the program counter, the
  /// stack pointer and the frame pointer.
  Result<const Stack *> stack();
  std::size_t frame_index() const { return frame_; } ///< into frames()
  Result<void> select_frame(std::size_t index);
  /// The selected line of the selected stack, and the registers as they were in it. not_found where there are no
  /// frames.
  Result<const ReportFrame *> report_frame();
  Result<const Frame *> physical_frame();
  /// Takes a fresh report and selects the frame again that is selected now. not_found where it has returned meanwhile.
  Result<void> find_frame_again();

private:
  std::string name() const; ///< "goroutine 17", "thread 4251"
  Result<const GoroutineReport *> find_goroutine(std::uint64_t id, std::size_t runtime);
  Result<const GoroutineReport *> find_goroutine(std::uint64_t id, std::string_view image);
  Result<void> select(const GoroutineReport &goroutine);
  void select_first_goroutine();
  /// A goroutine's is the program's own one that is innermost, a thread's the innermost.
  void select_first_frame();

  AttachedProcess &process_;
  std::optional<ProcessReport> report_;
  std::size_t looks_ = 0;
  pid_t thread_;
  std::uint64_t goroutine_ = 0; ///< 0: a thread is selected
  std::size_t go_runtime_ = 0;  ///< of the goroutine
  std::size_t frame_ = 0;
  std::optional<Stack> goroutine_stack_; ///< of the selected one, with registers; walked when asked for
  bool same_look_ = false;
};

} // namespace inspect
