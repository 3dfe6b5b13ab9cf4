#include "commands/session/attached_process.h"

#include "attach/procfs/process_status.h"

#include <fmt/format.h>
#include <limits>
#include <utility>

namespace inspect {

AttachedProcess::AttachedProcess(std::unique_ptr<Target> target, bool read_only)
    : target_(std::move(target)), read_only_(read_only) {
  target_->cancel_with(&cancellation_);
  if (const auto stat = read_process_stat(target_->process()))
    start_ticks_ = stat->start_ticks;
}

Result<void> AttachedProcess::follow_target() {
  // A held target changes nothing, and was followed when it was stopped.
  return held() ? Result<void>() : target_->refresh();
}

Result<void> AttachedProcess::hold() {
  if (held())
    return {};
  auto stopped = StoppedProcess::stop(target_->process(), {.vector_registers = true});
  if (!stopped)
    return std::unexpected(stopped.error());
  stopped_.emplace(std::move(*stopped));
  return {};
}

void AttachedProcess::let_go() {
  if (!stopped_)
    return;
  stopped_->release();
  stopped_.reset();
}

bool AttachedProcess::target_ended() const {
  const auto stat = read_process_stat(target_->process());
  if (!stat)
    return stat.error().kind() == ErrorKind::no_such_process || stat.error().kind() == ErrorKind::not_found;
  if (stat->start_ticks != start_ticks_)
    return true;
  // A zombie leader whose other threads live on is not an ended process.
  return (stat->state == 'Z' && stat->threads <= 1) || stat->state == 'X';
}

Result<ProcessReport> AttachedProcess::take_report() {
  ReportOptions options;
  options.max_equal_with_registers = std::numeric_limits<std::size_t>::max();
  options.snapshot.stop.vector_registers = true; // floating-point arguments of innermost frames are in them
  options.cancellation = &cancellation_;
  options.progress = progress;
  return held() ? report_stopped(*stopped_, *target_, options) : report_stacks(*target_, options);
}

Result<void> AttachedProcess::check_writable() const {
  if (!read_only_)
    return {};
  return std::unexpected(Error(ErrorKind::not_permitted, "this session was started with --read-only",
                               fmt::format("inspect attach {} without --read-only", target_->process())));
}

Result<void> AttachedProcess::while_held(const std::function<Result<void>()> &job) {
  const bool was_held = held();
  if (auto holding = hold(); !holding)
    return holding;
  auto done = job();
  if (!was_held)
    let_go();
  return done;
}

Result<void> AttachedProcess::write_registers(pid_t thread, const RegisterSet &changed) {
  return stopped_->write_registers(thread, changed);
}

} // namespace inspect
