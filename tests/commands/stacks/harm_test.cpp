// Whatever happens to `inspect` itself, the process it looked at goes on: the built program is killed at random
// moments, interrupted, run twice at once, and run where the kernel forbids it calls.
#include "tests/support/catch.h"
#include "tests/support/child_process.h"
#include "tests/support/process_health.h"
#include "tests/support/run_command.h"
#include "tests/support/skip.h"
#include "tests/support/terminal.h"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <fmt/format.h>
#include <linux/seccomp.h>
#include <random>
#include <sstream>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>

using namespace inspect::test;
using Catch::Matchers::Contains;

namespace {

const std::string binary = INSPECT_BINARY_DIRECTORY "/inspect";

/// fixtures/dwarf/module/heartbeats.cpp.
struct Heartbeats {
  ChildProcess process;

  explicit Heartbeats(int threads) : process({fixture_path("heartbeats"), std::to_string(threads)}) {
    process.wait_for_line();
  }
  std::string pid() const { return std::to_string(process.pid()); }

  std::vector<long> counts() {
    process.write("\n");
    std::istringstream line(process.read_line());
    std::vector<long> all;
    for (long count = 0; line >> count;)
      all.push_back(count);
    return all;
  }

  /// Each thread counts on from here.
  bool all_go_on() {
    const std::vector<long> before = counts();
    return !before.empty() && wait_until([&] {
      const std::vector<long> now = counts();
      return std::ranges::equal(now, before, std::ranges::greater());
    });
  }

  /// The kernel lets go of the threads of a killed tracer one by one.
  void check_health() {
    wait_until([&] { return what_is_wrong_with(process.pid()).empty(); });
    CHECK(what_is_wrong_with(process.pid()) == "");
    CHECK(all_go_on());
  }
};

bool is_stopped_by_tracer(pid_t process) {
  return status_field(process, "State").starts_with("t");
}

/// Runs inspect where the kernel answers EPERM to one system call; both its outputs in one text.
CommandResult run_without_system_call(long number, const std::vector<std::string> &arguments) {
  return run_inspect_filtered(number, SECCOMP_RET_ERRNO | EPERM, arguments);
}

} // namespace

TEST_CASE("a hundred dumps, each killed at a random moment: every thread of the target goes on") {
  Heartbeats target(50);
  const auto seed = std::random_device{}();
  INFO("seed " << seed);
  std::mt19937 random(seed);
  std::uniform_int_distribution<int> microseconds(0, 50'000);
  int killed = 0;
  for (int round = 0; round < 100; ++round) {
    ChildProcess dump({binary, "stacks", target.pid(), "-o", "/dev/null"});
    std::this_thread::sleep_for(std::chrono::microseconds(microseconds(random)));
    ::kill(dump.pid(), SIGKILL); // not reaped yet, so that the number is still its own
    killed += WIFSIGNALED(dump.wait());
  }
  CHECK(killed > 0);
  target.check_health();
}

TEST_CASE("a session that holds the target is killed: the target runs on") {
  Heartbeats target(50);
  ChildProcess session({binary, "attach", target.pid(), "--stop"});
  REQUIRE(wait_until([&] { return is_stopped_by_tracer(target.process.pid()); }));
  session.signal(SIGKILL);
  session.wait();
  target.check_health();
}

TEST_CASE("a dump that holds the target is killed or interrupted: the target runs on") {
  Heartbeats target(50);
  int ended_by_signal = 0;
  for (const int number : {SIGKILL, SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGSEGV}) {
    INFO("signal " << number);
    ChildProcess dump({binary, "stacks", target.pid(), "--stopped", "--no-group", "-o", "/dev/null"});
    // It may be over before we see it hold the target: that is not a failure.
    wait_until([&] {
      const std::string tracer = status_field(target.process.pid(), "TracerPid");
      return (!tracer.empty() && tracer != "0") || status_field(dump.pid(), "State").starts_with("Z");
    });
    ::kill(dump.pid(), number);
    ended_by_signal += WIFSIGNALED(dump.wait());
    target.check_health();
  }
  CHECK(ended_by_signal > 0);
}

TEST_CASE("Ctrl-C while stacks runs: the target runs on") {
  Heartbeats target(50);
  Terminal dump(
      {"/bin/sh", "-c", fmt::format("while :; do {} stacks {} --stopped --no-group; done", binary, target.pid())});
  REQUIRE(dump.wait_for("beat"));
  dump.type("\x03");
  CHECK(dump.wait_for_end() != 0);
  target.check_health();
}

TEST_CASE("Ctrl-C in a session that holds the target, then a hang-up of its terminal") {
  Heartbeats target(5);
  {
    Terminal session({binary, "attach", target.pid(), "--stop"});
    REQUIRE(session.wait_for("held) "));
    session.type("\x03");
    session.type("threads\r");
    REQUIRE(session.wait_for("held) "));
    ::kill(session.pid(), SIGHUP);
    session.wait_for_end();
  }
  target.check_health();
}

TEST_CASE("two dumps of one process at once: each works or says who traces it") {
  Heartbeats target(50);
  int worked = 0;
  for (int round = 0; round < 10; ++round) {
    CommandResult other;
    std::thread second([&] { other = run_inspect({"stacks", target.pid()}); });
    const CommandResult one = run_inspect({"stacks", target.pid()});
    second.join();
    for (const CommandResult &result : {one, other}) {
      INFO(result.status << " " << result.err);
      worked += result.status == 0;
      if (result.status == 0)
        CHECK_THAT(result.out, Contains("beat"));
      else
        CHECK((result.status == 4 && result.err.find("traced") != std::string::npos));
    }
  }
  CHECK(worked >= 10);
  target.check_health();
}

TEST_CASE("a dump of a process that a session holds: read without a stop, with who traces it") {
  Heartbeats target(5);
  ChildProcess session({binary, "attach", target.pid(), "--stop"});
  REQUIRE(wait_until([&] { return is_stopped_by_tracer(target.process.pid()); }));
  const CommandResult dump = run_inspect({"stacks", target.pid()});
  CHECK(dump.status == 0);
  CHECK_THAT(dump.out, Contains(fmt::format("traced by inspect ({})", session.pid())) && Contains("main"));
  // What holds it stops it again, and cannot.
  const CommandResult refused = run_inspect({"attach", target.pid(), "--stop", "-e", "bt"});
  CHECK(refused.status == 4);
  CHECK_THAT(refused.err, Contains(fmt::format("{}", session.pid())) && Contains("inspect"));
  session.write("exit\n");
  session.wait();
  CHECK(run_inspect({"stacks", target.pid()}).status == 0);
  target.check_health();
}

TEST_CASE("where a seccomp filter forbids inspect process_vm_readv, it reads another way") {
  Heartbeats target(5);
  const CommandResult result = run_without_system_call(SYS_process_vm_readv, {"stacks", target.pid()});
  if (result.status == 77)
    SKIP_TEST("no seccomp filters here");
  CHECK(result.status == 0);
  CHECK_THAT(result.out, Contains("beat") && Contains("main"));
  target.check_health();
}

TEST_CASE("where a seccomp filter forbids inspect ptrace, it says so, with the remedy") {
  if (::geteuid() != 0)
    SKIP_TEST("only with CAP_SYS_PTRACE is a filter told from the other reasons");
  Heartbeats target(5);
  const CommandResult result = run_without_system_call(SYS_ptrace, {"stacks", target.pid()});
  if (result.status == 77)
    SKIP_TEST("no seccomp filters here");
  CHECK(result.status == 4);
  CHECK_THAT(result.out, Contains("could not be inspected") && Contains("process " + target.pid()) &&
                             Contains("--cap-add SYS_PTRACE"));
  const CommandResult session = run_without_system_call(SYS_ptrace, {"attach", target.pid(), "-e", "bt"});
  CHECK(session.status != 0);
  CHECK_THAT(session.out, Contains("--cap-add SYS_PTRACE"));
  target.check_health();
}

TEST_CASE("where a seccomp filter forbids inspect pidfd_open, openat2 or perf, nothing is lost") {
  Heartbeats target(5);
  for (const long number : {SYS_openat2, SYS_pidfd_open, SYS_statx, SYS_process_vm_writev, SYS_perf_event_open}) {
    INFO("system call " << number);
    const CommandResult result = run_without_system_call(number, {"stacks", target.pid()});
    if (result.status == 77)
      SKIP_TEST("no seccomp filters here");
    CHECK(result.status == 0);
    CHECK_THAT(result.out, Contains("beat"));
  }
}

TEST_CASE("a target under strict seccomp rules of its own") {
  ChildProcess target = ChildProcess::forked([] {
    say_line("ready");
    // From here on: read, write, exit and sigreturn only; any other call kills it.
    if (::prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT) != 0)
      return 77;
    char byte = 0;
    while (::read(0, &byte, 1) == 1)
      if (::write(1, &byte, 1) != 1)
        break;
    ::syscall(SYS_exit, 0);
    return 0;
  });
  target.wait_for_line();
  if (!wait_until([&] { return status_field(target.pid(), "Seccomp") == "1"; }, std::chrono::seconds(5)))
    SKIP_TEST("no strict seccomp here");
  for (int round = 0; round < 3; ++round) {
    const CommandResult result = run_inspect({"stacks", std::to_string(target.pid())});
    CHECK(result.status == 0);
    CHECK_THAT(result.out, Contains("read"));
    target.write("x\n");
    CHECK(target.read_line() == "x");
  }
  target.close_stdin();
  CHECK(target.wait() == 0);
}
