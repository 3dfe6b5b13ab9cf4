#include "attach/ptrace/tracing_thread.h"

#include <cerrno>
#include <chrono>
#include <condition_variable>
#include <csignal>
#include <fmt/format.h>
#include <mutex>
#include <pthread.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace inspect {

struct TracingThread::State {
  std::mutex mutex;
  std::condition_variable changed;
  const std::function<void()> *job = nullptr;
  bool ending = false;
  pthread_t thread{};
  pid_t thread_id = 0;

  static void *run_jobs(void *opaque) {
    auto &state = *static_cast<State *>(opaque);
    // Waits during a stop sleep for microseconds; the default slack would add 50 to each.
    ::prctl(PR_SET_TIMERSLACK, 1);
    std::unique_lock lock(state.mutex);
    state.thread_id = ::gettid();
    state.changed.notify_all();
    for (;;) {
      state.changed.wait(lock, [&] { return state.job != nullptr || state.ending; });
      if (state.job == nullptr)
        return nullptr;
      lock.unlock();
      (*state.job)();
      lock.lock();
      state.job = nullptr;
      state.changed.notify_all();
    }
  }
};

Result<std::unique_ptr<TracingThread>> TracingThread::start() {
  auto state = std::make_unique<State>();
  // Signals are for the program's other threads. SIGCHLD comes with every stop of a tracee: left unblocked, the kernel
  // drops it at once here; blocked, it would wake another thread each time.
  sigset_t blocked;
  sigset_t before;
  sigfillset(&blocked);
  sigdelset(&blocked, SIGCHLD);
  ::pthread_sigmask(SIG_SETMASK, &blocked, &before);
  const int error_number = ::pthread_create(&state->thread, nullptr, State::run_jobs, state.get());
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  if (error_number != 0)
    return std::unexpected(Error::from_errno(error_number, "starting a thread to trace from"));
  {
    std::unique_lock lock(state->mutex);
    state->changed.wait(lock, [&] { return state->thread_id != 0; });
  }
  return std::unique_ptr<TracingThread>(new TracingThread(std::move(state)));
}

TracingThread::TracingThread(std::unique_ptr<State> state) : state_(std::move(state)) {}

TracingThread::~TracingThread() {
  {
    const std::scoped_lock lock(state_->mutex);
    state_->ending = true;
    state_->changed.notify_all();
  }
  ::pthread_join(state_->thread, nullptr);
  // pthread_join returns when the thread has left its memory, a moment before the kernel detaches its tracees.
  const std::string task = fmt::format("/proc/self/task/{}", state_->thread_id);
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(1);
  struct stat unused;
  while (::stat(task.c_str(), &unused) == 0 && std::chrono::steady_clock::now() < deadline)
    ::sched_yield();
}

void TracingThread::run(const std::function<void()> &job, const std::function<void()> &meanwhile) {
  constexpr auto interval = std::chrono::milliseconds(20);
  std::unique_lock lock(state_->mutex);
  state_->job = &job;
  state_->changed.notify_all();
  const auto is_done = [&] { return state_->job == nullptr; };
  if (!meanwhile) {
    state_->changed.wait(lock, is_done);
    return;
  }
  while (!state_->changed.wait_for(lock, interval, is_done)) {
    lock.unlock();
    meanwhile();
    lock.lock();
  }
}

} // namespace inspect
