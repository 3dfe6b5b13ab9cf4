#include "attach/unstopped/look.h"

#include "attach/cgroup/freezer.h"
#include "attach/procfs/permission.h"
#include "attach/procfs/process_list.h"
#include "attach/procfs/process_status.h"
#include "attach/snapshot/stack_ranges.h"
#include "attach/unstopped/sleeping_threads.h"
#include "attach/unstopped/thread_look.h"
#include "machine/x86_64/registers.h"

#include <algorithm>
#include <fmt/format.h>
#include <iterator>
#include <span>

namespace inspect {
namespace {

/// Also where its groups cannot be seen: a frozen thread waits in a place of its own.
bool waits_frozen(pid_t process) {
  const auto looks = ThreadLooks::open(process);
  const auto thread = living_thread(process);
  return looks && thread && waits_in_freezer(looks->kernel_wait(*thread, KernelWaitDetail::channel_only));
}

UnstoppedOptions unstopped_options(const LookOptions &options) {
  return {.stack_limit_bytes = options.snapshot.stack_limit_bytes,
          .total_limit_bytes = options.snapshot.total_limit_bytes,
          .cancellation = options.cancellation};
}

ScheduleMarks marks_of(pid_t process) {
  const auto looks = ThreadLooks::open(process);
  const auto threads = list_threads(process);
  return looks && threads ? looks->marks(*threads) : ScheduleMarks();
}

/// No stack that lies where nobody answers holds up the others. Where no process can be started for it, they are read
/// as they are.
Result<SleepingThreads> read_sleeping(pid_t process, const LiveMemory &memory, const std::vector<Mapping> &maps,
                                      const UnstoppedOptions &options) {
  memory.look_for_page_fault_handler();
  const auto limited = memory.limit_reads(LiveMemory::command_patience);
  auto sleeping = read_sleeping_threads(process, memory, maps, options);
  if (sleeping && limited && (*limited)->expired())
    sleeping->warnings.emplace_back(not_answered);
  return sleeping;
}

Result<Snapshot> look_without_stop(pid_t process, const LiveMemory &memory, const std::vector<Mapping> &maps,
                                   const LookOptions &options, std::string why) {
  UnstoppedOptions unstopped = unstopped_options(options);
  StackSource *source = options.snapshot.source;
  ScheduleMarks marks;
  if (source != nullptr) {
    source->prepare();
    marks = marks_of(process);
    source->list();
    unstopped.marks = &marks;
    unstopped.source = source;
  }
  auto sleeping = read_sleeping(process, memory, maps, unstopped);
  if (!sleeping)
    return std::unexpected(sleeping.error());
  if (source != nullptr) {
    const auto room = [&](std::uint64_t size) { return sleeping->buffer.take(size); };
    auto more = source->copy_running(sleeping->held, options.snapshot.source_limit_bytes, room);
    const auto middle = static_cast<std::ptrdiff_t>(sleeping->ranges.size());
    std::ranges::move(more, std::back_inserter(sleeping->ranges));
    std::ranges::inplace_merge(sleeping->ranges, sleeping->ranges.begin() + middle, {},
                               [](const SnapshotMemory::Range &one) { return one.range.begin; });
  }
  Snapshot snapshot;
  snapshot.threads = std::move(sleeping->threads);
  snapshot.memory = sleeping->take_memory();
  snapshot.warnings = std::move(sleeping->warnings);
  snapshot.why_not_stopped = std::move(why);
  return snapshot;
}

/// Adds what was read without a stop to what was copied in one. A stack reaches, as far as its mapping tells, to the
/// end of the mapping, and so over the stacks of other threads where they share one: what lies from a stack pointer
/// upwards is of the thread that it belongs to, as far as the next one's.
void join(Snapshot &snapshot, SleepingThreads &sleeping) {
  std::vector<RunAddress> begins;
  for (const StoppedThread &thread : snapshot.threads)
    if (const auto pointer = thread.registers.get(x86_64::rsp); pointer && thread.state == StopState::stopped)
      begins.push_back(RunAddress{*pointer} - red_zone_bytes);
  std::ranges::sort(begins);
  for (SnapshotMemory::Range &one : sleeping.ranges)
    if (const auto next = std::ranges::upper_bound(begins, one.range.begin); next != begins.end())
      one.range.end = std::min(one.range.end, *next);
  SnapshotMemory memory = sleeping.take_memory();
  memory.add(std::move(snapshot.memory));
  snapshot.memory = std::move(memory);
  std::ranges::move(sleeping.warnings, std::back_inserter(snapshot.warnings));
}

/// Reads without a stop what did not stop.
void complete(Snapshot &snapshot, pid_t process, const LiveMemory &memory, const std::vector<Mapping> &maps,
              const LookOptions &options, const ScheduleMarks &marks) {
  UnstoppedOptions unstopped = unstopped_options(options);
  unstopped.kernel_stacks = true; // which tells why it did not stop
  unstopped.source = options.snapshot.source;
  if (unstopped.source != nullptr)
    unstopped.marks = &marks;
  for (const StoppedThread &thread : snapshot.threads)
    if (thread.state == StopState::did_not_stop || thread.state == StopState::not_traceable)
      unstopped.only.push_back(thread.thread);
  if (unstopped.only.empty())
    return;
  auto sleeping = read_sleeping(process, memory, maps, unstopped);
  if (!sleeping) {
    snapshot.warnings.push_back("what did not stop could not be read without a stop either: " +
                                sleeping.error().message());
    return;
  }
  // What a runtime said in the stop of a thread that ran on since does not go together with where it is now.
  if (std::ranges::any_of(sleeping->threads, &StoppedThread::ran_since_mark))
    return;
  for (StoppedThread &read : sleeping->threads) {
    if (read.state != StopState::read_without_stop)
      continue;
    const auto found = std::ranges::find(snapshot.threads, read.thread, &StoppedThread::thread);
    std::erase(snapshot.warnings, no_stack_warning(*found));
    read.reason = read.task_state == 'D' ? "it cannot be interrupted" : std::move(found->reason);
    *found = std::move(read);
  }
  join(snapshot, *sleeping);
}

Result<Snapshot> look_with_stop(pid_t process, const LiveMemory &memory, const std::vector<Mapping> &maps,
                                const LookOptions &options) {
  // What a runtime says of a thread in the stop holds for one that did not stop only if it has slept since before.
  const ScheduleMarks marks = options.snapshot.source != nullptr ? marks_of(process) : ScheduleMarks();
  auto snapshot = take_snapshot(process, memory, maps, options.snapshot);
  if (snapshot)
    complete(*snapshot, process, memory, maps, options, marks);
  return snapshot;
}

/// Those that were not read, and those that were born meanwhile.
std::vector<pid_t> threads_left(pid_t process, std::span<const StoppedThread> threads) {
  std::vector<pid_t> left;
  if (auto now = list_threads(process))
    for (const pid_t thread : *now) {
      const auto known = std::ranges::lower_bound(threads, thread, {}, &StoppedThread::thread);
      if (known == threads.end() || known->thread != thread || known->state == StopState::not_asleep)
        left.push_back(thread);
    }
  return left;
}

Result<Snapshot> look_automatically(pid_t process, const LiveMemory &memory, const std::vector<Mapping> &maps,
                                    const LookOptions &options) {
  auto sleeping = read_sleeping(process, memory, maps, unstopped_options(options));
  if (!sleeping)
    return std::unexpected(sleeping.error());
  const std::vector<pid_t> left = threads_left(process, sleeping->threads);
  if (options.snapshot.source != nullptr)
    // What a runtime runs moves from thread to thread: it is told from one instant, or without a stop.
    return left.empty() ? look_without_stop(process, memory, maps, options, "none of them ran")
                        : look_with_stop(process, memory, maps, options);
  LookOptions of_the_rest = options;
  of_the_rest.snapshot.stop.only = left;
  auto snapshot = left.empty() ? Result<Snapshot>(Snapshot{}) : look_with_stop(process, memory, maps, of_the_rest);
  if (!snapshot) {
    // Those that ran may have ended, and then there is nothing to say.
    const ErrorKind kind = snapshot.error().kind();
    Snapshot none_stopped;
    if (kind != ErrorKind::not_found && kind != ErrorKind::no_such_process)
      none_stopped.warnings.push_back("the threads that ran could not be stopped: " + snapshot.error().message());
    snapshot = std::move(none_stopped);
  }
  std::erase_if(sleeping->threads, [&](const StoppedThread &one) {
    return std::ranges::binary_search(snapshot->threads, one.thread, {}, &StoppedThread::thread);
  });
  if (left.empty())
    snapshot->why_not_stopped = "none of them ran";
  join(*snapshot, *sleeping);
  std::ranges::move(sleeping->threads, std::back_inserter(snapshot->threads));
  std::ranges::sort(snapshot->threads, {}, &StoppedThread::thread);
  return snapshot;
}

} // namespace

std::string why_not_stoppable(pid_t process) {
  if (const auto frozen = find_freezer(process))
    return fmt::format("frozen by its control group {} (as docker pause does)", frozen->path);
  if (waits_frozen(process))
    return "frozen by its control group (as docker pause does)";
  const auto status = read_living_status(process);
  if (!status || status->tracer == 0)
    return {};
  const pid_t tracer = process_of_thread(status->tracer);
  const auto stat = read_process_stat(tracer);
  return stat ? fmt::format("traced by {} ({})", stat->name, tracer) : fmt::format("traced by process {}", tracer);
}

Result<Snapshot> take_look(pid_t process, const LiveMemory &memory, const std::vector<Mapping> &maps,
                           const LookOptions &options) {
  if (options.stop == StopChoice::none)
    return look_without_stop(process, memory, maps, options, "as was asked");
  // Before anything is seized: of a process that is stopped by a signal and frozen PTRACE_SEIZE itself waits.
  if (std::string why = why_not_stoppable(process); !why.empty())
    return look_without_stop(process, memory, maps, options, std::move(why));
  auto snapshot = options.stop == StopChoice::automatic ? look_automatically(process, memory, maps, options)
                                                        : look_with_stop(process, memory, maps, options);
  if (snapshot || snapshot.error().kind() != ErrorKind::already_traced)
    return snapshot;
  // Somebody was quicker.
  std::string why = why_not_stoppable(process);
  return look_without_stop(process, memory, maps, options, why.empty() ? "traced by another program" : std::move(why));
}

} // namespace inspect
