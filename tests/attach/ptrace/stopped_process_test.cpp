#include "attach/ptrace/stopped_process.h"

#include "attach/procfs/process_list.h"
#include "attach/procfs/process_status.h"
#include "attach/snapshot/snapshot.h"
#include "machine/x86_64/registers.h"
#include "tests/attach/snapshot/heartbeat.h"
#include "tests/support/catch.h"
#include "tests/support/skip.h"

#include <algorithm>
#include <bit>
#include <csignal>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>

namespace inspect {
namespace {

using test::ChildProcess;
using test::Heartbeat;

std::size_t count_in_state(std::span<const StoppedThread> threads, StopState state) {
  return static_cast<std::size_t>(std::ranges::count(threads, state, &StoppedThread::state));
}

TEST_CASE("all threads stop, and run on after the release") {
  const Heartbeat target(9);
  auto stopped = StoppedProcess::stop(target.pid(), {});
  REQUIRE(stopped.has_value());
  CHECK(stopped->threads().size() == 10);
  CHECK(count_in_state(stopped->threads(), StopState::stopped) == 10);
  CHECK_FALSE(target.any_thread_runs());
  for (const StoppedThread &thread : stopped->threads()) {
    CHECK(read_thread_stat(target.pid(), thread.thread)->state == 't');
    CHECK(thread.registers.knows(x86_64::return_address));
    CHECK(thread.registers.knows(x86_64::fs_base));
  }
  stopped->release();
  stopped->release();
  CHECK(test::is_left_alone(target.pid()));
  CHECK(target.every_thread_runs());
}

TEST_CASE("a stop that goes out of scope is released, a moved one only once") {
  const Heartbeat target(3);
  {
    auto stopped = StoppedProcess::stop(target.pid(), {});
    REQUIRE(stopped.has_value());
    const StoppedProcess moved = std::move(*stopped);
    CHECK_FALSE(target.any_thread_runs());
  }
  CHECK(test::is_left_alone(target.pid()));
  CHECK(target.every_thread_runs());
}

TEST_CASE("only the threads that were asked for are stopped") {
  const Heartbeat target(5);
  const auto threads = list_threads(target.pid()).value();
  StopOptions options;
  options.only = {threads[2], threads[4]};
  {
    const auto stopped = StoppedProcess::stop(target.pid(), options);
    REQUIRE(stopped.has_value());
    REQUIRE(stopped->threads().size() == 2);
    CHECK(stopped->threads()[0].thread == threads[2]);
    CHECK(stopped->threads()[1].thread == threads[4]);
    CHECK(target.any_thread_runs());
  }
  options.only = {getpid()};
  CHECK(StoppedProcess::stop(target.pid(), options).error().kind() == ErrorKind::not_found);
  CHECK(target.every_thread_runs());
}

TEST_CASE("a stop belongs to no thread of this program: one asks for it and ends, another releases it") {
  const Heartbeat target(2);
  Result<StoppedProcess> stopped = std::unexpected(Error(ErrorKind::usage, "not asked"));
  std::thread([&] { stopped = StoppedProcess::stop(target.pid(), {}); }).join();
  REQUIRE(stopped.has_value());
  CHECK_FALSE(target.any_thread_runs());
  stopped->release();
  CHECK(test::is_left_alone(target.pid()));
  CHECK(target.every_thread_runs());
}

TEST_CASE("registers of a stopped thread can be written") {
  ChildProcess child = ChildProcess::forked([] {
    std::uint64_t value = 0;
    test::say_line("ready");
    __asm__ volatile("xor %%r12, %%r12\n1: pause\n test %%r12, %%r12\n jz 1b\n mov %%r12, %0" : "=r"(value)::"r12");
    return static_cast<int>(value);
  });
  child.wait_for_line();
  // Until the loop is reached, r12 is set again behind our back; so write until the child ends.
  REQUIRE(test::wait_until([&] {
    if (read_process_stat(child.pid())->state == 'Z')
      return true;
    auto stopped = StoppedProcess::stop(child.pid(), {});
    if (!stopped || stopped->threads().empty() || stopped->threads()[0].state != StopState::stopped)
      return false;
    RegisterSet changed;
    if (stopped->threads()[0].system_call == -1)
      changed.set(x86_64::r12, 7);
    const bool written = stopped->write_registers(child.pid(), changed).has_value();
    CHECK(stopped->write_registers(1, changed).error().kind() == ErrorKind::not_found);
    stopped->release();
    CHECK(stopped->write_registers(child.pid(), changed).error().kind() == ErrorKind::not_found);
    return !written;
  }));
  const int status = child.wait();
  REQUIRE(WIFEXITED(status));
  CHECK(WEXITSTATUS(status) == 7);
}

TEST_CASE("what the kernel replaces at the end of a system call is not written") {
  ChildProcess child = ChildProcess::forked([] {
    test::say_line("ready");
    char byte = 0;
    return ::read(0, &byte, 1) == 1 ? byte : 1;
  });
  child.wait_for_line();
  REQUIRE(test::wait_until([&] { return read_process_stat(child.pid())->state == 'S'; }));
  auto stopped = StoppedProcess::stop(child.pid(), {});
  REQUIRE(stopped.has_value());
  const RegisterSet before = stopped->threads()[0].registers;
  for (const unsigned number : {unsigned{x86_64::rax}, unsigned{x86_64::return_address}}) {
    RegisterSet changed;
    changed.set(number, 1);
    const auto refused = stopped->write_registers(child.pid(), changed);
    REQUIRE_FALSE(refused.has_value());
    CHECK(refused.error().kind() == ErrorKind::unsupported);
  }
  RegisterSet other;
  other.set(x86_64::r15, before.get(x86_64::r15).value());
  CHECK(stopped->write_registers(child.pid(), other).has_value());
  stopped->release();
  child.write("\x07");
  const int status = child.wait();
  REQUIRE(WIFEXITED(status));
  CHECK(WEXITSTATUS(status) == 7);
}

TEST_CASE("vector registers are read on request") {
  ChildProcess child = ChildProcess::forked([] {
    test::say_line("ready");
    const double halves[2] = {2.5, -7.0};
    __asm__ volatile("movupd %0, %%xmm13\n1: pause\n jmp 1b" ::"m"(halves) : "xmm13");
    return 0;
  });
  child.wait_for_line();
  StopOptions options;
  {
    const auto without = StoppedProcess::stop(child.pid(), options);
    REQUIRE(without.has_value());
    CHECK_FALSE(without->threads()[0].registers.knows(x86_64::xmm0));
  }
  options.vector_registers = true;
  // Until the loop is reached the register holds something else.
  CHECK(test::wait_until([&] {
    const auto stopped = StoppedProcess::stop(child.pid(), options);
    if (!stopped || stopped->threads().empty())
      return false;
    const RegisterSet &registers = stopped->threads()[0].registers;
    return registers.get(x86_64::xmm0 + 13) == std::bit_cast<std::uint64_t>(2.5) &&
           registers.get(x86_64::xmm0_high + 13) == std::bit_cast<std::uint64_t>(-7.0);
  }));
}

TEST_CASE("a process stopped by SIGSTOP is inspected and stays stopped until SIGCONT") {
  Heartbeat target(4);
  target.child().signal(SIGSTOP);
  // On a busy machine its threads take their time to see it.
  REQUIRE(test::wait_until([&] {
    const auto threads = read_thread_stats(target.pid());
    return threads && std::ranges::all_of(*threads, [](const ProcessStat &thread) { return thread.state == 'T'; });
  }));
  StopOptions patient; // a busy machine may let a thread wait for a processor for longer than a stop usually waits
  patient.budget = std::chrono::seconds(10);
  for (int i = 0; i < 20; ++i) {
    const auto stopped = StoppedProcess::stop(target.pid(), patient);
    REQUIRE(stopped.has_value());
    CHECK(count_in_state(stopped->threads(), StopState::stopped) == 5);
    CHECK(std::ranges::all_of(stopped->threads(), &StoppedThread::was_group_stopped));
  }
  const auto threads = list_threads(target.pid()).value();
  for (const pid_t thread : threads)
    CHECK(test::wait_until([&] { return read_thread_stat(target.pid(), thread)->state == 'T'; }));
  CHECK_FALSE(target.any_thread_runs());
  CHECK(read_process_status(target.pid())->tracer == 0);
  target.child().signal(SIGCONT);
  CHECK(target.every_thread_runs());
}

TEST_CASE("a zombie leader's threads are stopped") {
  ChildProcess child = ChildProcess::forked([]() -> int {
    std::thread([] {
      test::say_line("ready");
      for (;;)
        pause();
    }).detach();
    syscall(SYS_exit, 0);
    return 1;
  });
  child.wait_for_line();
  REQUIRE(test::wait_until([&] { return read_process_stat(child.pid())->state == 'Z'; }));
  const auto memory = LiveMemory::open(child.pid());
  REQUIRE(memory.has_value());
  const auto maps = read_memory_map(child.pid());
  REQUIRE(maps.has_value());
  CHECK_FALSE(maps->empty());
  const auto snapshot = take_snapshot(child.pid(), **memory, *maps, {});
  REQUIRE(snapshot.has_value());
  REQUIRE(snapshot->threads.size() == 2);
  CHECK(snapshot->threads[0].state == StopState::ended);
  CHECK(snapshot->threads[1].state == StopState::stopped);
  CHECK(snapshot->memory.holds(RunAddress{snapshot->threads[1].registers.get(x86_64::rsp).value()}));
  CHECK(read_process_stat(child.pid())->state == 'Z');
}

/// A process whose main thread is held in vfork until its stdin closes, while another thread sleeps.
ChildProcess start_vfork_parent() {
  ChildProcess child = ChildProcess::forked([]() -> int {
    std::thread([] {
      for (;;)
        usleep(1000);
    }).detach();
    const pid_t grandchild = vfork();
    if (grandchild == 0) {
      char byte;
      [[maybe_unused]] const ssize_t ended = read(0, &byte, 1);
      _exit(0);
    }
    test::say_line("returned");
    pause();
    return 0;
  });
  if (!test::wait_until([&] { return read_process_stat(child.pid())->state == 'D'; }))
    throw std::runtime_error("the parent does not wait in vfork");
  return child;
}

TEST_CASE("a vfork parent does not stop: it is reported, let go, and holds nobody up") {
  ChildProcess child = start_vfork_parent();
  const auto memory = LiveMemory::open(child.pid()).value();
  const auto snapshot = take_snapshot(child.pid(), *memory, read_memory_map(child.pid()).value(), {});
  REQUIRE(snapshot.has_value());
  REQUIRE(snapshot->threads.size() == 2);
  CHECK(snapshot->threads[0].state == StopState::did_not_stop);
  CHECK_FALSE(snapshot->threads[0].reason.empty());
  CHECK(snapshot->threads[1].state == StopState::stopped);
  CHECK(snapshot->warnings.size() == 1);
  // Let go at once, although it has not been in a stop: this program lives on and traces no more.
  CHECK(read_process_status(child.pid())->tracer == 0);
  {
    const auto stopped = StoppedProcess::stop(child.pid(), {});
    REQUIRE(stopped.has_value());
    CHECK(count_in_state(stopped->threads(), StopState::did_not_stop) == 1);
    CHECK(count_in_state(stopped->threads(), StopState::stopped) == 1);
  }
  CHECK(read_process_status(child.pid())->tracer == 0);
  child.close_stdin();
  child.wait_for_line("returned");
  CHECK(test::is_left_alone(child.pid()));
}

TEST_CASE("a vfork parent that returns during the stop is let go") {
  ChildProcess child = start_vfork_parent();
  auto stopped = StoppedProcess::stop(child.pid(), {});
  REQUIRE(stopped.has_value());
  child.close_stdin();
  REQUIRE(test::wait_until([&] { return read_process_stat(child.pid())->state == 't'; }));
  stopped->release();
  child.wait_for_line("returned");
  CHECK(test::is_left_alone(child.pid()));
}

TEST_CASE("threads that live for less than a millisecond neither disturb a stop nor escape it") {
  ChildProcess child = ChildProcess::forked([]() -> int {
    const auto spawn = [] {
      for (;;)
        std::thread([] {}).join();
    };
    std::thread second(spawn);
    test::say_line("ready");
    spawn();
    return 0;
  });
  child.wait_for_line();
  std::size_t escaped = 0;
  for (int i = 0; i < 100; ++i) {
    const auto stopped = StoppedProcess::stop(child.pid(), {});
    REQUIRE(stopped.has_value());
    CHECK(count_in_state(stopped->threads(), StopState::stopped) >= 2);
    const auto threads = list_threads(child.pid()).value();
    for (const pid_t thread : threads) {
      const auto stat = read_thread_stat(child.pid(), thread);
      escaped += stat && stat->state != 't' && stat->state != 'Z' && stat->state != 'X';
    }
  }
  CHECK(escaped == 0);
  CHECK(read_process_status(child.pid())->tracer == 0);
}

TEST_CASE("execve by a thread while it is being stopped harms neither side") {
  ChildProcess child({test::fixture_path("exec_again")});
  child.wait_for_line("1");
  std::size_t succeeded = 0;
  for (int i = 0; i < 200; ++i) {
    const auto memory = LiveMemory::open(child.pid());
    INFO((memory ? std::string() : memory.error().message()));
    REQUIRE(memory.has_value());
    const auto maps = read_memory_map(child.pid());
    REQUIRE(maps.has_value());
    const auto snapshot = take_snapshot(child.pid(), **memory, *maps, {});
    INFO((snapshot ? std::string() : snapshot.error().message()));
    CHECK(snapshot.has_value());
    succeeded += snapshot.has_value();
  }
  CHECK(succeeded == 200);
  // It goes on: three more programs than it has spoken of by now.
  const auto last = [&] { return std::stoul(child.read_line()); };
  const unsigned long reached = last();
  child.wait_for_line(std::to_string(reached + 3));
}

TEST_CASE("a process that is killed meanwhile is said to have ended") {
  for (int i = 0; i < 40; ++i) {
    ChildProcess child({test::fixture_path("many_threads"), "20", "3"});
    child.wait_for_line();
    std::thread killer([&] {
      usleep(static_cast<useconds_t>(i * 40));
      child.signal(SIGKILL);
    });
    for (;;) {
      const auto stopped = StoppedProcess::stop(child.pid(), {});
      if (stopped)
        continue;
      CHECK(stopped.error().kind() == ErrorKind::no_such_process);
      break;
    }
    killer.join();
    const int status = child.wait();
    CHECK((WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL));
  }
}

} // namespace
} // namespace inspect
