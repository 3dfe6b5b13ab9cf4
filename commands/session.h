// The state of one `inspect attach`: the target, whether it is held stopped, the last snapshot, the selected thread and
// frame, settings. The target runs unless `stop` was given; every command that needs stacks takes a fresh short
// snapshot then.
#pragma once

#include "commands/output.h"
#include "inspector/stack_report.h"
#include "inspector/target.h"

#include <cstdio>
#include <map>
#include <memory>
#include <optional>
#include <string>

namespace inspect {

class Session {
public:
  Session(Tracer &tracer, std::unique_ptr<Target> target, bool read_only);
  ~Session(); ///< releases a held target

  Target &target() { return *target_; }
  bool read_only() const { return read_only_; }
  bool held() const { return stopped_.has_value(); }
  Result<void> hold();
  void let_go();

  /// A fresh report: from the held stop where there is one, else a short stop. Selects the process' main thread when
  /// the selected one is gone.
  Result<const ProcessReport *> fresh_report();
  /// The last report, or a fresh one when there is none yet: `frame`, `up`, `regs` speak of what the last `bt` showed.
  Result<const ProcessReport *> last_report();
  Result<const ThreadReport *> selected_thread();
  Result<void> select_thread(pid_t thread);
  pid_t selected_thread_id() const { return selected_thread_; }
  std::size_t selected_frame() const { return selected_frame_; } ///< index into ThreadReport::frames
  Result<void> select_frame(std::size_t index);

  /// Where memory is read: the snapshot's copy while the selection is from it and the target runs, else live.
  const MemoryView &memory();
  /// Inside a short stop unless held.
  Result<void> write_memory(RunAddress address, std::span<const std::byte> bytes);
  /// "$rip", "0x10", "10", "rsp+8", "symbol", "symbol+0x10": an address. usage where it makes no sense.
  Result<std::uint64_t> evaluate(std::string_view text);

  Cancellation &cancellation() { return cancellation_; }
  std::map<std::string, std::string> &settings() { return settings_; }
  bool leave = false; ///< set by `exit`
  std::FILE *transcript = nullptr;

private:
  Tracer &tracer_;
  std::unique_ptr<Target> target_;
  bool read_only_;
  std::optional<StoppedProcess> stopped_;
  std::optional<ProcessReport> report_;
  pid_t selected_thread_ = 0;
  std::size_t selected_frame_ = 0;
  Cancellation cancellation_;
  std::map<std::string, std::string> settings_;
};

} // namespace inspect
