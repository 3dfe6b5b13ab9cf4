// Processes that cannot be looked into, and what is said of each.
#include "attach/procfs/process_list.h"
#include "attach/procfs/process_status.h"
#include "attach/ptrace/stopped_process.h"
#include "attach/snapshot/live_memory.h"
#include "tests/attach/snapshot/heartbeat.h"
#include "tests/support/catch.h"
#include "tests/support/skip.h"

#include <algorithm>
#include <fcntl.h>
#include <grp.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

namespace inspect {
namespace {

using test::ChildProcess;
using test::Heartbeat;

bool mentions(const std::string &text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

Error refusal(pid_t process) {
  const auto stopped = StoppedProcess::stop(process, {});
  return stopped ? Error(ErrorKind::usage, "it was stopped") : stopped.error();
}

TEST_CASE("what does not exist, has ended, is a thread or is ourselves is refused") {
  CHECK(refusal(0).kind() == ErrorKind::no_such_process);
  CHECK(refusal(-1).kind() == ErrorKind::no_such_process);
  CHECK(refusal(0x7ffffff0).kind() == ErrorKind::no_such_process);

  ChildProcess ended({"true"});
  REQUIRE(test::wait_until([&] { return read_process_stat(ended.pid())->state == 'Z'; }));
  const Error zombie = refusal(ended.pid());
  CHECK(zombie.kind() == ErrorKind::no_such_process);
  CHECK(mentions(zombie.message(), "ended"));

  const Heartbeat target(2);
  const auto threads = list_threads(target.pid()).value();
  const Error thread = refusal(threads[1]);
  CHECK(thread.kind() == ErrorKind::no_such_process);
  CHECK(mentions(thread.message(), std::to_string(target.pid())));

  CHECK(refusal(getpid()).kind() == ErrorKind::unsupported);
}

TEST_CASE("a thread of the kernel is refused") {
  const auto processes = list_processes().value();
  const auto kernel_thread = std::ranges::find_if(processes, [](pid_t process) {
    const auto stat = read_process_stat(process);
    return stat && stat->is_kernel_thread();
  });
  if (kernel_thread == processes.end())
    SKIP_TEST("this pid namespace shows no kernel threads");
  const Error error = refusal(*kernel_thread);
  CHECK(error.kind() == ErrorKind::unsupported);
  CHECK(mentions(error.message(), "kernel"));
}

TEST_CASE("a process that is traced already names its tracer") {
  const Heartbeat target(2);
  ChildProcess tracer = ChildProcess::forked([&] {
    prctl(PR_SET_NAME, "other-tracer");
    test::say_line(ptrace(PTRACE_SEIZE, target.pid(), nullptr, nullptr) == 0 ? "ready" : "failed");
    pause();
    return 0;
  });
  tracer.wait_for_line();
  const Error error = refusal(target.pid());
  CHECK(error.kind() == ErrorKind::already_traced);
  CHECK(mentions(error.message(), std::to_string(tracer.pid())));
  CHECK(mentions(error.message(), "other-tracer"));
  CHECK_FALSE(error.remedy().empty());
  CHECK(target.every_thread_runs());
}

TEST_CASE("a thread that another tracer holds is left out, the others are stopped") {
  const Heartbeat target(3);
  const auto threads = list_threads(target.pid()).value();
  ChildProcess other = ChildProcess::forked([&] {
    test::say_line(ptrace(PTRACE_SEIZE, threads[2], nullptr, nullptr) == 0 ? "ready" : "failed");
    pause();
    return 0;
  });
  other.wait_for_line();
  const auto stopped = StoppedProcess::stop(target.pid(), {});
  REQUIRE(stopped.has_value());
  REQUIRE(stopped->threads().size() == 4);
  CHECK(stopped->threads()[2].state == StopState::not_traceable);
  CHECK(mentions(stopped->threads()[2].reason, std::to_string(other.pid())));
  CHECK(stopped->threads()[3].state == StopState::stopped);
}

/// Runs `body` as the user nobody; its exit status.
int as_nobody(const std::function<int()> &body) {
  constexpr uid_t nobody = 65534;
  ChildProcess child = ChildProcess::forked([&] {
    if (setgroups(0, nullptr) != 0 || setgid(nobody) != 0 || setuid(nobody) != 0)
      return 98;
    return body();
  });
  const int status = child.wait();
  return WIFEXITED(status) ? WEXITSTATUS(status) : 97;
}

TEST_CASE("another user's process names the missing right") {
  if (geteuid() != 0)
    SKIP_TEST("needs root to become another user");
  const Heartbeat target(2);
  CHECK(as_nobody([&] {
          const Error error = refusal(target.pid());
          const auto memory = LiveMemory::open(target.pid());
          if (error.kind() != ErrorKind::not_permitted || !mentions(error.remedy(), "CAP_SYS_PTRACE"))
            return 1;
          if (!mentions(error.message(), "root") || !mentions(error.message(), std::to_string(target.pid())))
            return 2;
          return memory.has_value() || memory.error().kind() != ErrorKind::not_permitted ? 3 : 0;
        }) == 0);
  CHECK(target.every_thread_runs());
}

TEST_CASE("a process that protects itself from its own user says so") {
  if (geteuid() != 0)
    SKIP_TEST("needs root to become another user");
  CHECK(as_nobody([] {
          ChildProcess target = ChildProcess::forked([] {
            prctl(PR_SET_DUMPABLE, 0);
            test::say_line("ready");
            pause();
            return 0;
          });
          target.wait_for_line();
          const Error error = refusal(target.pid());
          if (error.kind() != ErrorKind::not_permitted)
            return 1;
          return mentions(error.remedy(), "PR_SET_DUMPABLE") || mentions(error.remedy(), "ptrace_scope") ? 0 : 2;
        }) == 0);
}

/// A 32-bit program, in 93 bytes: an ELF header, one program header, and code that sleeps in pause(2) without end.
std::vector<unsigned char> program_of_32_bits() {
  std::vector<unsigned char> bytes{0x7f, 'E', 'L', 'F', 1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0};
  const auto half = [&](unsigned value) {
    bytes.push_back(static_cast<unsigned char>(value & 0xffU));
    bytes.push_back(static_cast<unsigned char>(value >> 8U));
  };
  const auto word = [&](unsigned value) {
    half(value & 0xffffU);
    half(value >> 16U);
  };
  constexpr unsigned base = 0x08048000;
  constexpr unsigned code_offset = 84;
  const std::vector<unsigned char> code{0xb8, 29, 0, 0, 0, 0xcd, 0x80, 0xeb, 0xf7}; // mov $29,%eax; int $0x80; jmp
  const auto size = static_cast<unsigned>(code_offset + code.size());
  for (const unsigned value : {2U, 3U})
    half(value); // ET_EXEC, EM_386
  for (const unsigned value : {1U, base + code_offset, 52U, 0U, 0U})
    word(value); // version, entry, program headers, section headers, flags
  for (const unsigned value : {52U, 32U, 1U, 0U, 0U, 0U})
    half(value); // sizes and counts
  for (const unsigned value : {1U, 0U, base, base, size, size, 5U, 0x1000U})
    word(value); // PT_LOAD, readable and executable
  bytes.insert(bytes.end(), code.begin(), code.end());
  return bytes;
}

TEST_CASE("a 32-bit process is refused and runs on") {
  std::string path = "/tmp/inspect-32-bit-XXXXXX";
  const int file = mkstemp(path.data());
  const auto bytes = program_of_32_bits();
  REQUIRE(write(file, bytes.data(), bytes.size()) == static_cast<ssize_t>(bytes.size()));
  REQUIRE(fchmod(file, 0700) == 0);
  close(file);
  ChildProcess child({path});
  const bool started = test::wait_until([&] {
    const auto link = read_executable_link(child.pid());
    const auto stat = read_process_stat(child.pid());
    return (link && link->path == path && stat && stat->state == 'S') || (stat && stat->state == 'Z');
  });
  unlink(path.c_str());
  REQUIRE(started);
  if (read_process_stat(child.pid())->state == 'Z')
    SKIP_TEST("this kernel runs no 32-bit programs");
  const Error error = refusal(child.pid());
  CHECK(error.kind() == ErrorKind::unsupported);
  CHECK(mentions(error.message(), "32-bit"));
  CHECK(test::is_left_alone(child.pid()));
}

TEST_CASE("the init process of a pid namespace is stopped like any other") {
  ChildProcess outer = ChildProcess::forked([] {
    if (unshare(CLONE_NEWPID) != 0) {
      test::say_line("0");
      return 0;
    }
    const pid_t init = fork();
    if (init == 0) {
      prctl(PR_SET_PDEATHSIG, SIGKILL);
      for (;;)
        pause();
    }
    test::say_line(std::to_string(init));
    return waitpid(init, nullptr, 0) == init ? 0 : 1;
  });
  const auto init = static_cast<pid_t>(std::stol(outer.read_line()));
  if (init == 0)
    SKIP_TEST("making a pid namespace is not permitted");
  CHECK(refusal(init).kind() == ErrorKind::usage); // which stands for: it was stopped
  CHECK(test::is_left_alone(init));
  kill(init, SIGKILL);
}

} // namespace
} // namespace inspect
