// Stacks without a stop: what is shown is what a stop would show, nothing is traced, and no call of the target notices.
#include "attach/procfs/process_list.h"
#include "attach/procfs/process_status.h"
#include "tests/support/catch.h"
#include "tests/support/child_process.h"
#include "tests/support/frozen_group.h"
#include "tests/support/gdb_stacks.h"
#include "tests/support/process_health.h"
#include "tests/support/run_command.h"
#include "tests/support/skip.h"
#include "tests/support/stacks_json.h"

#include <algorithm>
#include <cstddef>
#include <filesystem>
#include <fmt/format.h>
#include <linux/seccomp.h>
#include <map>
#include <set>
#include <sstream>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

using namespace inspect;
using namespace inspect::test;
using Catch::Matchers::Contains;
using Json = nlohmann::json;

namespace {

const std::string program = INSPECT_BINARY_DIRECTORY "/inspect";

/// Runs inspect where a call of ptrace kills it.
CommandResult run_where_ptrace_kills(const std::vector<std::string> &arguments) {
  return run_inspect_filtered(SYS_ptrace, SECCOMP_RET_KILL_PROCESS, arguments);
}

std::string process_word(const ChildProcess &child) {
  return std::to_string(child.pid());
}

const Json *thread_of(const Json &dump, pid_t thread) {
  for (const Json &one : dump["threads"])
    if (one["tid"] == thread)
      return &one;
  return nullptr;
}

std::vector<std::string> names_on(const Json &stack) {
  std::vector<std::string> names;
  for (const Json &frame : stack["frames"])
    names.push_back(frame["function"].is_null() ? "" : frame["function"].get<std::string>());
  return names;
}

bool has_function(const Json &stack, const std::string &function) {
  return std::ranges::count(names_on(stack), function) > 0;
}

PeerStacks peer_stacks(const Json &dump) {
  PeerStacks stacks;
  for (const Json &thread : dump["threads"]) {
    std::vector<PeerFrame> &frames = stacks[thread["tid"].get<pid_t>()];
    for (const Json &frame : thread["frames"])
      frames.push_back({std::stoull(frame["pc"].get<std::string>(), nullptr, 16),
                        frame["function"].is_null() ? "" : frame["function"].get<std::string>()});
  }
  return stacks;
}

/// How much of gdb's frames is there; what is there is the same, else `different` says so.
struct Agreement {
  std::size_t whole = 0; ///< threads with all frames
  std::size_t cut = 0;
  std::string different;
};

Agreement agreement(const PeerStacks &ours, const PeerStacks &theirs) {
  Agreement result;
  for (const auto &[thread, frames] : theirs) {
    const auto own = ours.find(thread);
    if (own == ours.end()) {
      result.different += fmt::format("thread {} is missing\n", thread);
      continue;
    }
    const auto &mine = own->second;
    for (std::size_t i = 0; i < mine.size(); ++i)
      if (i >= frames.size() || mine[i].pc != frames[i].pc ||
          !(frames[i].function.empty() || same_function(mine[i].function, frames[i].function))) {
        result.different += fmt::format("thread {} #{}: {:#x} {}\n", thread, i, mine[i].pc, mine[i].function);
        break;
      }
    ++(mine.size() == frames.size() ? result.whole : result.cut);
  }
  return result;
}

} // namespace

TEST_CASE("stacks --no-stop shows the known calls of threads, with no call of ptrace") {
  ChildProcess child({fixture_path("known_calls")});
  std::map<pid_t, std::pair<std::string, std::string>> expected;
  for (int i = 0; i < 6; ++i) {
    std::istringstream line(child.read_line());
    pid_t thread = 0;
    std::string call;
    std::string function;
    line >> thread >> call >> function;
    expected[thread] = {call, function};
  }
  child.wait_for_line();
  const CommandResult result = run_where_ptrace_kills({"stacks", process_word(child), "--no-stop", "--json"});
  INFO(result.out);
  REQUIRE(result.status == 0);
  const Json dump = Json::parse(result.out);
  CHECK(dump["warnings"].empty());
  CHECK(dump["pause_us"] == 0);
  CHECK(dump["why_not_stopped"] == "as was asked");
  for (const auto &[thread, truth] : expected) {
    const Json *one = thread_of(dump, thread);
    REQUIRE(one != nullptr);
    INFO(one->dump(1));
    CHECK((*one)["read"] == "without_stop");
    CHECK((*one)["state"] == "sleeping");
    CHECK((*one)["waiting_in"].get<std::string>().starts_with(truth.first + "("));
    CHECK(has_function(*one, truth.second + "()"));
    CHECK((*one)["end"]["reason"] == "complete");
    CHECK((*one)["wait_channel"].is_string());
  }
  // The same filter does kill what stops.
  CHECK(run_where_ptrace_kills({"stacks", process_word(child)}).status == 128 + SIGSYS);

  const CommandResult text = run_inspect({"stacks", process_word(child), "--no-stop"});
  CHECK(text.err == "");
  CHECK_THAT(text.out, Contains("not stopped; ") && Contains("7 threads read without a stop: as was asked\n"));
  CHECK_THAT(text.out, Contains("sleeping in read(") && Contains("<pipe:[") && Contains("    kernel  "));
  CHECK(what_is_wrong_with(child.pid()) == "");
}

TEST_CASE("without a stop the frames are gdb's, all or the innermost ones") {
  if (!have_program("gdb"))
    SKIP_TEST("gdb is not installed");
  std::size_t whole = 0;
  std::size_t cut = 0;
  for (const std::string name : {"known_calls", "blocked_gcc", "blocked_static", "blocked_stripped", "blocked_clang",
                                 "blocked_frame_pointer", "blocked_rust", "no_unwind_tables"}) {
    if (!std::filesystem::exists(fixture_path(name)))
      continue;
    INFO(name);
    ChildProcess child({fixture_path(name)});
    child.wait_for_line();
    const Json dump = stacks_json(child.pid(), {"--no-stop"});
    const Agreement found = agreement(peer_stacks(dump), gdb_stacks(child.pid(), ""));
    if (name != "no_unwind_tables") // where gdb guesses, too
      CHECK(found.different == "");
    whole += found.whole;
    cut += found.cut;
    for (const Json &thread : dump["threads"])
      if (thread["end"]["reason"] != "complete")
        CHECK(thread["end"]["detail"].is_string());
  }
  INFO(whole << " whole, " << cut << " cut short");
  CHECK(whole > cut);
}

namespace {

/// What is wrong with a stack of fixtures/attach/two_stacks.cpp that was read; empty: it is one of the two.
std::string wrong_with(const Json &thread) {
  const std::vector<std::string> names = names_on(thread);
  std::size_t left = 0;
  std::size_t right = 0;
  for (const std::string &name : names) {
    left += name.starts_with("left(");
    right += name.starts_with("right(");
  }
  const bool complete = thread["end"]["reason"] == "complete";
  const bool is_one = (left == 13 && right == 0) || (left == 0 && right == 13);
  // Between the two, and before: asleep for want of a processor, or of memory.
  const bool is_none = left == 0 && right == 0;
  return complete && (is_one || is_none) ? "" : thread.dump(1);
}

} // namespace

TEST_CASE("on a busy program no stack that is shown is a mixture of two") {
  ChildProcess child({fixture_path("two_stacks"), "6"});
  child.wait_for_line();
  std::size_t read = 0;
  for (const std::string choice : {"none", "auto"})
    for (int round = 0; round < 40; ++round) {
      const Json dump = stacks_json(child.pid(), {"--stop", choice});
      for (const Json &thread : dump["threads"]) {
        if (thread["tid"] == child.pid() || thread["read"] == "not_read")
          continue;
        ++read;
        if (const std::string wrong = wrong_with(thread); !wrong.empty())
          FAIL_CHECK(choice << ": " << wrong);
      }
      if (choice == "auto")
        for (const Json &thread : dump["threads"])
          CHECK(thread["read"] != "not_read");
    }
  CHECK(read > 240);
}

TEST_CASE("a stop makes calls return early, and --no-stop does not") {
  ChildProcess child({fixture_path("interrupted_calls")});
  child.wait_for_line();
  const auto early = [&] {
    child.write("\n");
    std::istringstream line(child.read_line());
    int epoll = -1;
    int receive = -1;
    line >> epoll >> receive;
    return std::pair(epoll, receive);
  };
  CHECK(early() == std::pair(0, 0));
  for (int i = 0; i < 5; ++i) {
    CHECK(stacks_json(child.pid(), {"--no-stop"})["pause_us"] == 0);
    CHECK(run_inspect({"attach", process_word(child), "--no-stop", "-e", "bt", "-e", "threads", "-e", "mem"}).status ==
          0);
    // Both threads sleep, and so does the main thread.
    CHECK(stacks_json(child.pid(), {"--stop", "auto"})["why_not_stopped"] == "none of them ran");
  }
  CHECK(early() == std::pair(0, 0));
  stacks_json(child.pid());
  CHECK(wait_until([&] {
    const auto [epoll, receive] = early();
    return epoll > 0 && receive > 0;
  }));
}

TEST_CASE("a thread that waits for its vfork child is shown, with what it waits for") {
  ChildProcess child({fixture_path("held_by_vfork")});
  child.wait_for_line();
  REQUIRE(wait_until([&] { return read_process_stat(child.pid())->state == 'D'; }));
  for (const std::vector<std::string> &options : {std::vector<std::string>{}, {"--no-stop"}, {"--stop", "auto"}}) {
    const Json dump = stacks_json(child.pid(), options);
    CHECK(dump["warnings"].dump() == "[]");
    const Json *main = thread_of(dump, child.pid());
    REQUIRE(main != nullptr);
    INFO(main->dump(1));
    CHECK((*main)["read"] == "without_stop");
    CHECK((*main)["state"] == "in uninterruptible sleep");
    CHECK((*main)["waiting_in"].get<std::string>().starts_with("vfork"));
    CHECK((*main)["waiting_for"] == "waits for its vfork child to call exec or to end");
    CHECK(has_function(*main, "hold_in_vfork"));
    CHECK(has_function(*main, "start_a_job"));
    CHECK(has_function(*main, "main"));
    if (::geteuid() == 0)
      CHECK((*main)["kernel_stack"].size() > 1);
    CHECK(dump["threads"].size() == 2);
    CHECK(dump["threads"][1]["read"] == (options.empty() ? "stopped" : "without_stop"));
  }
  const CommandResult text = run_inspect({"stacks", process_word(child)});
  CHECK(text.err == "");
  CHECK_THAT(text.out, Contains("1 thread stopped, 1 read without a stop\n") &&
                           Contains(", waits for its vfork child to call exec or to end; read without a stop: it "
                                    "cannot be interrupted\n"));
  child.close_stdin();
  CHECK(child.wait() == 0);
}

TEST_CASE("a process that is traced by gdb or strace is shown without stopping it") {
  for (const std::string tracer : {"gdb", "strace"}) {
    if (!have_program(tracer)) {
      std::printf("SKIPPED: %s is not installed\n", tracer.c_str());
      continue;
    }
    INFO(tracer);
    ChildProcess child({fixture_path("known_calls")});
    child.wait_for_line();
    const std::vector<std::string> command =
        tracer == "gdb" ? std::vector<std::string>{"gdb", "-nx", "-q", "-p", process_word(child)}
                        : std::vector<std::string>{"strace", "-f", "-o", "/dev/null", "-p", process_word(child)};
    ChildProcess other(command);
    REQUIRE(wait_until([&] {
      const auto threads = list_threads(child.pid()).value();
      return std::ranges::all_of(threads,
                                 [&](pid_t thread) { return read_thread_status(child.pid(), thread)->tracer != 0; });
    }));
    Json dump;
    CHECK(wait_until([&] { // gdb stops the threads one by one
      dump = stacks_json(child.pid());
      return std::ranges::all_of(dump["threads"], [](const Json &one) { return one["read"] == "without_stop"; });
    }));
    CHECK(dump["why_not_stopped"].get<std::string>() == fmt::format("traced by {} ({})", tracer, other.pid()));
    // One may have left its call when the other began to trace: a stop of any tracer makes epoll_wait return EINTR.
    const std::size_t threads = dump["threads"].size();
    CHECK(threads >= 6);
    for (const std::string function : {"sit_in_read()", "sit_in_poll()", "sit_in_recv()"})
      CHECK(std::ranges::any_of(dump["threads"], [&](const Json &one) { return has_function(one, function); }));
    const CommandResult text = run_inspect({"stacks", process_word(child)});
    CHECK_THAT(text.out, Contains(fmt::format("{} threads read without a stop: traced by {} ({})", threads, tracer,
                                              other.pid())));
    other.signal(SIGTERM);
    other.close_stdin();
    other.wait();
  }
}

namespace {

void check_frozen(FreezerVersion version) {
  ChildProcess child({fixture_path("known_calls")});
  child.wait_for_line();
  {
    const auto group = FrozenGroup::freeze(version, child.pid());
    if (!group)
      SKIP_TEST("no control group can be frozen here");
    for (const std::vector<std::string> &options : {std::vector<std::string>{}, {"--stop", "auto"}, {"--stopped"}}) {
      const Json dump = stacks_json(child.pid(), options);
      CHECK_THAT(dump["why_not_stopped"].get<std::string>(), Contains("frozen by its control group " + group->path()));
      for (const Json &thread : dump["threads"])
        CHECK(thread["read"] == "without_stop");
      CHECK(std::ranges::any_of(dump["threads"], [](const Json &one) { return has_function(one, "sit_in_epoll()"); }));
    }
    CHECK_THAT(run_inspect({"stacks", process_word(child)}).out, Contains("(as docker pause does)"));
  }
  child.close_stdin();
  CHECK(child.wait() == 0);
}

} // namespace

TEST_CASE("a frozen process is shown, freezer of version 1") {
  check_frozen(FreezerVersion::one);
}

TEST_CASE("a frozen process is shown, freezer of version 2") {
  check_frozen(FreezerVersion::two);
}

TEST_CASE("choices that contradict each other are refused") {
  CHECK(run_inspect({"stacks", "1", "--no-stop", "--stop", "all"}).status == 2);
  CHECK(run_inspect({"stacks", "1", "--no-stop", "--stopped"}).status == 2);
  CHECK(run_inspect({"stacks", "1", "--stop", "some"}).status == 2);
  CHECK(run_inspect({"attach", "1", "--no-stop", "--stop"}).status == 2);
}

TEST_CASE("a session with --no-stop calls no ptrace, and says what needs a stop") {
  ChildProcess child({fixture_path("known_calls")});
  child.wait_for_line();
  const CommandResult result =
      run_where_ptrace_kills({"attach", process_word(child), "--no-stop", "-e", "bt", "-e", "threads", "-e", "frame 1",
                              "-e", "mem", "-e", "config -list", "-e", "stop"});
  INFO(result.out);
  CHECK(result.status == 1); // stop fails
  CHECK_THAT(result.out, Contains("main at ") && Contains("nothing is to be stopped in this session") &&
                             Contains("config stop all"));
  const CommandResult again = run_inspect(
      {"attach", process_word(child), "--no-stop", "-e", "config stop all", "-e", "stop", "-e", "continue"});
  CHECK(again.status == 0);
  CHECK(run_inspect({"attach", process_word(child), "-e", "config stop auto", "-e", "bt"}).status == 0);
}
