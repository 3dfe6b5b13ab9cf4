// Targets of every kind that count what happens to them, looked at again and again while inspect is killed, interrupted
// and starved: their counters are right at the end. `./dev harm --rounds N` runs the same for longer.
#include "tests/commands/harm/harm_target.h"
#include "tests/support/catch.h"
#include "tests/support/frozen_group.h"
#include "tests/support/process_health.h"
#include "tests/support/run_command.h"
#include "tests/support/skip.h"
#include "tests/support/temporary_directory.h"
#include "tests/support/terminal.h"

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/wait.h>
#include <unistd.h>

using namespace inspect::test;

namespace {

/// Rounds of disturbed looks at one target, which is judged after each, and by itself at the end.
/// One in `share` of the rounds that are wanted: some wait for half a second each.
void run_rounds(const std::string &name, const std::vector<std::string> &command, int usual, int share = 1) {
  // A target's own counters are asked for now and then, so that a long run has many of them.
  constexpr int rounds_per_target = 100;
  const auto seed = std::random_device{}();
  INFO("seed " << seed);
  std::mt19937 random(seed);
  std::map<std::string, int> counts;
  const int rounds = std::max(usual, harm_rounds(usual) / share);
  for (int done = 0; done < rounds;) {
    HarmTarget target(command);
    if (!target.unable().empty())
      SKIP_TEST(target.unable().c_str());
    for (int i = 0; i < rounds_per_target && done < rounds; ++i, ++done) {
      const std::string how = disturb(target, random);
      INFO(how);
      ++counts[how];
      target.check_goes_on();
    }
    target.check_right();
  }
  print_figures(name, rounds, counts);
}

bool is_held(pid_t process) {
  return status_field(process, "State").starts_with("t");
}

bool write_text(const std::string &path, const std::string &text) {
  const int file = ::open(path.c_str(), O_WRONLY | O_CLOEXEC);
  const bool done = file >= 0 && ::write(file, text.data(), text.size()) == static_cast<ssize_t>(text.size());
  ::close(file);
  return done;
}

} // namespace

TEST_CASE("harm: signals, queued signals and timers") {
  run_rounds("signals", {"harm_target", "signals"}, 12);
}

TEST_CASE("harm: threads that come and go") {
  run_rounds("clones", {"harm_target", "clones"}, 12);
}

TEST_CASE("harm: children by fork, vfork and posix_spawn") {
  run_rounds("forks", {"harm_target", "forks"}, 12);
}

TEST_CASE("harm: a program that becomes itself again") {
  run_rounds("execs", {"harm_target", "execs"}, 12);
}

TEST_CASE("harm: a main thread that has ended") {
  run_rounds("ended main thread", {"harm_target", "leader"}, 8);
}

TEST_CASE("harm: a target with a seccomp filter") {
  run_rounds("seccomp filter", {"harm_target", "filtered"}, 8);
}

TEST_CASE("harm: system calls that the kernel restarts") {
  run_rounds("restarted calls", {"harm_target", "sleeps"}, 8);
}

TEST_CASE("harm: a page fault handler of the target's own") {
  run_rounds("own page fault handler", {"unanswered_memory", "own"}, 8);
}

TEST_CASE("harm: a page fault handler that does not answer") {
  run_rounds("silent page fault handler", {"unanswered_memory", "other"}, 6, 5);
}

TEST_CASE("harm: a mapped file whose server does not answer") {
  const TemporaryDirectory directory;
  run_rounds("silent FUSE server", {"unanswered_memory", "fuse", directory.path()}, 6, 5);
}

TEST_CASE("harm: inspect is killed at every step of a stop") {
  const char *before = std::getenv("ASAN_OPTIONS");
  const std::string options = before != nullptr ? std::string(before) + ":" : "";
  for (const char *mode : {"signals", "clones", "sleeps"}) {
    HarmTarget target({"harm_target", mode});
    int killed = 0;
    constexpr int max_steps = 2000;
    const int stride = std::max(1, 40 / harm_rounds(8)); // the short form tries every fifth
    int step = 1;
    for (; step <= max_steps; step += stride) {
      const CommandResult result = run_command({"env", "LD_PRELOAD=" + fixture_path("kill_at_step.so"),
                                                "INSPECT_KILL_AT_STEP=" + std::to_string(step),
                                                "ASAN_OPTIONS=" + options + "verify_asan_link_order=0", inspect_program,
                                                "stacks", target.pid(), "-o", "/dev/null"});
      INFO("step " << step << ": " << result.err);
      target.check_goes_on();
      if (result.status != 128 + SIGKILL)
        break;
      ++killed;
    }
    CHECK(killed > 3);
    CHECK(step < max_steps);
    target.check_right();
    std::printf("harm: killed at %d steps of %d (%s)\n", killed, step, mode);
  }
}

TEST_CASE("harm: job control signals to a target that is held") {
  for (int round = 0; round < harm_rounds(2); ++round) {
    HarmTarget target({"harm_target", "sleeps"});
    ChildProcess session({inspect_program, "attach", target.pid(), "--stop"});
    REQUIRE(wait_until([&] { return is_held(target.process()); }));
    // All are held back until it is let go; the last one decides.
    for (const int number : {SIGSTOP, SIGCONT, SIGTSTP, SIGCONT})
      ::kill(target.process(), number);
    session.write("continue\nexit\n");
    session.read_all();
    session.wait();
    target.check_goes_on();
    ::kill(target.process(), SIGSTOP);
    CHECK(wait_until([&] { return status_field(target.process(), "State").starts_with("T"); }));
    CHECK(run_inspect({"stacks", target.pid()}).status == 0);
    CHECK(wait_until([&] { return status_field(target.process(), "State").starts_with("T"); }));
    CHECK(what_is_wrong_with(target.process(), true) == "");
    ::kill(target.process(), SIGCONT);
    target.check_goes_on();
    target.check_right();
  }
}

TEST_CASE("harm: a target that is ended while it is held ends") {
  for (const int number : {SIGTERM, SIGKILL, SIGINT}) {
    HarmTarget target({"harm_target", "sleeps"});
    ChildProcess session({inspect_program, "attach", target.pid(), "--stop"});
    REQUIRE(wait_until([&] { return is_held(target.process()); }));
    ::kill(target.process(), number);
    session.write("continue\nexit\n");
    session.read_all();
    session.wait();
    const int status = target.child().wait();
    CHECK(WIFSIGNALED(status));
    CHECK(WTERMSIG(status) == number);
  }
}

TEST_CASE("harm: Ctrl-Z in a shell while the job is held, and fg") {
  if (::access("/bin/bash", X_OK) != 0)
    SKIP_TEST("bash is not installed");
  Terminal shell({"/bin/bash", "--norc", "--noprofile", "-i"});
  shell.type(fixture_path("harm_target") + " sleeps\r");
  const bool is_ready = shell.wait_for("ready");
  INFO(shell.unseen());
  REQUIRE(is_ready);
  const std::string children = run_command({"pgrep", "-P", std::to_string(shell.pid()), "harm_target"}).out;
  INFO("the shell " << shell.pid());
  REQUIRE_FALSE(children.empty());
  const auto target = static_cast<pid_t>(std::atol(children.c_str()));
  {
    ChildProcess session({inspect_program, "attach", std::to_string(target), "--stop"});
    REQUIRE(wait_until([&] { return is_held(target); }));
    shell.type("\x1a");
    ::usleep(20'000);
    session.write("exit\n");
    session.read_all();
    session.wait();
  }
  CHECK(shell.wait_for("Stopped"));
  CHECK(wait_until([&] { return status_field(target, "State").starts_with("T"); }));
  CHECK(run_inspect({"stacks", std::to_string(target)}).status == 0);
  shell.type("jobs\r");
  CHECK(shell.wait_for("Stopped"));
  shell.type("fg\r");
  CHECK(wait_until([&] { return what_is_wrong_with(target).empty(); }));
  shell.type("\x04"); // the end of its input
  CHECK(shell.wait_for("right"));
}

TEST_CASE("harm: beside gdb and strace each works or says who traces it") {
  // Not the target that counts signals: strace that is ended by one loses some, without inspect (12 of 12 tries).
  HarmTarget target({"harm_target", "clones"});
  const std::map<std::string, std::string> others{
      {"gdb", fmt::format("exec gdb -nx -batch -p {} -ex bt >/dev/null 2>&1", target.pid())},
      {"strace", fmt::format("exec timeout 1 strace -f -o /dev/null -p {} >/dev/null 2>&1", target.pid())}};
  for (const auto &[name, command] : others) {
    if (!have_program(name)) {
      std::printf("SKIPPED in part: %s is not installed\n", name.c_str());
      continue;
    }
    ChildProcess beside({"sh", "-c", command});
    for (int i = 0; i < harm_rounds(5); ++i) {
      const CommandResult result = run_inspect({"stacks", target.pid()});
      INFO(result.status << " " << result.err);
      CHECK((result.status == 0 || result.status == 4));
    }
    beside.read_all();
    beside.wait();
    target.check_goes_on();
  }
  target.check_right();
}

TEST_CASE("harm: a number that another process has by now") {
  if (::access("/proc/sys/kernel/ns_last_pid", W_OK) != 0)
    SKIP_TEST("the next process number cannot be chosen here");
  int reused = 0;
  for (int round = 0; round < harm_rounds(5); ++round) {
    HarmTarget first({"harm_target", "sleeps"});
    const pid_t number = first.process();
    ChildProcess session({"sh", "-c", fmt::format("exec {} attach {} 2>&1", inspect_program, number)});
    session.write("threads\n");
    while (session.read_line().find("harm_target") == std::string::npos) {
    }
    first.check_right();
    if (!write_text("/proc/sys/kernel/ns_last_pid", std::to_string(number - 1)))
      SKIP_TEST("the next process number cannot be chosen here");
    HarmTarget second({"harm_target", "sleeps"});
    reused += second.process() == number ? 1 : 0;
    session.write("stop\nbt\ncontinue\nexit\n");
    const std::string said = session.read_all();
    session.wait();
    if (second.process() == number) {
      INFO(said);
      CHECK(said.find("has ended") != std::string::npos);
    }
    second.check_goes_on();
    second.check_right();
  }
  std::printf("harm: reused numbers: %d\n", reused);
}

TEST_CASE("harm: a session of many commands grows neither in memory nor in descriptors") {
  HarmTarget target({"harm_target", "signals"});
  // AddressSanitizer keeps what is freed, for a while, in a quarter of a gigabyte.
  const char *options = std::getenv("ASAN_OPTIONS");
  ChildProcess session({"sh", "-c",
                        fmt::format("ASAN_OPTIONS={}:quarantine_size_mb=1 exec {} attach {} 2>&1",
                                    options != nullptr ? options : "", inspect_program, target.pid())});
  const auto descriptors = [&] { return run_command({"ls", fmt::format("/proc/{}/fd", session.pid())}).out.size(); };
  const auto kilobytes = [&] { return std::atol(status_field(session.pid(), "VmRSS").c_str()); };
  int mark = 0;
  const auto run_all = [&] {
    session.write("bt\nthreads\np $rip\nx $rsp 4\nframe 1\nlocals\nlist\nstop\nbt all\nthread\ncontinue\nmaps\nmem\n"
                  "sections\np nothing_of_this_name\n");
    const std::string end = fmt::format("mark {}", ++mark);
    session.write("p \"" + end + "\"\n");
    while (session.read_line().find(end) == std::string::npos) {
    }
  };
  constexpr int commands_at_once = 16;
  const int rounds = std::max(20, harm_rounds(1) * 10 / commands_at_once);
  // What is cached is there after a few; then it must stay as it is, but for what the allocator keeps in reserve.
  for (int i = 0; i < 10; ++i)
    run_all();
  const long memory_before = kilobytes();
  const std::size_t descriptors_before = descriptors();
  for (int i = 0; i < rounds; ++i)
    run_all();
  const long memory_after = kilobytes();
  std::printf("harm: %d commands: %ld kB, then %ld kB\n", rounds * commands_at_once, memory_before, memory_after);
  CHECK(memory_after < memory_before + memory_before / 4 + 4096);
  CHECK(descriptors() == descriptors_before);
  session.write("exit\n");
  session.read_all();
  session.wait();
  target.check_goes_on();
  target.check_right();
}

TEST_CASE("a filter that forbids restart_syscall is never asked without a stop") {
  HarmTarget target({"harm_target", "strict"});
  if (!target.unable().empty())
    SKIP_TEST(target.unable().c_str());
  for (int round = 0; round < 5; ++round)
    for (const std::vector<std::string> &options :
         {std::vector<std::string>{"--no-stop"}, std::vector<std::string>{"--stop", "none", "--json"}}) {
      std::vector<std::string> command{"stacks", target.pid()};
      command.insert(command.end(), options.begin(), options.end());
      CHECK(run_inspect(command).status == 0);
      target.check_goes_on();
    }
  target.check_right();
  // What docs/harmless.md says of a stop: the kernel's doing, and the same under any tracer.
  HarmTarget other({"harm_target", "strict"});
  for (int round = 0; round < 50 && what_is_wrong_with(other.process()).empty(); ++round)
    run_inspect({"stacks", other.pid(), "-o", "/dev/null"});
  const int status = other.child().wait();
  CHECK(WIFSIGNALED(status));
  CHECK(WTERMSIG(status) == SIGSYS);
}

TEST_CASE("harm: a target in a frozen control group") {
  for (const FreezerVersion version : {FreezerVersion::one, FreezerVersion::two}) {
    HarmTarget target({"harm_target", "sleeps"});
    for (int round = 0; round < harm_rounds(3); ++round) {
      auto group = FrozenGroup::freeze(version, target.process());
      if (!group) {
        std::printf("SKIPPED in part: no control group of version %d can be frozen here\n",
                    version == FreezerVersion::one ? 1 : 2);
        break;
      }
      if (round % 2 == 1)
        ::kill(target.process(), SIGSTOP);
      const CommandResult result = run_inspect({"stacks", target.pid()});
      INFO(result.status << " " << result.err);
      CHECK((result.status == 0 || !result.err.empty()));
      group.reset();
      if (round % 2 == 1) {
        CHECK(wait_until([&] { return status_field(target.process(), "State").starts_with("T"); }));
        ::kill(target.process(), SIGCONT);
      }
      target.check_goes_on();
    }
    target.check_right();
  }
}
