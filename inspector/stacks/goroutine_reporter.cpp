#include "inspector/stacks/goroutine_reporter.h"

#include "golang/goroutines/goroutine_labels.h"
#include "golang/goroutines/start_function.h"
#include "golang/pclntab/function_name.h"
#include "golang/traceback/traceback_rules.h"
#include "golang/unwind/go_stack_walk.h"
#include "inspector/stacks/go_threads.h"
#include "inspector/stacks/stack_pool.h"
#include "machine/x86_64/registers.h"

#include <algorithm>
#include <fmt/format.h>
#include <map>
#include <optional>
#include <utility>

namespace inspect {
namespace {

constexpr std::int64_t nanoseconds_per_second = 1'000'000'000;
constexpr std::size_t goroutines_between_progress = 4096;

/// Keeps what many goroutines share under small numbers; 0 is "none".
class CreationSites {
public:
  CreationSites(const GoRuntime &runtime, TextPool &texts, std::vector<CreationSite> &sites)
      : runtime_(runtime), texts_(texts), sites_(sites) {}

  std::uint32_t number_of(RunAddress return_address) {
    if (return_address.value == 0)
      return 0;
    const auto [entry, is_new] = known_.try_emplace(return_address, 0);
    if (is_new)
      if (const auto site = site_at(return_address)) {
        entry->second = static_cast<std::uint32_t>(sites_.size());
        sites_.push_back(*site);
      }
    return entry->second;
  }

private:
  std::optional<CreationSite> site_at(RunAddress return_address) {
    const GoImage *image = runtime_.find(return_address - 1);
    const auto function = image != nullptr ? image->table->find(return_address - 1) : std::nullopt;
    if (!function)
      return std::nullopt;
    // The runtime names the physical function, with the line of the innermost inlined call.
    const auto frames = image->table->frames(*function, return_address - 1);
    CreationSite site;
    site.function = texts_.intern(printed_function_name(function->name, runtime_.version()));
    site.hidden_in_traceback = !shows_creator(function->name, runtime_.version());
    site.file = texts_.intern(frames.front().file);
    site.line = frames.front().line;
    site.offset = return_address - function->entry;
    return site;
  }

  const GoRuntime &runtime_;
  TextPool &texts_;
  std::vector<CreationSite> &sites_;
  std::unordered_map<RunAddress, std::uint32_t> known_;
};

/// The functions that goroutines began in, under small numbers; 0 is "not known".
class StartSites {
public:
  StartSites(const GoRuntime &runtime, const MemoryView &memory, TextPool &texts, std::vector<CreationSite> &sites)
      : runtime_(runtime), memory_(memory), texts_(texts), sites_(sites) {}

  std::uint32_t number_of(RunAddress entry) {
    const auto [known, is_new] = known_.try_emplace(entry, 0);
    if (!is_new || entry.value == 0)
      return known->second;
    if (const auto start = start_function(runtime_, memory_, entry)) {
      known->second = static_cast<std::uint32_t>(sites_.size());
      CreationSite &site = sites_.emplace_back();
      site.function = texts_.intern(printed_function_name(start->function, runtime_.version()));
      site.file = texts_.intern(start->file == "?" ? std::string_view() : start->file);
      site.line = start->line;
    }
    return known->second;
  }

private:
  const GoRuntime &runtime_;
  const MemoryView &memory_;
  TextPool &texts_;
  std::vector<CreationSite> &sites_;
  std::unordered_map<RunAddress, std::uint32_t> known_;
};

class LabelSets {
public:
  LabelSets(const MemoryView &memory, GoVersion version, std::vector<LabelSet> &sets)
      : memory_(memory), version_(version), sets_(sets) {}

  std::uint32_t number_of(RunAddress address) {
    if (address.value == 0)
      return 0;
    const auto [entry, is_new] = known_.try_emplace(address, 0);
    if (!is_new)
      return entry->second;
    auto labels = read_goroutine_labels(memory_, address, version_);
    if (!labels) {
      ++unreadable_;
    } else if (!labels->empty()) {
      const auto [same, is_new_set] = numbers_.try_emplace(*labels, static_cast<std::uint32_t>(sets_.size()));
      entry->second = same->second;
      if (is_new_set)
        sets_.push_back(std::move(*labels));
    }
    return entry->second;
  }
  std::size_t unreadable() const { return unreadable_; }

private:
  const MemoryView &memory_;
  GoVersion version_;
  std::vector<LabelSet> &sets_;
  std::unordered_map<RunAddress, std::uint32_t> known_;
  std::map<LabelSet, std::uint32_t> numbers_;
  std::size_t unreadable_ = 0;
};

/// The rules of several runtimes, each for its own code.
class JoinedUnwinding final : public UnwindExtension {
public:
  void add(GoUnwind &one) { all_.push_back(&one); }
  std::optional<Step> step(Frame &frame, const RegisterSet &registers, const MemoryView &memory) override {
    // Each is asked: it notes that a walk has begun. No two know the same code.
    std::optional<Step> step;
    for (GoUnwind *one : all_)
      if (auto own = one->step(frame, registers, memory); own && !step)
        step = std::move(own);
    return step;
  }

private:
  std::vector<GoUnwind *> all_;
};

bool prints_labels(const GoImage &image, const MemoryView &memory) {
  return image.version >= GoVersion{1, 27} &&
         go_build_setting(*image.module, memory, "DefaultGODEBUG").find("tracebacklabels=0") == std::string::npos;
}

} // namespace

struct GoroutineReporter::State {
  State(const Input &given, std::span<const StoppedThread> stopped)
      : input(given), unwinding(given.runtime), quick_walk(given.runtime),
        threads(given.copy, given.target.process(), stopped), frames_left(given.options.max_goroutine_frames) {
    joined.add(unwinding);
  }

  /// The stack stays valid until the next call.
  const Stack &stack_of(const Goroutine &goroutine);
  void walk_parked(const Goroutine &goroutine, Stack &into);
  void add_frames_on_thread(const Goroutine &goroutine, const ThreadReport &thread, Stack &into) const;
  GoroutineReport report_one(const Goroutine &goroutine, StackPool &pool, CreationSites &sites, LabelSets &labels);
  void read_words(const Stack &walked, GoroutineReport &into);
  bool is_system(const Goroutine &goroutine, const GoroutineStack &stack);
  bool is_between_calls(const Goroutine &goroutine) const;
  const ThreadReport *thread_report(pid_t thread) const;
  void begin_walk(GoWalkContext context, pid_t thread);

  Input input;
  GoUnwind unwinding;
  JoinedUnwinding joined;
  std::vector<State *> others; ///< those of the other runtimes
  GoStackWalk quick_walk;
  /// Where goroutines start, and of which kind of the runtime's own those are: a million start at a few places.
  std::unordered_map<RunAddress, std::optional<GoFuncId>> system_starts;
  Stack latest; ///< of the goroutine at hand; its frames keep their memory
  GoThreads threads;
  std::unordered_map<pid_t, const ThreadReport *> reports;
  std::uint8_t number = 0;                ///< of the runtime
  GoReport *report_of = nullptr;          ///< being made
  std::vector<std::uint64_t> frame_words; ///< room for those of one frame
  std::size_t frames_left;                ///< of ReportOptions::max_goroutine_frames
  std::size_t elidable_left = max_elided_frames;
  std::size_t shortened = 0; ///< goroutines whose stacks were cut for want of them
};

GoroutineReporter::GoroutineReporter(const Input &input, std::span<const StoppedThread> threads)
    : state_(std::make_unique<State>(input, threads)) {}
GoroutineReporter::~GoroutineReporter() = default;

void GoroutineReporter::join(std::span<const std::unique_ptr<GoroutineReporter>> all) {
  for (const auto &other : all)
    if (other != nullptr && other.get() != this) {
      state_->others.push_back(other->state_.get());
      state_->joined.add(other->state_->unwinding);
    }
}

void GoroutineReporter::State::begin_walk(GoWalkContext context, pid_t thread) {
  unwinding.begin(context);
  for (State *other : others)
    other->unwinding.begin(thread != 0 ? other->threads.context_of(thread) : GoWalkContext{});
}

UnwindExtension *GoroutineReporter::unwinding_of(const StoppedThread &thread) {
  state_->begin_walk(state_->threads.context_of(thread.thread), thread.thread);
  return &state_->joined;
}

std::uint64_t GoroutineReporter::goroutine_on(pid_t thread) const {
  const Goroutine *goroutine = state_->threads.context_of(thread).goroutine;
  return goroutine != nullptr && !state_->is_between_calls(*goroutine) ? goroutine->id : 0;
}

/// A thread that C made keeps its M, with a goroutine for its calls of Go, from one call to the next (proc.go, needm
/// and dropm, since Go 1.21). In between it runs no Go, and its stack is not the goroutine's.
bool GoroutineReporter::State::is_between_calls(const Goroutine &goroutine) const {
  if (goroutine.status != GoroutineStatus::in_syscall)
    return false;
  const auto place = input.runtime.function_at(goroutine.syscall_pc);
  return place && place->function.func_id == GoFuncId::goexit;
}

const ThreadReport *GoroutineReporter::State::thread_report(pid_t thread) const {
  const auto found = reports.find(thread);
  return found != reports.end() ? found->second : nullptr;
}

/// Finalizers and cleanups are the program's code, though the runtime's goroutines run them.
bool GoroutineReporter::State::is_system(const Goroutine &goroutine, const GoroutineStack &stack) {
  auto [start, is_new] = system_starts.try_emplace(goroutine.start_pc);
  if (is_new) {
    const auto place = input.runtime.function_at(goroutine.start_pc);
    if (place && is_system_goroutine(place->function.name, place->function.func_id))
      start->second = place->function.func_id;
  }
  if (!start->second)
    return false;
  const bool calls_back = start->second == GoFuncId::runfinq || start->second == GoFuncId::run_cleanups;
  const auto is_of_program = [](const ReportFrame &frame) {
    return frame.go && !frame.function.starts_with("runtime.");
  };
  return !calls_back || std::ranges::none_of(stack.frames, is_of_program);
}

namespace {

Stack no_stack(StackEnd end, RunAddress at, std::string reason) {
  Stack stack;
  stack.end = end;
  stack.at = at;
  stack.end_reason = std::move(reason);
  return stack;
}

} // namespace

const Stack &GoroutineReporter::State::stack_of(const Goroutine &goroutine) {
  const pid_t thread = threads.thread_of(goroutine);
  const ThreadReport *report = thread_report(thread);
  if (input.copy.ran_meanwhile(goroutine.address)) {
    latest = no_stack(StackEnd::not_captured, {}, "it ran while its stack was being read");
    return latest;
  }
  switch (goroutine.status) {
  case GoroutineStatus::running:
    if (report != nullptr)
      return report->stack;
    latest = no_stack(StackEnd::not_captured, {},
                      thread == 0 ? "it runs on a thread that is not known" : "the thread that runs it did not stop");
    break;
  case GoroutineStatus::copying_stack:
    // Both copies have the frames until the old one is freed (stack.go, copystack): only between the change of the
    // bounds and that of the stack pointer, the two do not belong together.
    if (goroutine.stack.contains(goroutine.sp))
      walk_parked(goroutine, latest);
    else
      latest = no_stack(StackEnd::not_captured, goroutine.stack.begin, "its stack was just being moved");
    break;
  case GoroutineStatus::in_syscall:
    walk_parked(goroutine, latest);
    if (report != nullptr)
      add_frames_on_thread(goroutine, *report, latest);
    break;
  default:
    walk_parked(goroutine, latest);
  }
  return latest;
}

void GoroutineReporter::State::walk_parked(const Goroutine &goroutine, Stack &into) {
  const std::size_t affordable = std::max(frames_left, min_frames);
  UnwindLimits limits{.max_frames = std::min(input.options.max_depth, affordable),
                      .outermost_frames = input.options.outermost_frames,
                      .max_elided = elidable_left,
                      .cancellation = input.options.cancellation,
                      .extension = &joined,
                      .starts_at_return_address = true};
  if (!quick_walk.walk(goroutine, input.stacks, limits, into)) {
    begin_walk({&goroutine, threads.m_of(goroutine)}, threads.thread_of_m(goroutine));
    limits.starts_at_return_address = !starts_at_entry(input.runtime, goroutine);
    into = unwind(parked_registers(goroutine), input.stacks, input.target.modules(), limits);
  }
  elidable_left -= std::min(elidable_left, into.elided);
  const bool cut = into.end == StackEnd::depth_limit;
  if ((cut || into.elided > 0) && affordable < input.options.max_depth)
    ++shortened;
  if (cut && affordable < input.options.max_depth)
    into.end_reason =
        fmt::format("all goroutines together have more than {} frames", input.options.max_goroutine_frames);
}

/// A system call's own frames are on the goroutine's stack below the place that the runtime noted when it entered; C
/// code of a cgo call is on the system stack, and comes first.
void GoroutineReporter::State::add_frames_on_thread(const Goroutine &goroutine, const ThreadReport &thread,
                                                    Stack &into) const {
  const std::vector<Frame> &all = thread.stack.frames;
  const auto own = std::ranges::find_if(
      all, [&](const Frame &frame) { return goroutine.stack.contains(frame.cfa) || frame.cfa == goroutine.stack.end; });
  if (own == all.end())
    return;
  into.frames.insert(into.frames.begin(), all.begin(), own);
  if (into.elided > 0)
    into.elided_at += static_cast<std::size_t>(own - all.begin());
}

void GoroutineReporter::State::read_words(const Stack &walked, GoroutineReport &into) {
  into.first_word = report_of->words.size();
  for (const ReportFrame &frame : report_of->stack_of(into).frames) {
    if (frame.arguments == nullptr || frame.arguments->tokens.empty() || frame.physical >= walked.frames.size())
      continue;
    if (!read_argument_words(*frame.arguments, walked.frames[frame.physical].cfa, input.stacks, frame_words))
      into.words_missing = true;
    report_of->words.insert(report_of->words.end(), frame_words.begin(), frame_words.end());
  }
}

GoroutineReport GoroutineReporter::State::report_one(const Goroutine &goroutine, StackPool &pool, CreationSites &sites,
                                                     LabelSets &labels) {
  GoroutineReport report;
  report.id = goroutine.id;
  report.runtime = number;
  report.address = goroutine.address;
  report.status = goroutine.status;
  report.being_scanned = goroutine.being_scanned;
  report.locked_to_thread = goroutine.locked_m.value != 0;
  if (goroutine.status == GoroutineStatus::waiting || goroutine.status == GoroutineStatus::leaked)
    report.wait_reason = wait_reason_text(input.runtime.version(), goroutine.wait_reason);
  if (goroutine.bubble.value != 0) {
    report.bubble = input.copy.bubble_number(goroutine.bubble);
    if (goroutine.status == GoroutineStatus::waiting && is_durable_in_bubble(report.wait_reason) &&
        !report.wait_reason.ends_with("(durable)"))
      report.wait_reason = input.texts.intern(fmt::format("{} (durable)", report.wait_reason));
  }
  const bool waits = goroutine.status == GoroutineStatus::waiting || goroutine.status == GoroutineStatus::in_syscall;
  if (waits && goroutine.wait_since > 0)
    report.wait_seconds = std::max<std::int64_t>(0, input.copy.now() - goroutine.wait_since) / nanoseconds_per_second;
  report.thread = threads.thread_of(goroutine);
  report.parent_id = goroutine.parent_id;
  report.creation = goroutine.id == 1 ? 0 : sites.number_of(goroutine.created_pc);
  report.labels = labels.number_of(goroutine.labels);
  if (report.thread == 0 || goroutine.status != GoroutineStatus::running) {
    const ParkedPlace place = parked_place(goroutine);
    report.pc = place.pc;
    report.sp = place.sp;
    report.bp = place.bp;
  }
  report.waiting = goroutine.waiting;
  report.first_defer = goroutine.first_defer;
  const Stack &walked = stack_of(goroutine);
  const std::size_t stacks_before = report_of->stacks.size();
  report.stack = pool.number_of(walked);
  if (report_of->stacks.size() > stacks_before)
    frames_left -= std::min(frames_left, walked.frames.size());
  report.system = is_system(goroutine, report_of->stacks[report.stack]);
  if (input.options.argument_words)
    read_words(walked, report);
  return report;
}

void GoroutineReporter::report(std::span<const ThreadReport> thread_reports, std::vector<std::string> &warnings,
                               GoReport &go) {
  State &state = *state_;
  state.report_of = &go;
  state.number = static_cast<std::uint8_t>(go.runtimes.size());
  for (const ThreadReport &thread : thread_reports)
    state.reports[thread.thread] = &thread;
  const std::size_t before = go.goroutines.size();
  const GoImage &own = state.input.runtime.own_image();
  go.runtimes.push_back({.version = state.input.runtime.version_text(),
                         .image = own.module->path(),
                         .layout_note = state.input.runtime.layout_note(),
                         .labels_in_traceback = prints_labels(own, state.input.target.memory())});
  FrameNamer namer(state.input.target, &state.input.runtime, state.input.texts,
                   state.input.options.argument_words ? &go.layouts : nullptr, state.input.memory);
  StackPool pool(namer, go.stacks);
  CreationSites sites(state.input.runtime, state.input.texts, go.creations);
  StartSites starts(state.input.runtime, state.input.memory, state.input.texts, go.starts);
  LabelSets labels(state.input.memory, state.input.runtime.version(), go.label_sets);
  const std::vector<Goroutine> goroutines = state.input.copy.take_goroutines();
  go.goroutines.reserve(before + goroutines.size());
  for (const Goroutine &goroutine : goroutines) {
    const std::size_t done = go.goroutines.size() - before;
    if (done % goroutines_between_progress == 0) {
      if (state.input.options.cancellation != nullptr && state.input.options.cancellation->requested()) {
        warnings.push_back(
            fmt::format("cancelled: {} of {} goroutines are missing", goroutines.size() - done, goroutines.size()));
        break;
      }
      if (state.input.options.progress)
        state.input.options.progress("goroutines", done, goroutines.size());
    }
    go.goroutines.push_back(state.report_one(goroutine, pool, sites, labels));
    go.goroutines.back().start = starts.number_of(goroutine.start_pc);
  }
  std::ranges::sort(go.goroutines.begin() + static_cast<std::ptrdiff_t>(before), go.goroutines.end(), {},
                    &GoroutineReport::id);
  if (state.shortened > 0)
    warnings.push_back(fmt::format(
        "the stacks of {} {} cut short: all different ones have more than {} frames together", state.shortened,
        state.shortened == 1 ? "goroutine are" : "goroutines are", state.input.options.max_goroutine_frames));
  if (labels.unreadable() > 0)
    warnings.push_back(
        fmt::format("the labels of some goroutines could not be read ({} label sets)", labels.unreadable()));
  std::ranges::move(state.input.copy.take_warnings(), std::back_inserter(warnings));
}

} // namespace inspect
