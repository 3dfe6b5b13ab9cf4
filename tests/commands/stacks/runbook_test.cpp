// `inspect attach` as runbooks and long sessions use it, on real servers and across an execve.
#include "tests/support/catch.h"
#include "tests/support/child_process.h"
#include "tests/support/private_server.h"
#include "tests/support/process_health.h"
#include "tests/support/run_command.h"
#include "tests/support/skip.h"

#include <fmt/format.h>
#include <fstream>
#include <sys/wait.h>
#include <unistd.h>

namespace inspect::test {
namespace {

using Catch::Matchers::Contains;

/// Where the process' executable begins in its memory: the first line of its maps.
std::string start_of_executable(pid_t process) {
  std::ifstream maps(fmt::format("/proc/{}/maps", process));
  std::string line;
  std::getline(maps, line);
  return "0x" + line.substr(0, line.find('-'));
}

/// Of another program than ours: only then its libraries are loaded and it has come to rest.
bool is_in_nanosleep(pid_t process) {
  std::ifstream file(fmt::format("/proc/{}/syscall", process));
  std::string number;
  return status_field(process, "Name") == "sleep" && file >> number && number == "230";
}

TEST_CASE("a runbook's commands print the stack and the memory of redis-server, and leave") {
  auto server = PrivateServer::redis();
  if (!server)
    SKIP_TEST("redis-server is not installed");
  const pid_t process = server->processes().front();
  const std::string address = start_of_executable(process);
  const CommandResult result = run_inspect(
      {"attach", std::to_string(process), "-e", "bt", "-e", fmt::format("x -fmt hex -count 4 -size 8 {}", address)});
  INFO(result.err);
  CHECK(result.status == 0);
  CHECK_THAT(result.out, Contains("aeMain"));
  CHECK_THAT(result.out, Contains("_start"));
  CHECK_THAT(result.out, Contains(address + ":   0x00010102464c457f   0x0000000000000000")); // the ELF header
  CHECK(what_is_wrong_with(process).empty());
}

TEST_CASE("a session goes on with the new program after an execve") {
  ChildProcess target = ChildProcess::forked([] {
    say_line("ready");
    char byte = 0;
    if (::read(0, &byte, 1) == 1)
      ::execlp("sleep", "sleep", "1000", nullptr);
    return 1;
  });
  target.wait_for_line("ready");
  ChildProcess session({INSPECT_BINARY_DIRECTORY "/inspect", "attach", std::to_string(target.pid())});
  const auto read_until = [&](std::string_view wanted) {
    std::string line;
    while (line.find(wanted) == std::string::npos)
      line = session.read_line();
    return line;
  };
  session.write("bt\n");
  CHECK_THAT(read_until("test_commands"), Contains("test_commands"));
  read_until("_start");
  target.write("x");
  REQUIRE(wait_until([&] { return is_in_nanosleep(target.pid()); }));
  session.write("bt\n");
  CHECK_THAT(read_until("nanosleep"), Contains("nanosleep"));
  CHECK_THAT(read_until("in sleep"), !Contains("guessed")); // stripped: no names, but the module and exact frames
  session.write("exit\n");
  session.close_stdin();
  const int status = session.wait();
  CHECK(WIFEXITED(status));
  CHECK(WEXITSTATUS(status) == 0);
  CHECK(what_is_wrong_with(target.pid()).empty());
}

} // namespace
} // namespace inspect::test
