#include "commands/session/session.h"

#include "attach/procfs/process_status.h"
#include "inspector/stacks/goroutine_details.h"
#include "inspector/stacks/program_frame.h"

#include <algorithm>
#include <fmt/format.h>
#include <limits>
#include <utility>

namespace inspect {

Result<void> Session::follow_target() {
  // A held target changes nothing, and was followed when it was stopped.
  return held() ? Result<void>() : target_->refresh();
}

Result<void> Session::hold() {
  if (held())
    return {};
  auto stopped = StoppedProcess::stop(target_->process(), {.vector_registers = true});
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
  if (same_look_ && report_) {
    report_->warnings.clear(); // they were printed with the first command
    select_first_frame();
    return &*report_;
  }
  ReportOptions options;
  options.max_equal_with_registers = std::numeric_limits<std::size_t>::max();
  options.snapshot.stop.vector_registers = true; // floating-point arguments of innermost frames are in them
  options.cancellation = &cancellation_;
  options.progress = progress;
  auto report = held() ? report_stopped(*stopped_, *target_, options) : report_stacks(*target_, options);
  if (auto kept = keep_report(std::move(report)); !kept)
    return std::unexpected(kept.error());
  return &*report_;
}

Result<void> Session::keep_report(Result<ProcessReport> report) {
  if (!report)
    return std::unexpected(report.error());
  forget_look();
  written_.clear();
  report_ = std::move(*report);
  const auto &threads = report_->threads;
  if (std::ranges::find(threads, selected_thread_, &ThreadReport::thread) == threads.end() && !threads.empty())
    selected_thread_ = threads.front().thread;
  if (const auto goroutine = selected_goroutine(); !goroutine && goroutine.error().kind() == ErrorKind::not_found) {
    report_->warnings.push_back(
        fmt::format("goroutine {} has ended; thread {} is selected now", selected_goroutine_, selected_thread_));
    selected_goroutine_ = 0;
  }
  select_first_frame();
  return {};
}

void Session::select_first_frame() {
  goroutine_stack_.reset();
  selected_frame_ = 0;
  if (const auto goroutine = selected_goroutine(); goroutine && *goroutine != nullptr)
    selected_frame_ = program_frame(report_->go->stack_of(**goroutine)).value_or(0);
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
  selected_goroutine_ = 0;
  select_first_frame();
  return {};
}

Result<const GoReport *> Session::go_report() {
  const auto report = last_report();
  if (!report)
    return std::unexpected(report.error());
  if ((*report)->go)
    return &*(*report)->go;
  const auto runtime = target_->go_runtime();
  if (!runtime && runtime.error().kind() != ErrorKind::not_found)
    return std::unexpected(runtime.error());
  if (runtime)
    return std::unexpected(Error(ErrorKind::unsupported,
                                 "the goroutines could not be read when the process was looked at",
                                 "goroutines, which takes a fresh look and says why it fails"));
  return std::unexpected(Error(ErrorKind::unsupported,
                               fmt::format("process {} is no Go program and has no goroutines", process()), "threads"));
}

Result<const GoroutineReport *> Session::find_goroutine(std::uint64_t id) {
  const auto go = go_report();
  if (!go)
    return std::unexpected(go.error());
  const auto found = std::ranges::lower_bound((*go)->goroutines, id, {}, &GoroutineReport::id);
  if (found == (*go)->goroutines.end() || found->id != id)
    return std::unexpected(
        Error(ErrorKind::not_found, fmt::format("process {} has no goroutine {}", process(), id), "goroutines"));
  return &*found;
}

Result<const GoroutineReport *> Session::selected_goroutine() {
  if (selected_goroutine_ == 0)
    return nullptr;
  return find_goroutine(selected_goroutine_);
}

Result<void> Session::select_goroutine(std::uint64_t id) {
  const bool looked = report_.has_value();
  auto goroutine = find_goroutine(id);
  if (!goroutine && goroutine.error().kind() == ErrorKind::not_found && looked && !same_look_)
    if (const auto fresh = fresh_report(); fresh) // it may have been created since
      goroutine = find_goroutine(id);
  if (!goroutine)
    return std::unexpected(goroutine.error());
  selected_goroutine_ = id;
  select_first_frame();
  if ((*goroutine)->thread != 0)
    selected_thread_ = (*goroutine)->thread;
  return {};
}

Result<std::span<const ReportFrame>> Session::selected_frames() {
  const auto goroutine = selected_goroutine();
  if (!goroutine)
    return std::unexpected(goroutine.error());
  if (*goroutine != nullptr)
    return std::span<const ReportFrame>(report_->go->stack_of(**goroutine).frames);
  const auto thread = selected_thread();
  if (!thread)
    return std::unexpected(thread.error());
  return std::span<const ReportFrame>((*thread)->frames);
}

Result<void> Session::select_frame(std::size_t index) {
  const auto frames = selected_frames();
  if (!frames)
    return std::unexpected(frames.error());
  if (frames->empty())
    return std::unexpected(Error(ErrorKind::not_found, fmt::format("{} has no frames", selection())));
  if (index >= frames->size())
    return std::unexpected(Error(
        ErrorKind::usage, fmt::format("there is no frame {}; the last one is {}", index, frames->size() - 1), "bt"));
  selected_frame_ = index;
  return {};
}

std::string Session::selection() const {
  return selected_goroutine_ != 0 ? fmt::format("goroutine {}", selected_goroutine_)
                                  : fmt::format("thread {}", selected_thread_);
}

Result<const ReportFrame *> Session::selected_report_frame() {
  const auto frames = selected_frames();
  if (!frames)
    return std::unexpected(frames.error());
  if (selected_frame_ < frames->size())
    return &(*frames)[selected_frame_];
  std::string reason;
  if (const auto goroutine = selected_goroutine(); goroutine && *goroutine != nullptr)
    reason = report_->go->stack_of(**goroutine).end_reason;
  else if (const auto thread = selected_thread(); thread)
    reason = (*thread)->end_reason;
  return std::unexpected(Error(ErrorKind::not_found,
                               fmt::format("{} has no frames{}{}", selection(), reason.empty() ? "" : ": ", reason)));
}

Result<const Stack *> Session::selected_stack() {
  const auto goroutine = selected_goroutine();
  if (!goroutine)
    return std::unexpected(goroutine.error());
  if (*goroutine != nullptr) {
    if (!goroutine_stack_)
      goroutine_stack_ = goroutine_stack(*target_, *report_, **goroutine);
    return &*goroutine_stack_;
  }
  const auto thread = selected_thread();
  if (!thread)
    return std::unexpected(thread.error());
  return &(*thread)->stack;
}

Result<const Frame *> Session::selected_physical_frame() {
  const auto frame = selected_report_frame();
  if (!frame)
    return std::unexpected(frame.error());
  const auto stack = selected_stack();
  if (!stack)
    return std::unexpected(stack.error());
  if ((*frame)->physical >= (*stack)->frames.size())
    return std::unexpected(Error(ErrorKind::not_found, "the registers of this frame were not kept", "bt"));
  return &(*stack)->frames[(*frame)->physical];
}

} // namespace inspect
