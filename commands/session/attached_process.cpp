#include "commands/session/attached_process.h"

#include "attach/procfs/process_status.h"

#include <algorithm>
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

namespace {

/// Why threads have no registers here, of a few of them.
std::string reasons(std::span<const StoppedThread> threads) {
  constexpr std::size_t shown = 3;
  std::string text;
  for (const StoppedThread &thread : threads.first(std::min(shown, threads.size())))
    text += fmt::format("{}thread {}: {}", text.empty() ? "" : "; ", thread.thread, thread.reason);
  return threads.size() > shown ? fmt::format("{}; and {} more", text, threads.size() - shown) : text;
}

} // namespace

Result<void> AttachedProcess::hold() {
  const bool was_held = held();
  if (auto stopped = stop_threads(); !stopped || was_held)
    return stopped;
  const auto threads = held_threads();
  if (std::ranges::find(threads, StopState::stopped, &StoppedThread::state) != threads.end())
    return {};
  Error none(ErrorKind::timed_out,
             fmt::format("no thread of process {} could be stopped ({})", process(), reasons(threads)),
             "stop, when a thread has come out of the kernel");
  let_go();
  return std::unexpected(std::move(none));
}

std::span<const StoppedThread> AttachedProcess::held_threads() const {
  return held() ? stopped_->threads() : std::span<const StoppedThread>();
}

Result<void> AttachedProcess::stop_threads() {
  if (held())
    return {};
  if (stop_choice_ == StopChoice::none)
    return std::unexpected(Error(ErrorKind::not_permitted,
                                 "this needs the process stopped, and nothing is to be "
                                 "stopped in this session",
                                 "config stop all"));
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
  // Threads that are killed while they are held stay zombies until who holds them takes note of it; a thread that is
  // about to be one has given up its memory. The leader may end before the others.
  const auto lives = [](const ProcessStat &thread) { return !has_ended(thread.state) && thread.virtual_bytes != 0; };
  if (lives(*stat))
    return false;
  const auto threads = read_thread_stats(target_->process());
  return !threads || std::ranges::none_of(*threads, lives);
}

Result<ProcessReport> AttachedProcess::take_report() {
  ReportOptions options;
  options.max_equal_with_registers = std::numeric_limits<std::size_t>::max();
  options.snapshot.stop.vector_registers = true; // floating-point arguments of innermost frames are in them
  options.stop = stop_choice_;
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
  if (auto holding = stop_threads(); !holding)
    return holding;
  // Also where the job ends by an exception: no memory, or Ctrl-C.
  struct Release {
    AttachedProcess *process;
    ~Release() {
      if (process != nullptr)
        process->let_go();
    }
  } const release{was_held ? nullptr : this};
  return job();
}

Result<void> AttachedProcess::write_registers(pid_t thread, const RegisterSet &changed) {
  return stopped_->write_registers(thread, changed);
}

} // namespace inspect
