#include "commands/session.h"

#include "attach/process_status.h"

#include <algorithm>
#include <fmt/format.h>

namespace inspect {

Session::Session(Tracer &tracer, std::unique_ptr<Target> target, bool read_only)
    : tracer_(tracer), target_(std::move(target)), read_only_(read_only), selected_thread_(target_->process()) {
  if (const auto stat = read_process_stat(target_->process()))
    start_ticks_ = stat->start_ticks;
}

Session::~Session() {
  let_go();
  if (transcript != nullptr)
    std::fclose(transcript);
}

Result<void> Session::follow_target() {
  // A held target changes nothing, and was followed when it was stopped.
  return held() ? Result<void>() : target_->refresh();
}

Result<void> Session::hold() {
  if (held())
    return {};
  auto stopped = StoppedProcess::stop(tracer_, target_->process(), {});
  if (!stopped)
    return std::unexpected(stopped.error());
  stopped_.emplace(std::move(*stopped));
  return {};
}

void Session::let_go() {
  if (!stopped_)
    return;
  stopped_->release();
  stopped_.reset();
}

bool Session::target_ended() const {
  const auto stat = read_process_stat(target_->process());
  if (!stat)
    return stat.error().kind() == ErrorKind::no_such_process || stat.error().kind() == ErrorKind::not_found;
  if (stat->start_ticks != start_ticks_)
    return true;
  // A zombie leader whose other threads live on is no ended process.
  return (stat->state == 'Z' && stat->threads <= 1) || stat->state == 'X';
}

Result<const ProcessReport *> Session::fresh_report() {
  ReportOptions options;
  options.keep_registers = true;
  options.cancellation = &cancellation_;
  options.progress = progress;
  auto report = held() ? report_stopped(*stopped_, *target_, options) : report_stacks(tracer_, *target_, options);
  if (auto kept = keep_report(std::move(report)); !kept)
    return std::unexpected(kept.error());
  return &*report_;
}

Result<void> Session::keep_report(Result<ProcessReport> report) {
  if (!report)
    return std::unexpected(report.error());
  report_ = std::move(*report);
  selected_frame_ = 0;
  const auto &threads = report_->threads;
  if (std::ranges::find(threads, selected_thread_, &ThreadReport::thread) == threads.end() && !threads.empty())
    selected_thread_ = threads.front().thread;
  return {};
}

Result<const ProcessReport *> Session::last_report() {
  if (!report_)
    return fresh_report();
  return &*report_;
}

Result<const ThreadReport *> Session::selected_thread() {
  const auto report = last_report();
  if (!report)
    return std::unexpected(report.error());
  const auto &threads = (*report)->threads;
  const auto found = std::ranges::find(threads, selected_thread_, &ThreadReport::thread);
  if (found == threads.end())
    return std::unexpected(Error(ErrorKind::not_found, fmt::format("thread {} is gone", selected_thread_), "threads"));
  return &*found;
}

Result<void> Session::select_thread(pid_t thread) {
  const auto knows = [&](const ProcessReport &report) {
    return std::ranges::find(report.threads, thread, &ThreadReport::thread) != report.threads.end();
  };
  if (!report_ || !knows(*report_)) {
    if (const auto fresh = fresh_report(); !fresh)
      return std::unexpected(fresh.error());
  }
  if (!knows(*report_))
    return std::unexpected(
        Error(ErrorKind::not_found, fmt::format("process {} has no thread {}", target_->process(), thread), "threads"));
  selected_thread_ = thread;
  selected_frame_ = 0;
  return {};
}

Result<void> Session::select_frame(std::size_t index) {
  const auto thread = selected_thread();
  if (!thread)
    return std::unexpected(thread.error());
  const std::size_t count = (*thread)->frames.size();
  if (count == 0)
    return std::unexpected(Error(ErrorKind::not_found, fmt::format("thread {} has no frames", selected_thread_)));
  if (index >= count)
    return std::unexpected(
        Error(ErrorKind::usage, fmt::format("there is no frame {}; the last one is {}", index, count - 1), "bt"));
  selected_frame_ = index;
  return {};
}

Result<const ReportFrame *> Session::selected_report_frame() {
  const auto thread = selected_thread();
  if (!thread)
    return std::unexpected(thread.error());
  if (selected_frame_ >= (*thread)->frames.size())
    return std::unexpected(
        Error(ErrorKind::not_found, fmt::format("thread {} has no frames{}{}", selected_thread_,
                                                (*thread)->end_reason.empty() ? "" : ": ", (*thread)->end_reason)));
  return &(*thread)->frames[selected_frame_];
}

Result<const Frame *> Session::selected_physical_frame() {
  const auto frame = selected_report_frame();
  if (!frame)
    return std::unexpected(frame.error());
  const auto thread = selected_thread();
  const auto &frames = (*thread)->stack.frames;
  if ((*frame)->physical >= frames.size())
    return std::unexpected(Error(ErrorKind::not_found, "the registers of this frame were not kept"));
  return &frames[(*frame)->physical];
}

Result<Session::Exchange> Session::write_memory(RunAddress address, std::span<const std::byte> bytes) {
  if (read_only_)
    return std::unexpected(Error(ErrorKind::not_permitted, "this session was started with --read-only",
                                 fmt::format("inspect attach {} without --read-only", target_->process())));
  const bool was_held = held();
  if (auto holding = hold(); !holding)
    return std::unexpected(holding.error());
  Exchange exchange{std::vector<std::byte>(bytes.size()), std::vector<std::byte>(bytes.size())};
  const LiveMemory &memory = target_->memory();
  Result<void> done = memory.read(address, exchange.before);
  if (done)
    done = memory.write(address, bytes);
  if (done)
    done = memory.read(address, exchange.after);
  if (!was_held)
    let_go();
  if (!done)
    return std::unexpected(done.error());
  return exchange;
}

} // namespace inspect
