#include "attach/ptrace/thread_stops.h"

#include "attach/procfs/permission.h"
#include "attach/procfs/proc_file.h"
#include "attach/procfs/process_list.h"
#include "attach/procfs/process_status.h"

#include <algorithm>
#include <cerrno>
#include <ctime>
#include <fcntl.h>
#include <fmt/format.h>
#include <sched.h>
#include <sys/stat.h>

namespace inspect {
namespace {

/// A thread in uninterruptible sleep holds up the stop of all others for so long at most.
constexpr auto uninterruptible_grace = std::chrono::milliseconds(20);

/// Even threads that only want a processor to stop on take their time when there are thousands.
constexpr auto allowance_per_thread = std::chrono::microseconds(50);

/// A single PTRACE_SEIZE takes microseconds, and as long as an execve in the process.
constexpr auto seize_patience = std::chrono::milliseconds(800);

/// Gives the processor to the threads that are about to stop: first by yielding, since most stops take microseconds,
/// then by sleeping, so that on a busy machine they get to run.
class Patience {
public:
  void wait() {
    constexpr int yields = 20;
    constexpr long shortest_sleep = 20'000; // nanoseconds
    constexpr long max_sleep = 1'000'000;
    if (rounds_++ < yields) {
      ::sched_yield();
      return;
    }
    sleep_ = sleep_ == 0 ? shortest_sleep : std::min(sleep_ * 2, max_sleep);
    const timespec time{0, sleep_};
    ::nanosleep(&time, nullptr);
  }
  void progress() { sleep_ = 0; }
  /// It has slept in growing steps for about two milliseconds without progress.
  bool at_its_end() const { return sleep_ >= 1'000'000; }

private:
  int rounds_ = 0;
  long sleep_ = 0;
};

bool is_alive(pid_t process, pid_t thread) {
  const auto stat = read_thread_stat(process, thread);
  return stat && !has_ended(stat->state);
}

} // namespace

Result<void> ThreadStops::seize_all() {
  // A program that starts threads without end is caught by the listings inside the stop.
  constexpr int max_passes = 16;
  task_directory_ = FileDescriptor(::open(proc_path(process_, "task").c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!task_directory_)
    return std::unexpected(proc_error(process_, errno, fmt::format("listing the threads of process {}", process_)));
  for (int pass = 0; pass < max_passes; ++pass) {
    const auto added = seize_new_threads();
    if (!added)
      return std::unexpected(added.error());
    if (*added == 0 || !options_.only.empty())
      break;
  }
  if (!seized_.empty())
    return {};
  if (first_failure_)
    return std::unexpected(*first_failure_);
  if (!options_.only.empty() && process_exists(process_))
    return std::unexpected(Error(ErrorKind::not_found, fmt::format("process {} has no such thread", process_)));
  return std::unexpected(Error(ErrorKind::no_such_process, fmt::format("process {} has ended", process_)));
}

std::expected<std::size_t, Error> ThreadStops::seize_new_threads() {
  const auto threads = list_threads(process_);
  if (!threads)
    return std::unexpected(threads.error());
  seized_.reserve(threads->size() + threads->size() / 8);
  std::size_t added = 0;
  for (const pid_t thread : *threads) {
    if (!options_.only.empty() && std::ranges::find(options_.only, thread) == options_.only.end())
      continue;
    if (!met_.insert(thread).second)
      continue;
    seize_one(thread);
    if (given_up_.load())
      return std::unexpected(seizing_error());
    ++added;
    // Where nothing is permitted there is no point in asking for each thread.
    if (seized_.empty() && first_failure_ && first_failure_->kind() == ErrorKind::not_permitted)
      return std::unexpected(*first_failure_);
  }
  return added;
}

void ThreadStops::seize_one(pid_t thread) {
  // EPERM is also the answer for a thread that is ending, and at the end of an execve a new one may have its id by the
  // time we ask why (stopped_process_test.cpp: "execve").
  constexpr int attempts = 3;
  int error_number = 0;
  for (int attempt = 0; attempt < attempts; ++attempt) {
    seizing_since_.store(Clock::now().time_since_epoch().count());
    auto seized = SeizedThread::seize(thread);
    seizing_since_.store(0);
    if (seized) {
      seized_.push_back(std::move(*seized));
      const std::scoped_lock lock(ids_mutex_);
      seized_ids_.push_back(thread);
      return;
    }
    error_number = seized.error();
    if (error_number != EPERM || !is_alive(process_, thread))
      break;
  }
  note_failure(thread, error_number);
}

TracingThread::Waiting ThreadStops::unblock_seizing() {
  const Clock::rep since = seizing_since_.load();
  if (since == 0)
    return TracingThread::Waiting::go_on;
  {
    const std::scoped_lock lock(ids_mutex_);
    for (const pid_t thread : seized_ids_)
      if (thread != process_)
        SeizedThread::reap(thread);
  }
  if (Clock::now() - Clock::time_point(Clock::duration(since)) < seize_patience)
    return TracingThread::Waiting::go_on;
  given_up_.store(true);
  return TracingThread::Waiting::give_up;
}

Error ThreadStops::seizing_error() const {
  return {ErrorKind::unsupported,
          fmt::format("{} does not let itself be traced: it is stopped by a signal and frozen by its control group as "
                      "well, or sits in an execve that does not end",
                      describe_process(process_)),
          "thaw its control group (docker unpause), or look at it with --no-stop"};
}

void ThreadStops::note_failure(pid_t thread, int error_number) {
  const auto status = read_thread_status(process_, thread);
  // One that ended before it was touched is not worth a word, except the main thread, which stays in the list until
  // the others have ended.
  if (!status || error_number == ESRCH || !is_alive(process_, thread)) {
    if (thread == process_)
      add_unseized(thread, StopState::ended, "the main thread has ended, the others live on");
    return;
  }
  const Error error =
      status->tracer != 0
          ? Error(ErrorKind::already_traced, fmt::format("thread {} of process {} is already traced by {}", thread,
                                                         process_, describe_process(process_of_thread(status->tracer))))
          : explain_not_permitted(process_, error_number, fmt::format("seizing thread {}", thread));
  add_unseized(thread, StopState::not_traceable, error.message());
  if (!first_failure_)
    first_failure_ = error;
}

void ThreadStops::add_unseized(pid_t thread, StopState state, std::string reason) {
  StoppedThread &one = not_seized_.emplace_back();
  one.thread = thread;
  one.state = state;
  one.reason = std::move(reason);
}

Result<void> ThreadStops::stop_all() {
  begin_ = Clock::now();
  deadline_ = begin_ + options_.budget + seized_.size() * allowance_per_thread;
  interrupt_from(0);
  wait_from(0);
  // Threads born between the last listing and the stop of their parents were not seized with the others.
  while (options_.only.empty() && Clock::now() < deadline_ && may_have_new_threads()) {
    const std::size_t first = seized_.size();
    const auto added = seize_new_threads();
    if (!added || *added == 0)
      break;
    interrupt_from(first);
    wait_from(first);
  }
  for (SeizedThread &thread : seized_)
    thread.read_registers();
  if (options_.vector_registers)
    for (SeizedThread &thread : seized_)
      thread.read_vector_registers();
  if (std::ranges::any_of(seized_, &SeizedThread::is_32_bit)) {
    release_all();
    return std::unexpected(Error(ErrorKind::unsupported, fmt::format("{} runs 32-bit code, which inspect does not read",
                                                                     describe_process(process_))));
  }
  const auto ended = [](const SeizedThread &thread) { return thread.state() == SeizedThread::State::ended; };
  // Its number may stay until its parent takes note of its end.
  if (std::ranges::all_of(seized_, ended) && !living_thread(process_)) {
    release_all();
    return std::unexpected(Error(ErrorKind::no_such_process, fmt::format("process {} has ended", process_)));
  }
  return {};
}

void ThreadStops::interrupt_from(std::size_t first) {
  for (std::size_t i = first; i < seized_.size(); ++i)
    seized_[i].interrupt();
}

SeizedThread::State ThreadStops::poll(std::size_t i) {
  SeizedThread &thread = seized_[i];
  if (thread.state() == SeizedThread::State::running && thread.poll() == SeizedThread::State::ended &&
      thread.id() != process_)
    SeizedThread::reap(thread.id());
  return thread.state();
}

void ThreadStops::wait_from(std::size_t first) {
  // Mostly they stop in the order in which they were asked to.
  Patience patience;
  std::size_t next = first;
  while (next < seized_.size() && !patience.at_its_end()) {
    if (poll(next) == SeizedThread::State::running) {
      if (Clock::now() >= deadline_)
        break;
      patience.wait();
      continue;
    }
    patience.progress();
    ++next;
  }
  std::vector<std::uint32_t> missing;
  for (; next < seized_.size(); ++next)
    if (poll(next) == SeizedThread::State::running)
      missing.push_back(static_cast<std::uint32_t>(next));
  wait_for_stragglers(std::move(missing));
}

void ThreadStops::wait_for_stragglers(std::vector<std::uint32_t> missing) {
  // Round after round over all, never blocking on one: a thread in execve waits for the others to be reaped, by us
  // (stopped_process_test.cpp: "execve").
  Patience patience;
  auto last_progress = Clock::now();
  while (!missing.empty() && Clock::now() < deadline_) {
    patience.wait();
    const auto stopped_now = [&](std::uint32_t i) { return poll(i) != SeizedThread::State::running; };
    if (std::erase_if(missing, stopped_now) > 0) {
      last_progress = Clock::now();
      patience.progress();
    } else if (Clock::now() - last_progress > uninterruptible_grace) {
      std::erase_if(missing, [&](std::uint32_t i) {
        const auto stat = read_thread_stat(process_, seized_[i].id());
        return stat && stat->state == 'D';
      });
      last_progress = Clock::now();
    }
  }
}

bool ThreadStops::may_have_new_threads() const {
  // The task directory has two links and one per thread (fs/proc/base.c: proc_task_getattr), which spares listing it
  // inside the pause. A thread that was seized counts until we have reaped it, so that the numbers are equal only when
  // there is no other (stopped_process_test.cpp: "threads that live for less than a millisecond").
  struct stat status;
  if (::fstat(task_directory_.get(), &status) != 0)
    return true;
  const auto gone = std::ranges::count(seized_, SeizedThread::State::ended, &SeizedThread::state);
  return status.st_nlink != seized_.size() - static_cast<std::size_t>(gone) + 2;
}

void ThreadStops::release_all() {
  if (released_)
    return;
  released_ = true;
  for (SeizedThread &thread : seized_)
    thread.release();
  pause_ = std::chrono::duration_cast<std::chrono::microseconds>(Clock::now() - begin_);
}

SeizedThread *ThreadStops::find(pid_t thread) {
  const auto found = std::ranges::find(seized_, thread, &SeizedThread::id);
  return found == seized_.end() ? nullptr : &*found;
}

std::vector<StoppedThread> ThreadStops::describe() const {
  std::vector<StoppedThread> all = not_seized_;
  all.reserve(all.size() + seized_.size());
  for (const SeizedThread &seized : seized_) {
    StoppedThread &thread = all.emplace_back();
    thread.thread = seized.id();
    if (seized.has_registers()) {
      thread.state = StopState::stopped;
      thread.registers = to_register_set(seized.registers());
      if (seized.vector_registers() != nullptr)
        add_vector_registers(*seized.vector_registers(), thread.registers);
      thread.system_call = static_cast<std::int64_t>(seized.registers().orig_rax);
      thread.was_group_stopped = seized.was_group_stopped();
    } else if (seized.state() == SeizedThread::State::ended) {
      thread.state = StopState::ended;
      thread.reason = "it ended while the threads were being stopped";
    } else {
      thread.state = StopState::did_not_stop;
      thread.reason = "it did not stop in time: it sits in the kernel where it cannot be interrupted";
    }
  }
  std::ranges::sort(all, {}, &StoppedThread::thread);
  return all;
}

} // namespace inspect
