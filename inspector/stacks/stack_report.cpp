#include "inspector/stacks/stack_report.h"

#include "attach/procfs/process_list.h"
#include "dwarf/cfi/cfi_table.h"
#include "inspector/stacks/argument_decoder.h"
#include "inspector/stacks/dump_variables.h"
#include "inspector/stacks/frame_namer.h"
#include "inspector/stacks/go_stack_source.h"
#include "inspector/stacks/goroutine_reporter.h"
#include "inspector/syscalls/system_call.h"
#include "inspector/target/module_files_memory.h"
#include "machine/x86_64/registers.h"

#include <algorithm>
#include <fmt/format.h>
#include <map>
#include <unordered_map>
#include <utility>

namespace inspect {

namespace {

/// What the kernel said of a thread while it still ran: during the stop all of them are just "traced".
struct ThreadFacts {
  std::string name;
  char state = '?';
};

using FactsByThread = std::unordered_map<pid_t, ThreadFacts>;

FactsByThread read_thread_facts(pid_t process) {
  FactsByThread facts;
  const auto threads = list_threads(process);
  if (!threads)
    return facts; // it ends just now: the stop will say so
  for (const pid_t thread : *threads)
    if (auto stat = read_thread_stat(process, thread))
      facts[thread] = {std::move(stat->name), stat->state};
  return facts;
}

/// Reads the running target, and counts: what comes from here may be newer than the snapshot.
class LateMemory final : public MemoryView {
public:
  LateMemory(const MemoryView &live, const std::vector<Mapping> &maps) : live_(live), maps_(maps) {}
  Result<void> read(RunAddress address, std::span<std::byte> into) const override {
    auto result = live_.read(address, into);
    if (result && !is_code(address))
      ++reads_;
    return result;
  }
  std::size_t take_reads() { return std::exchange(reads_, 0); }

private:
  /// Code is looked at to find out what it is; no frame comes from there.
  bool is_code(RunAddress address) const {
    const auto after = std::ranges::upper_bound(maps_, address, {}, [](const Mapping &one) { return one.range.begin; });
    return after != maps_.begin() && std::prev(after)->executable && std::prev(after)->range.contains(address);
  }

  const MemoryView &live_;
  const std::vector<Mapping> &maps_;
  mutable std::size_t reads_ = 0;
};

std::string why_not_captured(const StoppedThread &stopped) {
  if (!stopped.reason.empty())
    return stopped.reason;
  switch (stopped.state) {
  case StopState::ended:
    return "it ended before it could be read";
  case StopState::did_not_stop:
    return "it did not stop in time";
  default:
    return "it could not be traced";
  }
}

/// The process' Go runtimes and the copying of their goroutines, where it has any and goroutines are wanted.
struct GoPart {
  std::vector<std::unique_ptr<GoStackSource>> sources;
  std::unique_ptr<JoinedStackSource> joined; ///< of several
  std::string reason; ///< why there is none although the process is a Go program; empty otherwise

  StackSource *source() const {
    return joined != nullptr ? static_cast<StackSource *>(joined.get()) : sources.empty() ? nullptr : sources[0].get();
  }
};

Result<GoPart> prepare_go(Target &target, GoroutineWish wish) {
  GoPart part;
  const auto runtimes = target.go_runtimes();
  if (runtimes) {
    const bool only_threads = wish == GoroutineWish::none;
    for (const auto &runtime : *runtimes)
      part.sources.push_back(std::make_unique<GoStackSource>(
          *runtime, target.memory(), only_threads ? GoroutineCopy::Stacks::on_threads : GoroutineCopy::Stacks::all));
    if (part.sources.size() > 1)
      part.joined = std::make_unique<JoinedStackSource>(part.sources);
    return part;
  }
  if (wish == GoroutineWish::required) {
    if (runtimes.error().kind() != ErrorKind::not_found)
      return std::unexpected(runtimes.error());
    return std::unexpected(Error(
        ErrorKind::unsupported,
        fmt::format("process {} ({}) is not a Go program and has no goroutines", target.process(), target.command()),
        "leave out --goroutines to see its threads"));
  }
  if (runtimes.error().kind() != ErrorKind::not_found)
    part.reason = runtimes.error().message();
  return part;
}

class Reporter {
public:
  Reporter(Target &target, const ReportOptions &options, GoPart &go)
      : go_(go), target_(target), options_(options), files_(target.process()), file_memory_(target.modules()),
        late_memory_(target.memory(), target.maps()) {}

  ProcessReport report(std::span<const StoppedThread> threads, std::shared_ptr<const SnapshotMemory> captured,
                       FactsByThread facts, std::string why_not_stopped) {
    ProcessReport report = about_process(std::move(captured), std::move(why_not_stopped));
    const LayeredMemory memory({report.captured.get(), &file_memory_, &late_memory_});
    const LayeredMemory copied({report.captured.get(), &file_memory_});
    const Views views{memory, copied};
    const std::vector<GoStackSource *> known = known_sources();
    FrameNamer namer(target_, known.empty() ? nullptr : &known.front()->runtime, *report.texts, nullptr, memory);
    Reporters goroutines; // of each runtime that the target has; null where its goroutines are not known
    for (const auto &source : go_.sources)
      goroutines.push_back(
          source->prepared()
              ? std::make_unique<GoroutineReporter>(
                    GoroutineReporter::Input{target_, source->runtime, source->copy(), memory,
                                             report.why_not_stopped.empty() ? memory : copied, *report.texts, options_},
                    threads)
              : nullptr);
    for (const auto &reporter : goroutines)
      if (reporter != nullptr)
        reporter->join(goroutines);
    const std::vector<const StoppedThread *> ascending = in_order(threads);
    report.threads.reserve(threads.size());
    for (const StoppedThread *stopped : ascending) {
      if (options_.cancellation != nullptr && options_.cancellation->requested()) {
        report.warnings.push_back(fmt::format("cancelled: {} of {} threads are missing",
                                              threads.size() - report.threads.size(), threads.size()));
        break;
      }
      if (options_.progress)
        options_.progress("threads", report.threads.size(), threads.size());
      report.threads.push_back(report_thread(*stopped, views, namer, facts[stopped->thread], goroutines));
      drop_surplus_registers(report.threads.back());
    }
    const std::vector<GoroutineStackRange> stacks = report_goroutines(known, goroutines, report);
    prepare_values(known, stacks, report);
    if (!go_.reason.empty() && options_.goroutines != GoroutineWish::none)
      report.warnings.push_back("the goroutines are missing: " + go_.reason);
    report.note = script_frames_note(target_);
    add_warnings(report);
    return report;
  }

private:
  using Reporters = std::vector<std::unique_ptr<GoroutineReporter>>;
  struct Views {
    const MemoryView &memory; ///< the snapshot, the files, the live process
    const MemoryView &copied; ///< the same without the live process
  };

  ProcessReport about_process(std::shared_ptr<const SnapshotMemory> captured, std::string why_not_stopped) {
    ProcessReport report;
    report.why_not_stopped = std::move(why_not_stopped);
    report.process = target_.process();
    report.command = target_.command();
    report.executable = target_.executable();
    report.taken_at = std::chrono::system_clock::now();
    report.captured = std::move(captured);
    report.texts = std::make_shared<TextPool>();
    report.runtime = executable_runtime();
    if (report.runtime.language != "go")
      for (const auto &source : go_.sources) {
        const std::string &version = source->runtime.version_text();
        report.runtime.hosts.push_back(
            {version.substr(0, version.find(' ')), source->runtime.own_image().module->path()});
      }
    report.mappings = report_mappings(target_);
    return report;
  }

  /// Takes the goroutines; gives where all of their stacks lie, if values are wanted.
  std::vector<GoroutineStackRange> report_goroutines(const std::vector<GoStackSource *> &known, Reporters &goroutines,
                                                     ProcessReport &report) {
    std::vector<GoroutineStackRange> stacks;
    if (known.empty() || options_.goroutines == GoroutineWish::none)
      return stacks;
    if (options_.argument_words && options_.argument_values)
      stacks = goroutine_stacks(known);
    report.go.emplace();
    for (std::size_t i = 0; i < goroutines.size(); ++i)
      if (goroutines[i] != nullptr)
        goroutines[i]->report(report.threads, report.warnings, *report.go);
      else
        report.go->runtimes.push_back({.version = go_.sources[i]->runtime.version_text(),
                                       .image = go_.sources[i]->runtime.own_image().module->path(),
                                       .layout_note = {}});
    return stacks;
  }

  void prepare_values(const std::vector<GoStackSource *> &known, const std::vector<GoroutineStackRange> &stacks,
                      ProcessReport &report) {
    if (!options_.argument_values)
      return;
    report.values = std::make_shared<DumpVariables>(target_, report.captured, stacks_with_goroutines(report));
    if (report.go && options_.argument_words)
      report.go->values = make_argument_values(target_, known.front()->runtime, report.captured, stacks, report.values);
  }

  /// As groups have them, which show the values of their first threads; notes their ids.
  std::vector<const StoppedThread *> in_order(std::span<const StoppedThread> threads) {
    std::vector<const StoppedThread *> ascending;
    for (const StoppedThread &stopped : threads) {
      ids_.push_back(stopped.thread);
      ascending.push_back(&stopped);
    }
    std::ranges::sort(ascending, {}, &StoppedThread::thread);
    return ascending;
  }

  void add_warnings(ProcessReport &report) const {
    if (shortened_threads_ > 0)
      report.warnings.push_back(fmt::format("the stacks of {} {} cut short: together they have more than {} frames",
                                            shortened_threads_, shortened_threads_ == 1 ? "thread are" : "threads are",
                                            options_.max_thread_frames));
    if (late_threads_ > 0)
      report.warnings.push_back(
          fmt::format("{} {} partly read after the process ran on, and may be inconsistent; --stopped avoids that",
                      late_threads_, late_threads_ == 1 ? "stack was" : "stacks were"));
    std::ranges::move(target_.take_warnings(), std::back_inserter(report.warnings));
  }

  static std::vector<GoroutineStackRange> goroutine_stacks(std::span<GoStackSource *const> sources) {
    std::vector<GoroutineStackRange> stacks;
    for (GoStackSource *source : sources) {
      stacks.reserve(stacks.size() + source->copy().goroutines().size());
      for (const Goroutine &goroutine : source->copy().goroutines())
        stacks.push_back({goroutine.stack, goroutine.id});
    }
    return stacks;
  }

  /// Those whose goroutines were found.
  std::vector<GoStackSource *> known_sources() {
    std::vector<GoStackSource *> known;
    for (const auto &source : go_.sources)
      if (const auto &prepared = source->prepared())
        known.push_back(source.get());
      else
        go_.reason = prepared.error().message();
    return known;
  }

  RuntimeInfo executable_runtime() const {
    for (const Mapping &mapping : target_.maps())
      if (mapping.path == target_.executable() && mapping.inode != 0)
        if (const auto file = target_.files().open_mapped(mapping))
          return detect_runtime(file->descriptor.get(), target_.command()).value_or(RuntimeInfo{});
    return {};
  }

  ThreadReport report_thread(const StoppedThread &stopped, const Views &views, FrameNamer &namer, ThreadFacts &facts,
                             const Reporters &goroutines) {
    ThreadReport thread;
    thread.thread = stopped.thread;
    if (facts.name.empty()) // born between the listing and the stop
      if (auto stat = read_thread_stat(target_.process(), stopped.thread))
        facts = {std::move(stat->name), stopped.system_call >= 0 ? 'S' : 'R'};
    thread.name = std::move(facts.name);
    thread.state = facts.state;
    thread.state_text = state_in_words(stopped.was_group_stopped ? 'T' : facts.state);
    note_reading(stopped, thread);
    if (thread.reading == ThreadReading::not_read) {
      thread.end = thread.stack.end = StackEnd::not_captured;
      thread.end_reason = thread.stack.end_reason = why_not_captured(stopped);
      return thread;
    }
    const SystemCall call = x86_64::decode_system_call(stopped.system_call, stopped.registers, views.memory);
    thread.waiting_in = describe_system_call(call, views.memory, &files_);
    if (const auto owner = futex_owner(call, stopped.thread, views.memory, ids_)) {
      thread.lock_holder = owner->thread;
      thread.lock_holder_guessed = !owner->certain;
    }
    late_memory_.take_reads(); // arguments of system calls are read live by design
    const std::size_t affordable = std::max(frames_left_, min_frames);
    UnwindLimits limits{.max_frames = std::min(options_.max_depth, affordable),
                        .outermost_frames = options_.outermost_frames,
                        .max_elided = elidable_left_,
                        .keep_registers = options_.max_equal_with_registers > 0,
                        .cancellation = options_.cancellation};
    for (std::size_t i = 0; i < goroutines.size() && thread.goroutine == 0; ++i) {
      if (goroutines[i] == nullptr)
        continue;
      if (limits.extension == nullptr)
        limits.extension = goroutines[i]->unwinding_of(stopped); // with those of the others
      thread.goroutine = goroutines[i]->goroutine_on(stopped.thread);
      thread.go_runtime = i;
    }
    // Of one that was not stopped only what was copied while it slept counts.
    const bool was_stopped = thread.reading == ThreadReading::stopped;
    thread.stack = unwind(stopped.registers, was_stopped ? views.memory : views.copied, target_.modules(), limits);
    if (late_memory_.take_reads() > 0 && !options_.symbolize_while_stopped)
      ++late_threads_;
    thread.end = thread.stack.end;
    thread.end_reason = thread.stack.end_reason;
    frames_left_ -= std::min(frames_left_, thread.stack.frames.size());
    elidable_left_ -= std::min(elidable_left_, thread.stack.elided);
    const bool cut = thread.end == StackEnd::depth_limit;
    if ((cut || thread.stack.elided > 0) && affordable < options_.max_depth)
      ++shortened_threads_;
    if (cut && affordable < options_.max_depth)
      thread.end_reason = fmt::format("all threads together have more than {} frames", options_.max_thread_frames);
    namer.name(thread.stack, thread.frames);
    return thread;
  }

  /// What a thread did that was not stopped is known better from when it was read than from before.
  static void note_reading(const StoppedThread &stopped, ThreadReport &thread) {
    thread.reading = stopped.state == StopState::stopped             ? ThreadReading::stopped
                     : stopped.state == StopState::read_without_stop ? ThreadReading::without_stop
                                                                     : ThreadReading::not_read;
    if (stopped.state != StopState::read_without_stop && stopped.state != StopState::not_asleep)
      return;
    thread.state = stopped.task_state;
    thread.state_text = state_in_words(stopped.task_state);
    if (thread.reading == ThreadReading::not_read)
      return;
    thread.why_not_stopped = stopped.reason;
    thread.kernel = stopped.kernel;
    if (stopped.task_state == 'D')
      thread.waiting_for = uninterruptible_wait_in_words(stopped.kernel);
  }

  /// `thread` is where it will stay.
  static std::map<pid_t, Stack> stacks_with_goroutines(const ProcessReport &report) {
    std::map<pid_t, Stack> stacks;
    for (const ThreadReport &thread : report.threads)
      if (thread.goroutine != 0)
        stacks.emplace(thread.thread, thread.stack);
    return stacks;
  }

  void drop_surplus_registers(ThreadReport &thread) {
    if (options_.max_equal_with_registers == 0 || thread.goroutine != 0)
      return;
    if (++equal_threads_[stack_identity(thread)] > options_.max_equal_with_registers)
      for (Frame &frame : thread.stack.frames)
        frame.registers.reset();
  }

  GoPart &go_;
  Target &target_;
  const ReportOptions &options_;
  FileTable files_;
  ModuleFilesMemory file_memory_;
  LateMemory late_memory_;
  std::vector<pid_t> ids_;
  std::size_t late_threads_ = 0;
  std::size_t frames_left_ = options_.max_thread_frames;
  std::size_t elidable_left_ = max_elided_frames;
  std::size_t shortened_threads_ = 0;
  /// How many threads there are of each stack; the frames are those of the report.
  std::unordered_map<decltype(stack_identity(std::declval<ThreadReport &>())), std::size_t, IdentityHash>
      equal_threads_;
};

/// A library may have been loaded between the reading of the maps and the stop; where a thread runs in code of no known
/// module, it is worth another look.
void follow_new_libraries(Target &target, std::span<const StoppedThread> threads) {
  const bool all_known = std::ranges::all_of(threads, [&](const StoppedThread &thread) {
    const auto pc = thread.registers.get(x86_64::return_address);
    return !pc || target.modules().find(RunAddress{*pc}) != nullptr;
  });
  // A process that has ended meanwhile is reported with what was known of it before.
  if (!all_known && read_process_stat(target.process()))
    static_cast<void>(target.refresh());
}

/// Thinks about what was copied.
ProcessReport finish(Target &target, const ReportOptions &options, GoPart &go, Snapshot snapshot, FactsByThread facts) {
  if (go.sources.empty()) // a Go runtime speaks of the modules that it was found in
    follow_new_libraries(target, snapshot.threads);
  auto captured = std::make_shared<const SnapshotMemory>(std::move(snapshot.memory));
  ProcessReport report =
      Reporter(target, options, go)
          .report(snapshot.threads, std::move(captured), std::move(facts), std::move(snapshot.why_not_stopped));
  std::ranges::move(snapshot.warnings, std::back_inserter(report.warnings));
  return report;
}

/// It was killed while it was looked at, and stacks are cut short by that: not a report of anything.
std::optional<Error> killed_meanwhile(const ProcessReport &report) {
  const auto is_cut = [](const ThreadReport &thread) {
    return thread.end == StackEnd::unreadable_memory || thread.frames.empty();
  };
  if (std::ranges::none_of(report.threads, is_cut))
    return std::nullopt;
  const auto living = living_thread(report.process);
  if (living || living.error().kind() != ErrorKind::no_such_process)
    return std::nullopt;
  return Error(ErrorKind::no_such_process, fmt::format("process {} has ended", report.process));
}

/// The process has been let go.
void mark_values_as_later(ProcessReport &report) {
  report.values_are_later = report.values != nullptr;
  if (report.go)
    report.go->values_are_later = report.go->values != nullptr;
}

} // namespace

Result<ProcessReport> report_stacks(Target &target, const ReportOptions &options) {
  open_cfi_tables(target.modules());
  auto go = prepare_go(target, options.goroutines);
  if (!go)
    return std::unexpected(go.error());
  SnapshotOptions snapshot_options = options.snapshot;
  snapshot_options.source = go->source();
  FactsByThread facts = read_thread_facts(target.process());
  if (options.symbolize_while_stopped && why_not_stoppable(target.process()).empty()) {
    auto stopped = StoppedProcess::stop(target.process(), snapshot_options.stop);
    if (!stopped)
      return std::unexpected(stopped.error());
    auto snapshot = copy_stopped(*stopped, target.process(), target.memory(), target.maps(), snapshot_options);
    if (!snapshot)
      return std::unexpected(snapshot.error());
    ProcessReport report = finish(target, options, *go, std::move(*snapshot), std::move(facts));
    stopped->release();
    report.pause = stopped->pause();
    mark_values_as_later(report);
    if (auto killed = killed_meanwhile(report))
      return std::unexpected(std::move(*killed));
    return report;
  }
  auto snapshot = take_look(target.process(), target.memory(), target.maps(),
                            {.stop = options.stop, .snapshot = snapshot_options, .cancellation = options.cancellation});
  if (!snapshot)
    return std::unexpected(snapshot.error());
  const auto pause = snapshot->pause;
  ProcessReport report = finish(target, options, *go, std::move(*snapshot), std::move(facts));
  report.pause = pause;
  mark_values_as_later(report);
  if (auto killed = killed_meanwhile(report))
    return std::unexpected(std::move(*killed));
  return report;
}

Result<ProcessReport> report_stopped(const StoppedProcess &stopped, Target &target, const ReportOptions &options) {
  auto go = prepare_go(target, options.goroutines);
  if (!go)
    return std::unexpected(go.error());
  SnapshotOptions snapshot_options = options.snapshot;
  snapshot_options.source = go->source();
  auto snapshot = copy_stopped(stopped, target.process(), target.memory(), target.maps(), snapshot_options);
  if (!snapshot)
    return std::unexpected(snapshot.error());
  FactsByThread facts = read_thread_facts(target.process());
  for (const StoppedThread &thread : stopped.threads())
    if (auto known = facts.find(thread.thread); known != facts.end() && known->second.state == 't')
      known->second.state = thread.system_call >= 0 ? 'S' : 'R'; // held by us: what it did before is in its registers
  ReportOptions held = options;
  held.symbolize_while_stopped = true;
  return finish(target, held, *go, std::move(*snapshot), std::move(facts));
}

} // namespace inspect
