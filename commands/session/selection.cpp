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
  const bool first_look = looks_++ == 0;
  const auto &threads = report_->threads;
  if (std::ranges::find(threads, thread_, &ThreadReport::thread) == threads.end() && !threads.empty())
    thread_ = threads.front().thread;
  if (first_look)
    select_first_goroutine();
  if (const auto selected = goroutine(); !selected && selected.error().kind() == ErrorKind::not_found) {
    report_->warnings.push_back(fmt::format("goroutine {} has ended; thread {} is selected now", goroutine_, thread_));
    goroutine_ = 0;
  }
  select_first_frame();
  return &*report_;
}

/// A Go program's first thread does as a rule nothing but wait for work: what its program does is in goroutines. One
/// that the thread runs comes first, then the main one, then one that runs.
void Selection::select_first_goroutine() {
  const auto &threads = report_->threads;
  const auto thread = std::ranges::find(threads, thread_, &ThreadReport::thread);
  if (!report_->go || report_->runtime.language != "go" || thread == threads.end())
    return;
  const auto &goroutines = report_->go->goroutines;
  const auto first = [&](const auto &wanted) {
    const auto found = std::ranges::find_if(
        goroutines, [&](const GoroutineReport &one) { return one.runtime == 0 && !one.system && wanted(one); });
    return found != goroutines.end() ? &*found : nullptr;
  };
  const GoroutineReport *chosen = first([&](const GoroutineReport &one) { return one.id == thread->goroutine; });
  if (chosen == nullptr)
    chosen = first([](const GoroutineReport &one) { return one.id == 1; });
  if (chosen == nullptr)
    chosen = first([](const GoroutineReport &one) { return one.status == GoroutineStatus::running; });
  if (chosen == nullptr)
    chosen = first([](const GoroutineReport &) { return true; });
  if (chosen != nullptr) {
    goroutine_ = chosen->id;
    go_runtime_ = chosen->runtime;
  }
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

Result<const GoroutineReport *> Selection::find_goroutine(std::uint64_t id, std::size_t runtime) {
  const auto go = go_report();
  if (!go)
    return std::unexpected(go.error());
  const auto &goroutines = (*go)->goroutines;
  const auto key = [](const GoroutineReport &one) { return std::pair(std::size_t{one.runtime}, one.id); };
  const auto found = std::ranges::lower_bound(goroutines, std::pair(runtime, id), {}, key);
  if (found == goroutines.end() || key(*found) != std::pair(runtime, id))
    return std::unexpected(Error(ErrorKind::not_found,
                                 fmt::format("process {} has no goroutine {}", process_.process(), id), "goroutines"));
  return &*found;
}

Result<const GoroutineReport *> Selection::find_goroutine(std::uint64_t id, std::string_view image) {
  const auto go = go_report();
  if (!go)
    return std::unexpected(go.error());
  const GoroutineReport *found = nullptr;
  std::string several;
  for (std::size_t runtime = 0; runtime < (*go)->runtimes.size(); ++runtime) {
    const std::string &path = (*go)->runtimes[runtime].image;
    if (path.substr(path.rfind('/') + 1).find(image) == std::string::npos)
      continue;
    const auto goroutine = find_goroutine(id, runtime);
    if (!goroutine)
      continue;
    several += (several.empty() ? "" : " and one") + (*go)->of_image(**goroutine);
    found = found == nullptr ? *goroutine : nullptr;
    if (found == nullptr)
      return std::unexpected(Error(ErrorKind::usage, fmt::format("there is a goroutine {}{}", id, several),
                                   fmt::format("goroutine {} {}", id, path.substr(path.rfind('/') + 1))));
  }
  if (found == nullptr)
    return find_goroutine(id, (*go)->runtimes.size()); // says that there is none
  return found;
}

Result<const GoroutineReport *> Selection::goroutine() {
  if (goroutine_ == 0)
    return nullptr;
  return find_goroutine(goroutine_, go_runtime_);
}

Result<void> Selection::select_goroutine(std::uint64_t id, std::string_view image) {
  const bool looked = report_.has_value();
  auto goroutine = find_goroutine(id, image);
  if (!goroutine && goroutine.error().kind() == ErrorKind::not_found && looked && !same_look_)
    if (const auto fresh = fresh_report(); fresh) // it may have been created since
      goroutine = find_goroutine(id, image);
  if (!goroutine)
    return std::unexpected(goroutine.error());
  return select(**goroutine);
}

Result<void> Selection::select_goroutine(std::uint64_t id, std::size_t runtime) {
  const auto goroutine = find_goroutine(id, runtime);
  if (!goroutine)
    return std::unexpected(goroutine.error());
  return select(**goroutine);
}

Result<void> Selection::select(const GoroutineReport &goroutine) {
  goroutine_ = goroutine.id;
  go_runtime_ = goroutine.runtime;
  if (goroutine.thread != 0)
    thread_ = goroutine.thread;
  select_first_frame();
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
  const std::pair goroutine(go_runtime_, goroutine_);
  if (const auto fresh = fresh_report(); !fresh)
    return std::unexpected(fresh.error());
  const auto gone = [&] {
    return std::unexpected(
        Error(ErrorKind::not_found,
              fmt::format("{} has returned since it was shown", function.empty() ? "the selected frame" : function),
              "stop, and look again with bt"));
  };
  if (thread != thread_ || goroutine != std::pair(go_runtime_, goroutine_))
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
