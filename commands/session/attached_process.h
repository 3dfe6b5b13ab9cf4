// The process of one `inspect attach`: it runs unless `stop` was given; what needs it stopped takes a short stop then.
#pragma once

#include "inspector/stacks/stack_report.h"
#include "inspector/target/target.h"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string_view>

namespace inspect {

class AttachedProcess {
public:
  AttachedProcess(std::unique_ptr<Target> target, bool read_only);
  ~AttachedProcess() { let_go(); }
  AttachedProcess(const AttachedProcess &) = delete;
  AttachedProcess &operator=(const AttachedProcess &) = delete;

  Target &target() const { return *target_; }
  pid_t process() const { return target_->process(); }
  bool held() const { return stopped_.has_value(); }
  /// timed_out, or what else kept its threads from stopping, where none of them has stopped: then it is not held.
  Result<void> hold();
  /// All that were met when it was stopped; none while it runs.
  std::span<const StoppedThread> held_threads() const;
  void let_go();
  /// Runs `job` while the target is held: inside a short stop of its own, unless it is held already.
  Result<void> while_held(const std::function<Result<void>()> &job);
  /// Takes note of libraries loaded since, or of the new program after an execve. Before every command.
  Result<void> follow_target();
  /// The process has ended, or is ending and has no memory any more (a number that was given to another process since
  /// does not deceive it).
  bool target_ended() const;
  /// From the held stop where there is one, else from a short stop; with the registers of all frames.
  Result<ProcessReport> take_report();
  /// What a look stops; `none` also refuses to hold the target.
  void choose_stop(StopChoice choice) { stop_choice_ = choice; }
  StopChoice stop_choice() const { return stop_choice_; }
  /// not_permitted with --read-only.
  Result<void> check_writable() const;
  /// Of a target that is held.
  Result<void> write_registers(pid_t thread, const RegisterSet &changed);

  Cancellation &cancellation() { return cancellation_; }
  std::function<void(std::string_view phase, std::size_t done, std::size_t total)> progress; ///< may be empty

private:
  Result<void> stop_threads();

  Cancellation cancellation_; ///< before the target, whose files know it
  std::unique_ptr<Target> target_;
  bool read_only_;
  StopChoice stop_choice_ = StopChoice::all;
  std::uint64_t start_ticks_ = 0; ///< of the process: tells it from a later one of the same number
  std::optional<StoppedProcess> stopped_;
};

} // namespace inspect
