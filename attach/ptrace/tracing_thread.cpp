#include "attach/ptrace/tracing_thread.h"

#include <cerrno>
#include <chrono>
#include <condition_variable>
#include <csignal>
#include <exception>
#include <fmt/format.h>
#include <mutex>
#include <pthread.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <thread>
#include <unistd.h>
#include <utility>

namespace inspect {

struct TracingThread::State {
  std::mutex mutex;
  std::condition_variable changed;
  std::function<void()> job;
  bool busy = false;
  std::exception_ptr failure; ///< what the job threw
  bool ending = false;
  bool given_up = false;
  pthread_t thread{};
  pid_t thread_id = 0;

  /// Returns when there is nothing to do any more.
  void run_jobs() {
    // Waits during a stop sleep for microseconds; the default slack would add 50 to each.
    ::prctl(PR_SET_TIMERSLACK, 1);
    std::unique_lock lock(mutex);
    thread_id = ::gettid();
    changed.notify_all();
    for (;;) {
      changed.wait(lock, [&] { return busy || ending; });
      if (!busy)
        return;
      lock.unlock();
      std::exception_ptr thrown;
      try {
        job();
      } catch (...) {
        thrown = std::current_exception();
      }
      job = nullptr;
      lock.lock();
      failure = thrown;
      busy = false;
      changed.notify_all();
    }
  }
};

namespace {

constexpr auto interval = std::chrono::milliseconds(20);

} // namespace

Result<std::unique_ptr<TracingThread>> TracingThread::start() {
  auto state = std::make_shared<State>();
  auto own = std::make_unique<std::shared_ptr<State>>(state);
  // Signals are for the program's other threads. SIGCHLD comes with every stop of a tracee: left unblocked, the kernel
  // drops it at once here; blocked, it would wake another thread each time.
  sigset_t blocked;
  sigset_t before;
  sigfillset(&blocked);
  sigdelset(&blocked, SIGCHLD);
  ::pthread_sigmask(SIG_SETMASK, &blocked, &before);
  const auto entry = [](void *opaque) -> void * {
    const std::unique_ptr<std::shared_ptr<State>> mine(static_cast<std::shared_ptr<State> *>(opaque));
    (*mine)->run_jobs();
    return nullptr;
  };
  const int error_number = ::pthread_create(&state->thread, nullptr, entry, own.get());
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  if (error_number != 0)
    return std::unexpected(Error::from_errno(error_number, "starting a thread to trace from",
                                             "again with a higher limit on threads (ulimit -u) and on memory (ulimit "
                                             "-v, ulimit -d, that of the control group)"));
  static_cast<void>(own.release());
  {
    std::unique_lock lock(state->mutex);
    state->changed.wait(lock, [&] { return state->thread_id != 0; });
  }
  return std::unique_ptr<TracingThread>(new TracingThread(std::move(state)));
}

TracingThread::TracingThread(std::shared_ptr<State> state) : state_(std::move(state)) {}

TracingThread::~TracingThread() {
  {
    const std::scoped_lock lock(state_->mutex);
    state_->ending = true;
    state_->changed.notify_all();
    if (state_->given_up) {
      ::pthread_detach(state_->thread);
      return;
    }
  }
  ::pthread_join(state_->thread, nullptr);
  // pthread_join returns when the thread has left its memory, a moment before the kernel detaches its tracees.
  const std::string task = fmt::format("/proc/self/task/{}", state_->thread_id);
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(1);
  struct stat unused;
  while (::stat(task.c_str(), &unused) == 0 && std::chrono::steady_clock::now() < deadline)
    ::sched_yield();
}

bool TracingThread::run(std::function<void()> job, std::function<Waiting()> meanwhile) {
  std::unique_lock lock(state_->mutex);
  if (state_->given_up)
    return false;
  state_->job = std::move(job);
  state_->busy = true;
  state_->changed.notify_all();
  const auto is_done = [](const State &state) { return !state.busy; };
  std::exception_ptr failure;
  while (meanwhile && !state_->changed.wait_for(lock, interval, [&] { return is_done(*state_); })) {
    lock.unlock();
    Waiting waiting = Waiting::go_on;
    try {
      waiting = meanwhile();
    } catch (...) {
      failure = std::current_exception(); // the job is waited for all the same
    }
    lock.lock();
    if (waiting == Waiting::go_on || is_done(*state_))
      continue;
    state_->given_up = true;
    std::thread([state = state_, meanwhile = std::move(meanwhile), is_done] {
      std::unique_lock until_done(state->mutex);
      while (!state->changed.wait_for(until_done, interval, [&] { return is_done(*state); })) {
        until_done.unlock();
        static_cast<void>(meanwhile());
        until_done.lock();
      }
    }).detach();
    return false;
  }
  state_->changed.wait(lock, [&] { return is_done(*state_); });
  if (state_->failure)
    failure = std::exchange(state_->failure, nullptr);
  if (failure)
    std::rethrow_exception(failure);
  return true;
}

} // namespace inspect
