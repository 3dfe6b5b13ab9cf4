#include "attach/procfs/process_status.h"

#include "attach/procfs/process_list.h"
#include "tests/support/catch.h"
#include "tests/support/child_process.h"

#include <algorithm>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

namespace inspect {
namespace {

using test::ChildProcess;

const std::string numbers = " S 7 8 9 0 -1 4194304 1 2 3 4 50 60 5 6 20 0 12 0 777 4096000 10 18446744073709551615 1 1";

TEST_CASE("a stat line is read whatever the name holds") {
  for (const std::string name : {"plain", "with space", "a) R 1 (", ")", "((", "new\nline", "", "x) S 1 1 1"}) {
    const auto stat = parse_process_stat("42 (" + name + ")" + numbers);
    REQUIRE(stat.has_value());
    CHECK(stat->name == name);
    CHECK(stat->id == 42);
    CHECK(stat->state == 'S');
    CHECK(stat->parent == 7);
    CHECK(stat->process_group == 8);
    CHECK(stat->session == 9);
    CHECK(stat->flags == 4194304);
    CHECK(stat->user_ticks == 50);
    CHECK(stat->system_ticks == 60);
    CHECK(stat->threads == 12);
    CHECK(stat->start_ticks == 777);
    CHECK(stat->virtual_bytes == 4096000);
    CHECK(stat->resident_bytes == 10U * static_cast<unsigned>(getpagesize()));
    CHECK_FALSE(stat->is_kernel_thread());
  }
}

TEST_CASE("a stat line that is cut or nonsense is an error") {
  const std::string whole = "42 (name)" + numbers;
  for (const std::string &text : {std::string(), std::string("42"), std::string("42 (name"), std::string(")("),
                                  whole.substr(0, 40), std::string("x (name)") + numbers}) {
    const auto stat = parse_process_stat(text);
    REQUIRE_FALSE(stat.has_value());
    CHECK(stat.error().kind() == ErrorKind::corrupt);
  }
}

TEST_CASE("a status text gives what stat lacks, and only from whole keys") {
  const auto status = parse_process_status("Name:\tTgid: 1\\nTracerPid:\t99\nNTgid:\t5\nTgid:\t42\nTracerPid:\t0\n"
                                           "Uid:\t1000\t1001\t1002\t1003\nGid:\t5\t6\t7\t8\n"
                                           "NSpid:\t42\t7\t1\nNoNewPrivs:\t1\nSeccomp:\t2\nSeccomp_filters:\t3\n"
                                           "CapEff:\t00000000000000ff\nCoreDumping:\t1\n");
  REQUIRE(status.has_value());
  CHECK(status->thread_group == 42);
  CHECK(status->tracer == 0);
  CHECK(status->real_user == 1000);
  CHECK(status->effective_user == 1001);
  CHECK(status->seccomp_mode == 2);
  CHECK(status->seccomp_filters == 3);
  CHECK(status->no_new_privileges == true);
  CHECK(status->dumping_core);
  CHECK(status->real_group == 5);
  CHECK(status->effective_group == 6);
  CHECK(status->id_in_namespace == 1);
  CHECK(status->capabilities.value().effective == 0xff);
  CHECK_FALSE(parse_process_status("Name:\tx\n").has_value());
  CHECK_FALSE(parse_process_status("Tgid:\tx\nTracerPid:\t0\nUid:\t0\t0\n").has_value());
  const std::string least = "Tgid:\t42\nTracerPid:\t0\nUid:\t0\t0\n";
  const auto old_kernel = parse_process_status(least);
  REQUIRE(old_kernel.has_value());
  CHECK_FALSE(old_kernel->seccomp_mode.has_value());
  CHECK_FALSE(old_kernel->no_new_privileges.has_value());
  CHECK_FALSE(old_kernel->capabilities.has_value());
  for (const char *line : {"Gid:\t1\n", "NSpid:\t\n", "Seccomp:\t2x\n", "Seccomp_filters:\t-1\n", "NoNewPrivs:\t7\n",
                           "CoreDumping:\t\n", "CapEff:\tfff g\n"}) {
    INFO(line);
    const auto parsed = parse_process_status(least + line);
    REQUIRE_FALSE(parsed.has_value());
    CHECK(parsed.error().kind() == ErrorKind::corrupt);
  }
}

TEST_CASE("every state of a thread has its words, and only Z and X have ended") {
  for (const char state : std::string("RSDTtIP"))
    CHECK_FALSE((has_ended(state) || state_in_words(state) == "in an unknown state"));
  CHECK(state_in_words('T') == "stopped by a signal");
  for (const char state : std::string("ZX"))
    CHECK((has_ended(state) && state_in_words(state) == "ended"));
  CHECK(state_in_words('?') == "in an unknown state");
}

TEST_CASE("a live process with a hostile name is described right") {
  ChildProcess child = ChildProcess::forked([] {
    prctl(PR_SET_NAME, "a) R 1\n(");
    test::say_line("ready");
    pause();
    return 0;
  });
  child.wait_for_line();
  const auto stat = read_process_stat(child.pid());
  REQUIRE(stat.has_value());
  CHECK(stat->name == "a) R 1\n(");
  CHECK(stat->id == child.pid());
  CHECK(stat->parent == getpid());
  CHECK(stat->threads == 1);
  const auto status = read_process_status(child.pid());
  REQUIRE(status.has_value());
  CHECK(status->thread_group == child.pid());
  CHECK(status->tracer == 0);
  CHECK(status->effective_user == geteuid());
  REQUIRE(read_thread_stat(child.pid(), child.pid()).has_value());
  const auto no_thread = read_thread_status(child.pid(), getpid());
  REQUIRE_FALSE(no_thread.has_value());
  CHECK(no_thread.error().kind() == ErrorKind::no_such_process);
}

TEST_CASE("lists hold what exists, and a missing process is said to be missing") {
  ChildProcess child({test::fixture_path("many_threads"), "5", "3"});
  child.wait_for_line();
  const auto processes = list_processes();
  REQUIRE(processes.has_value());
  CHECK(std::ranges::is_sorted(*processes));
  CHECK(std::ranges::binary_search(*processes, child.pid()));
  CHECK(std::ranges::binary_search(*processes, getpid()));
  const auto threads = list_threads(child.pid());
  REQUIRE(threads.has_value());
  CHECK(threads->size() == 6);
  CHECK(std::ranges::binary_search(*threads, child.pid()));
  CHECK(read_executable_link(child.pid())->path == test::fixture_path("many_threads"));
  CHECK_FALSE(read_executable_link(child.pid())->deleted);
  CHECK(boot_time().value() > 0);

  const pid_t gone = [] {
    ChildProcess brief({"true"});
    brief.wait();
    return brief.pid();
  }();
  CHECK(list_threads(gone).error().kind() == ErrorKind::no_such_process);
  CHECK(read_process_stat(gone).error().kind() == ErrorKind::no_such_process);
  CHECK(read_executable_link(gone).error().kind() == ErrorKind::no_such_process);
  CHECK(living_thread(gone).error().kind() == ErrorKind::no_such_process);
  CHECK(read_process_stat(-5).error().kind() == ErrorKind::no_such_process);
}

TEST_CASE("a zombie has no living thread") {
  ChildProcess child({"true"});
  REQUIRE(test::wait_until([&] { return read_process_stat(child.pid())->state == 'Z'; }));
  const auto living = living_thread(child.pid());
  REQUIRE_FALSE(living.has_value());
  CHECK(living.error().kind() == ErrorKind::no_such_process);
  CHECK(living.error().message().find("(true)") != std::string::npos);
}

} // namespace
} // namespace inspect
