#include "commands/session/selection.h"

#include "inspector/stacks/goroutine_details.h"
#include "inspector/stacks/program_frame.h"

#include <algorithm>
#include <fmt/format.h>
#include <utility>

namespace inspect {

Result<const ProcessReport *> Selection::fresh_report() {
  if (same_look_ && report_) {
    report_->warnings.clear(); // they were printed with the first command
    select_first_frame();
    return &*report_;
  }
  auto report = process_.take_report();
  if (!report)
    return std::unexpected(report.error());
  report_ = std::move(*report);
  ++looks_;
  const auto &threads = report_->threads;
  if (std::ranges::find(threads, thread_, &ThreadReport::thread) == threads.end() && !threads.empty())
    thread_ = threads.front().thread;
  if (const auto selected = goroutine(); !selected && selected.error().kind() == ErrorKind::not_found) {
    report_->warnings.push_back(fmt::format("goroutine {} has ended; thread {} is selected now", goroutine_, thread_));
    goroutine_ = 0;
  }
  select_first_frame();
  return &*report_;
}

void Selection::select_first_frame() {
  goroutine_stack_.reset();
  frame_ = 0;
  if (const auto goroutine = this->goroutine(); goroutine && *goroutine != nullptr)
    frame_ = program_frame(report_->go->stack_of(**goroutine)).value_or(0);
}

Result<const ProcessReport *> Selection::last_report() {
  if (!report_)
    return fresh_report();
  return &*report_;
}

Result<const ThreadReport *> Selection::thread() {
  const auto report = last_report();
  if (!report)
    return std::unexpected(report.error());
  const auto &threads = (*report)->threads;
  const auto found = std::ranges::find(threads, thread_, &ThreadReport::thread);
  if (found == threads.end())
    return std::unexpected(Error(ErrorKind::not_found, fmt::format("thread {} is gone", thread_), "threads"));
  return &*found;
}

Result<void> Selection::select_thread(pid_t thread) {
  const auto knows = [&](const ProcessReport &report) {
    return std::ranges::find(report.threads, thread, &ThreadReport::thread) != report.threads.end();
  };
  if (!report_ || !knows(*report_)) {
    if (const auto fresh = fresh_report(); !fresh)
      return std::unexpected(fresh.error());
  }
  if (!knows(*report_))
    return std::unexpected(
        Error(ErrorKind::not_found, fmt::format("process {} has no thread {}", process_.process(), thread), "threads"));
  thread_ = thread;
  goroutine_ = 0;
  select_first_frame();
  return {};
}

Result<const GoReport *> Selection::go_report() {
  const auto report = last_report();
  if (!report)
    return std::unexpected(report.error());
  if ((*report)->go)
    return &*(*report)->go;
  const auto runtime = process_.target().go_runtime();
  if (!runtime && runtime.error().kind() != ErrorKind::not_found)
    return std::unexpected(runtime.error());
  if (runtime)
    return std::unexpected(Error(ErrorKind::unsupported,
                                 "the goroutines could not be read when the process was looked at",
                                 "goroutines, which takes a fresh look and says why it fails"));
  return std::unexpected(Error(ErrorKind::unsupported,
                               fmt::format("process {} is not a Go program and has no goroutines", process_.process()),
                               "threads"));
}

Result<const GoroutineReport *> Selection::find_goroutine(std::uint64_t id) {
  const auto go = go_report();
  if (!go)
    return std::unexpected(go.error());
  const auto found = std::ranges::lower_bound((*go)->goroutines, id, {}, &GoroutineReport::id);
  if (found == (*go)->goroutines.end() || found->id != id)
    return std::unexpected(Error(ErrorKind::not_found,
                                 fmt::format("process {} has no goroutine {}", process_.process(), id), "goroutines"));
  return &*found;
}

Result<const GoroutineReport *> Selection::goroutine() {
  if (goroutine_ == 0)
    return nullptr;
  return find_goroutine(goroutine_);
}

Result<void> Selection::select_goroutine(std::uint64_t id) {
  const bool looked = report_.has_value();
  auto goroutine = find_goroutine(id);
  if (!goroutine && goroutine.error().kind() == ErrorKind::not_found && looked && !same_look_)
    if (const auto fresh = fresh_report(); fresh) // it may have been created since
      goroutine = find_goroutine(id);
  if (!goroutine)
    return std::unexpected(goroutine.error());
  goroutine_ = id;
  select_first_frame();
  if ((*goroutine)->thread != 0)
    thread_ = (*goroutine)->thread;
  return {};
}

Result<std::span<const ReportFrame>> Selection::frames() {
  const auto goroutine = this->goroutine();
  if (!goroutine)
    return std::unexpected(goroutine.error());
  if (*goroutine != nullptr)
    return std::span<const ReportFrame>(report_->go->stack_of(**goroutine).frames);
  const auto thread = this->thread();
  if (!thread)
    return std::unexpected(thread.error());
  return std::span<const ReportFrame>((*thread)->frames);
}

Result<void> Selection::select_frame(std::size_t index) {
  const auto frames = this->frames();
  if (!frames)
    return std::unexpected(frames.error());
  if (frames->empty())
    return std::unexpected(Error(ErrorKind::not_found, fmt::format("{} has no frames", name())));
  if (index >= frames->size())
    return std::unexpected(Error(
        ErrorKind::usage, fmt::format("there is no frame {}; the last one is {}", index, frames->size() - 1), "bt"));
  frame_ = index;
  return {};
}

std::string Selection::name() const {
  return goroutine_ != 0 ? fmt::format("goroutine {}", goroutine_) : fmt::format("thread {}", thread_);
}

Result<const ReportFrame *> Selection::report_frame() {
  const auto frames = this->frames();
  if (!frames)
    return std::unexpected(frames.error());
  if (frame_ < frames->size())
    return &(*frames)[frame_];
  std::string reason;
  if (const auto goroutine = this->goroutine(); goroutine && *goroutine != nullptr)
    reason = report_->go->stack_of(**goroutine).end_reason;
  else if (const auto thread = this->thread(); thread)
    reason = (*thread)->end_reason;
  return std::unexpected(
      Error(ErrorKind::not_found, fmt::format("{} has no frames{}{}", name(), reason.empty() ? "" : ": ", reason)));
}

Result<const Stack *> Selection::stack() {
  const auto goroutine = this->goroutine();
  if (!goroutine)
    return std::unexpected(goroutine.error());
  if (*goroutine != nullptr) {
    if (!goroutine_stack_)
      goroutine_stack_ = goroutine_stack(process_.target(), *report_, **goroutine);
    return &*goroutine_stack_;
  }
  const auto thread = this->thread();
  if (!thread)
    return std::unexpected(thread.error());
  return &(*thread)->stack;
}

Result<const Frame *> Selection::physical_frame() {
  const auto frame = report_frame();
  if (!frame)
    return std::unexpected(frame.error());
  const auto stack = this->stack();
  if (!stack)
    return std::unexpected(stack.error());
  if ((*frame)->tail_call)
    return std::unexpected(without_frame(**frame));
  if ((*frame)->physical >= (*stack)->frames.size())
    return std::unexpected(Error(ErrorKind::not_found, "the registers of this frame were not kept", "bt"));
  return &(*stack)->frames[(*frame)->physical];
}

Result<void> Selection::find_frame_again() {
  const auto frame = report_frame();
  const auto physical = physical_frame();
  if (!frame || !physical)
    return std::unexpected(frame ? physical.error() : frame.error());
  const std::string function((*frame)->function);
  const std::size_t old_index = frame_;
  const auto frames_before = frames();
  const auto first_before = std::ranges::find(*frames_before, (*frame)->physical, &ReportFrame::physical);
  const auto inlined = static_cast<std::ptrdiff_t>(old_index) - (first_before - frames_before->begin());
  const RunAddress cfa = (*physical)->cfa;
  const pid_t thread = thread_;
  const std::uint64_t goroutine = goroutine_;
  if (const auto fresh = fresh_report(); !fresh)
    return std::unexpected(fresh.error());
  const auto gone = [&] {
    return std::unexpected(
        Error(ErrorKind::not_found,
              fmt::format("{} has returned since it was shown", function.empty() ? "the selected frame" : function),
              "stop, and look again with bt"));
  };
  if (thread != thread_ || goroutine != goroutine_)
    return gone();
  const auto stack = this->stack();
  const auto frames = this->frames();
  if (!stack || !frames)
    return gone();
  for (std::size_t i = 0; i < (*stack)->frames.size(); ++i) {
    if ((*stack)->frames[i].cfa != cfa || cfa.value == 0)
      continue;
    const auto first = std::ranges::find(*frames, i, &ReportFrame::physical);
    if (first == frames->end() || frames->end() - first <= inlined)
      continue;
    const ReportFrame &again = *(first + inlined);
    if (again.function != function || again.physical != i)
      continue;
    frame_ = static_cast<std::size_t>(&again - frames->data());
    return {};
  }
  return gone();
}

} // namespace inspect
