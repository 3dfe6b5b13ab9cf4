// What a target must not notice: docs/harmless.md.
#include "attach/procfs/process_list.h"
#include "attach/procfs/process_status.h"
#include "attach/snapshot/snapshot.h"
#include "tests/attach/snapshot/heartbeat.h"
#include "tests/support/catch.h"

#include <csignal>
#include <random>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>

namespace inspect {
namespace {

using test::ChildProcess;
using test::Heartbeat;

void take_snapshots(pid_t process, int count) {
  const auto memory = LiveMemory::open(process).value();
  const auto maps = read_memory_map(process).value();
  for (int i = 0; i < count; ++i) {
    const auto snapshot = take_snapshot(process, *memory, maps, {});
    if (!snapshot)
      throw std::runtime_error(snapshot.error().message());
  }
}

thread_local unsigned long plain_signals = 0;
thread_local unsigned long value_sum = 0;
thread_local bool wrong_sender = false;

void note_signal(int signal, siginfo_t *info, void *) {
  if (signal == SIGUSR1) {
    ++plain_signals;
    wrong_sender = wrong_sender || info->si_code != SI_TKILL;
  } else {
    value_sum += static_cast<unsigned long>(info->si_value.sival_int);
    wrong_sender = wrong_sender || info->si_code != SI_QUEUE;
  }
  wrong_sender = wrong_sender || info->si_pid != getpid();
}

/// Signals itself until told to end; whether each signal came exactly once, with all that was sent along.
bool signal_oneself(const std::atomic<bool> &ending) {
  unsigned long sent = 0;
  unsigned long sum = 0;
  while (!ending.load()) {
    ++sent;
    sum += sent % 1000;
    pthread_kill(pthread_self(), SIGUSR1);
    sigval value{};
    value.sival_int = static_cast<int>(sent % 1000);
    pthread_sigqueue(pthread_self(), SIGRTMIN, value);
    if (plain_signals != sent || value_sum != sum || wrong_sender)
      return false;
    if (sent % 20 == 0)
      usleep(200);
  }
  return sent > 0;
}

/// Ten threads that signal themselves until stdin closes; exits with the number of those that miscounted.
ChildProcess start_signalling() {
  ChildProcess child = ChildProcess::forked([] {
    struct sigaction action {};
    action.sa_sigaction = note_signal;
    action.sa_flags = SA_SIGINFO | SA_RESTART;
    sigaction(SIGUSR1, &action, nullptr);
    sigaction(SIGRTMIN, &action, nullptr);
    std::atomic<bool> ending{false};
    std::atomic<int> wrong{0};
    std::vector<std::thread> threads;
    for (int i = 0; i < 10; ++i)
      threads.emplace_back([&] { wrong += signal_oneself(ending) ? 0 : 1; });
    test::say_line("ready");
    char byte;
    while (read(0, &byte, 1) > 0) {
    }
    ending = true;
    for (std::thread &thread : threads)
      thread.join();
    return wrong.load();
  });
  child.wait_for_line();
  return child;
}

void check_no_signal_was_lost(ChildProcess &child) {
  child.close_stdin();
  const int status = child.wait();
  REQUIRE(WIFEXITED(status));
  CHECK(WEXITSTATUS(status) == 0);
}

TEST_CASE("signals sent during 100 snapshots come exactly once") {
  ChildProcess child = start_signalling();
  take_snapshots(child.pid(), 100);
  check_no_signal_was_lost(child);
}

TEST_CASE("signals survive when the tracer is killed") {
  ChildProcess child = start_signalling();
  std::mt19937 random(20261);
  std::uniform_int_distribution<useconds_t> moment(0, 6000);
  for (int i = 0; i < 50; ++i) {
    ChildProcess tracer = ChildProcess::forked([&] {
      test::say_line("ready");
      take_snapshots(child.pid(), 1'000'000);
      return 0;
    });
    tracer.wait_for_line();
    usleep(moment(random));
    tracer.signal(SIGKILL);
    tracer.wait();
  }
  CHECK(test::is_left_alone(child.pid()));
  check_no_signal_was_lost(child);
}

/// Starts a child which is the parent of the target and waits for its changes of state; with `stop_first`, the target
/// stops itself, and the parent takes note of it. Says the target's id; exits with 0 when the first (other) thing it
/// sees of the target is its end.
ChildProcess start_watching_parent(bool stop_first) {
  return ChildProcess::forked([=] {
    const pid_t target = fork();
    if (target == 0) {
      if (stop_first)
        raise(SIGSTOP);
      for (;;)
        pause();
    }
    int status = 0;
    if (stop_first && (waitpid(target, &status, WUNTRACED) != target || !WIFSTOPPED(status)))
      return 2;
    test::say_line(std::to_string(target));
    if (waitpid(target, &status, WUNTRACED | WCONTINUED) != target)
      return 3;
    return WIFSIGNALED(status) ? 0 : 4;
  });
}

TEST_CASE("a parent that waits for stops and continues sees nothing of 50 snapshots") {
  const bool stop_first = GENERATE(false, true);
  ChildProcess parent = start_watching_parent(stop_first);
  const auto target = static_cast<pid_t>(std::stol(parent.read_line()));
  REQUIRE(target > 1);
  take_snapshots(target, 50);
  // It may still be on its way back into pause().
  CHECK(test::wait_until([&] { return read_process_stat(target)->state == (stop_first ? 'T' : 'S'); }));
  CHECK(read_process_stat(parent.pid())->state != 'Z');
  kill(target, SIGKILL);
  const int status = parent.wait();
  REQUIRE(WIFEXITED(status));
  CHECK(WEXITSTATUS(status) == 0);
}

TEST_CASE("a tracer that is killed at random moments leaves nothing traced or stopped") {
  const Heartbeat target(12);
  std::mt19937 random(20260); // the moments vary with the machine anyway
  std::uniform_int_distribution<useconds_t> moment(0, 4000);
  for (int i = 0; i < 100; ++i) {
    ChildProcess tracer = ChildProcess::forked([&] {
      test::say_line("ready");
      take_snapshots(target.pid(), 1'000'000);
      return 0;
    });
    tracer.wait_for_line();
    usleep(moment(random));
    tracer.signal(SIGKILL);
    tracer.wait();
    REQUIRE(test::is_left_alone(target.pid()));
  }
  CHECK(target.every_thread_runs());
}

TEST_CASE("a tracer that is killed while it keeps a stop lets the target run") {
  const Heartbeat target(3);
  ChildProcess tracer = ChildProcess::forked([&] {
    const auto stopped = StoppedProcess::stop(target.pid(), {});
    test::say_line(stopped ? "ready" : stopped.error().message());
    pause();
    return 0;
  });
  tracer.wait_for_line();
  CHECK_FALSE(target.any_thread_runs());
  tracer.signal(SIGKILL);
  tracer.wait();
  CHECK(test::is_left_alone(target.pid()));
  CHECK(target.every_thread_runs());
}

TEST_CASE("SIGSTOP and SIGCONT sent during snapshots take effect as always") {
  Heartbeat target(4);
  std::thread sender([&] {
    for (int i = 0; i < 50; ++i) {
      target.child().signal(i % 2 == 0 ? SIGSTOP : SIGCONT);
      usleep(1500);
    }
  });
  take_snapshots(target.pid(), 60);
  sender.join();
  // The last was SIGCONT.
  CHECK(test::is_left_alone(target.pid()));
  CHECK(target.every_thread_runs());
  target.child().signal(SIGSTOP);
  CHECK(test::wait_until([&] { return read_process_stat(target.pid())->state == 'T'; }));
  take_snapshots(target.pid(), 5);
  CHECK_FALSE(target.any_thread_runs());
}

} // namespace
} // namespace inspect
