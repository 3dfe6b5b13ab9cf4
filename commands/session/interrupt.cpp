#include "commands/session/interrupt.h"

#include <atomic>
#include <chrono>
#include <csignal>
#include <ctime>
#include <pthread.h>
#include <string_view>
#include <unistd.h>

namespace inspect {
namespace {

constexpr std::chrono::seconds time_to_end_command{1};
constexpr timespec look_interval{0, 20'000'000};

/// Depth of the commands that run, and how many have begun: what ends a command is seen by either.
std::atomic<int> commands_running{0};
std::atomic<unsigned> commands_begun{0};

sigset_t watched_signals() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGINT);
  sigaddset(&set, SIGALRM); // to the watching thread alone: look at `ending`
  return set;
}

void wake_up(int) {} // its waits return EINTR

[[noreturn]] void end_program() {
  constexpr std::string_view sentence = "\ninspect: the command could not be ended, and the session ends with it; the "
                                        "target runs on\n";
  [[maybe_unused]] const ssize_t written = ::write(STDERR_FILENO, sentence.data(), sentence.size());
  ::signal(SIGINT, SIG_DFL);
  sigset_t interrupt;
  sigemptyset(&interrupt);
  sigaddset(&interrupt, SIGINT);
  ::pthread_sigmask(SIG_UNBLOCK, &interrupt, nullptr);
  ::kill(::getpid(), SIGINT);
  ::_exit(128 + SIGINT);
}

} // namespace

struct InterruptGuard::State {
  Cancellation &cancellation;
  pthread_t main_thread = ::pthread_self();
  pthread_t watcher{};
  std::atomic<bool> ending{false};
  sigset_t mask_before{};
  struct sigaction alarm_before {};

  explicit State(Cancellation &of_session) : cancellation(of_session) {}

  static void *watch(void *opaque) {
    static_cast<State *>(opaque)->watch();
    return nullptr;
  }

  void watch() {
    const sigset_t set = watched_signals();
    while (!ending) {
      if (::sigwaitinfo(&set, nullptr) != SIGINT)
        continue;
      const unsigned command = commands_begun;
      cancellation.request();
      if (commands_running == 0)
        continue;
      ::pthread_kill(main_thread, SIGALRM);
      const auto is_over = [&] { return ending || commands_running == 0 || commands_begun != command; };
      const auto deadline = std::chrono::steady_clock::now() + time_to_end_command;
      while (!is_over() && std::chrono::steady_clock::now() < deadline)
        ::sigtimedwait(&set, nullptr, &look_interval); // takes further, impatient ones away
      if (!is_over())
        end_program();
    }
  }
};

InterruptGuard::InterruptGuard(std::unique_ptr<State> state) : state_(std::move(state)) {}

Result<std::unique_ptr<InterruptGuard>> InterruptGuard::begin(Cancellation &cancellation) {
  auto state = std::make_unique<State>(cancellation);
  const sigset_t set = watched_signals();
  ::pthread_sigmask(SIG_BLOCK, &set, &state->mask_before); // for the watcher to inherit
  const int failed = ::pthread_create(&state->watcher, nullptr, &State::watch, state.get());
  if (failed != 0) {
    ::pthread_sigmask(SIG_SETMASK, &state->mask_before, nullptr);
    return std::unexpected(Error::from_errno(failed, "starting a thread that waits for Ctrl-C"));
  }
  struct sigaction action {};
  action.sa_handler = wake_up; // and no SA_RESTART
  sigemptyset(&action.sa_mask);
  ::sigaction(SIGALRM, &action, &state->alarm_before);
  sigset_t alarm;
  sigemptyset(&alarm);
  sigaddset(&alarm, SIGALRM);
  ::pthread_sigmask(SIG_UNBLOCK, &alarm, nullptr);
  return std::unique_ptr<InterruptGuard>(new InterruptGuard(std::move(state)));
}

InterruptGuard::~InterruptGuard() {
  state_->ending = true;
  ::pthread_kill(state_->watcher, SIGALRM);
  ::pthread_join(state_->watcher, nullptr);
  ::sigaction(SIGALRM, &state_->alarm_before, nullptr);
  ::pthread_sigmask(SIG_SETMASK, &state_->mask_before, nullptr);
}

InterruptibleCommand::InterruptibleCommand() {
  ++commands_running;
  ++commands_begun;
}

InterruptibleCommand::~InterruptibleCommand() {
  --commands_running;
}

} // namespace inspect
