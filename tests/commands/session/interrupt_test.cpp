// Ctrl-C and SIGTERM while something takes long: the command or the program ends soon, the target runs on.
#include "commands/session/interrupt.h"

#include "tests/support/catch.h"
#include "tests/support/child_process.h"
#include "tests/support/process_health.h"
#include "tests/support/run_command.h"
#include "tests/support/skip.h"
#include "tests/support/temporary_directory.h"
#include "tests/support/terminal.h"

#include <chrono>
#include <csignal>
#include <filesystem>
#include <fmt/format.h>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>

namespace inspect::test {
namespace {

using namespace std::chrono_literals;

const std::string program = INSPECT_BINARY_DIRECTORY "/inspect";

/// A process whose debug file is known by its checksum alone and is nearly four gigabytes long: seconds of reading,
/// before its first function has a name.
struct SlowTarget {
  TemporaryDirectory folder;
  std::string reason; ///< why there is none; empty: there is one

  SlowTarget() {
    const std::string script = fmt::format(
        "cd {} && cp {} slow && objcopy --remove-section .note.gnu.build-id slow && "
        "objcopy --only-keep-debug slow slow.debug && strip slow && objcopy --add-gnu-debuglink=slow.debug slow && "
        "truncate -s 4290000000 slow.debug",
        folder.path(), fixture_path("many_threads"));
    const auto made = run_command({"sh", "-c", script});
    if (made.status != 0)
      reason = "no such file can be made here: " + made.err;
  }
  std::vector<std::string> command() const { return {folder / "slow", "2", "3"}; }
};

/// Whether the process reads the debug file.
bool reads_long(pid_t process) {
  const auto maps = run_command({"cat", fmt::format("/proc/{}/maps", process)});
  return maps.out.find("slow.debug") != std::string::npos;
}

} // namespace

TEST_CASE("Ctrl-C ends a session's command while a checksum is worked out, and the prompt comes back") {
  const SlowTarget slow;
  if (!slow.reason.empty())
    SKIP_TEST(slow.reason.c_str());
  ChildProcess target(slow.command());
  target.wait_for_line();
  const TemporaryDirectory home;
  Terminal session({"/usr/bin/env", "HOME=" + home.path(), program, "attach", std::to_string(target.pid())});
  // First what is read ahead of the first prompt, then a command.
  for (const bool command : {false, true}) {
    INFO(command);
    if (command)
      session.type("bt\r");
    REQUIRE(wait_until([&] { return reads_long(session.pid()); }, 30s));
    session.type("\x03");
    CHECK(session.wait_for("cancelled", 20s));
    CHECK(session.wait_for("running) ", 20s));
  }
  session.type("\x04");
  CHECK(session.wait_for_end() == 0);
  CHECK(what_is_wrong_with(target.pid()).empty());
}

TEST_CASE("SIGINT and SIGTERM end a dump while a checksum is worked out") {
  const SlowTarget slow;
  if (!slow.reason.empty())
    SKIP_TEST(slow.reason.c_str());
  ChildProcess target(slow.command());
  target.wait_for_line();
  const TemporaryDirectory folder;
  const std::string output = folder.write("out", "old");
  for (const int number : {SIGINT, SIGTERM}) {
    ChildProcess dump({program, "stacks", std::to_string(target.pid()), "-o", output});
    REQUIRE(wait_until([&] { return reads_long(dump.pid()); }, 30s));
    dump.signal(number);
    CHECK(dump.wait() == number); // as waitpid(2) tells an end by a signal
    CHECK(what_is_wrong_with(target.pid()).empty());
  }
  CHECK(std::distance(std::filesystem::directory_iterator(folder.path()), std::filesystem::directory_iterator()) == 1);
}

TEST_CASE("a command that does not look at its cancellation ends with the program, one that looks does not") {
  for (const bool looks : {false, true}) {
    INFO(looks);
    ChildProcess session = ChildProcess::forked([looks] {
      Cancellation cancellation;
      const auto guard = InterruptGuard::begin(cancellation);
      if (!guard)
        return 1;
      {
        const InterruptibleCommand command;
        say_line("ready");
        while (!looks || !cancellation.requested())
          std::this_thread::sleep_for(10ms);
      }
      std::this_thread::sleep_for(1500ms); // at the prompt nothing ends any more
      return 7;
    });
    session.wait_for_line();
    session.signal(SIGINT);
    const int status = session.wait();
    CHECK(WIFSIGNALED(status) == !looks);
    CHECK((looks ? WEXITSTATUS(status) == 7 : WTERMSIG(status) == SIGINT));
  }
}

TEST_CASE("Ctrl-C between two commands ends neither of them nor the session") {
  ChildProcess session = ChildProcess::forked([] {
    Cancellation cancellation;
    const auto guard = InterruptGuard::begin(cancellation);
    say_line("ready");
    while (guard && !cancellation.requested())
      std::this_thread::sleep_for(10ms);
    cancellation.clear();
    const InterruptibleCommand command;
    std::this_thread::sleep_for(1500ms);
    return cancellation.requested() ? 1 : 7;
  });
  session.wait_for_line();
  session.signal(SIGINT);
  CHECK(session.wait() == 7 << 8);
}

} // namespace inspect::test
