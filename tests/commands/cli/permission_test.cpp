// What a plain user gets from the built program: all of his own processes, and of the others what can be known.
#include "tests/support/catch.h"
#include "tests/support/child_process.h"
#include "tests/support/run_command.h"
#include "tests/support/skip.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>
#include <unistd.h>

using namespace inspect::test;
using Catch::Matchers::Contains;
using nlohmann::json;

namespace {

const std::vector<std::string> as_nobody = {"setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"};

std::vector<std::string> command_of_nobody(const std::vector<std::string> &command) {
  std::vector<std::string> words = as_nobody;
  words.insert(words.end(), command.begin(), command.end());
  return words;
}

CommandResult run_as_nobody(const std::vector<std::string> &arguments) {
  std::vector<std::string> words = command_of_nobody({INSPECT_BINARY_DIRECTORY "/inspect"});
  words.insert(words.end(), arguments.begin(), arguments.end());
  return run_command(words);
}

#define NEEDS_NOBODY()                                                                                                 \
  if (::geteuid() != 0 || run_as_nobody({"--version"}).status != 0)                                                    \
  SKIP_TEST("this needs root, setpriv, and a build that the user nobody may run")

} // namespace

TEST_CASE("ps as a plain user: every process is listed, and what could not be seen is said") {
  NEEDS_NOBODY();
  ChildProcess own(command_of_nobody({fixture_path("many_threads"), "3", "2"}));
  own.wait_for_line();
  ChildProcess foreign({fixture_path("many_threads"), "3", "2"});
  foreign.wait_for_line();
  const CommandResult result = run_as_nobody({"ps", "--json"});
  REQUIRE(result.status == 0);
  std::set<pid_t> listed;
  json own_row;
  json foreign_row;
  const json all = json::parse(result.out);
  for (const json &row : all["processes"]) {
    listed.insert(row["pid"].get<pid_t>());
    if (row["pid"] == own.pid())
      own_row = row;
    if (row["pid"] == foreign.pid())
      foreign_row = row;
  }
  CHECK(listed.contains(1));
  REQUIRE(own_row.is_object());
  REQUIRE(foreign_row.is_object());
  CHECK(own_row["threads"] == 4);
  CHECK(own_row["executable"] == fixture_path("many_threads"));
  CHECK(own_row["runtime"]["kind"] != "unknown");
  CHECK(foreign_row["threads"] == 4);
  CHECK(foreign_row["user"] == "root");
  CHECK(foreign_row["command"] == json({fixture_path("many_threads"), "3", "2"}));
  const CommandResult text = run_as_nobody({"ps", "many_threads"});
  CHECK(text.status == 0);
  INFO(text.out << "\nerr: " << text.err);
  CHECK_THAT(text.out, Contains("root"));
  CHECK_THAT(text.out, Contains("could not be inspected: missing CAP_SYS_PTRACE"));
}

TEST_CASE("stacks as a plain user: his own process") {
  NEEDS_NOBODY();
  ChildProcess own(command_of_nobody({fixture_path("many_threads"), "3", "2"}));
  own.wait_for_line();
  const CommandResult result = run_as_nobody({"stacks", std::to_string(own.pid())});
  CHECK(result.status == 0);
  // Names of static functions and lines come from the file, which is opened without map_files.
  CHECK_THAT(result.out, Contains("sleep_until_released") && Contains("many_threads.cpp:") && Contains("main"));
  const CommandResult session = run_as_nobody({"attach", std::to_string(own.pid()), "-e", "bt", "-e", "regs"});
  CHECK(session.status == 0);
  CHECK_THAT(session.out, Contains("main") && Contains("rip"));
}

TEST_CASE("stacks as a plain user: the process of another") {
  NEEDS_NOBODY();
  ChildProcess foreign({fixture_path("many_threads"), "3", "2"});
  foreign.wait_for_line();
  for (const char *command : {"stacks", "attach"}) {
    const CommandResult refused = run_as_nobody({command, std::to_string(foreign.pid())});
    INFO(refused.err);
    CHECK(refused.status == 4);
    CHECK(refused.out.empty());
    CHECK_THAT(refused.err,
               Contains("of user root could not be inspected") && Contains("sudo") && Contains("CAP_SYS_PTRACE"));
  }
}

TEST_CASE("stacks as a plain user: one process of his own and one that is not") {
  NEEDS_NOBODY();
  ChildProcess own(command_of_nobody({fixture_path("many_threads"), "1", "2"}));
  own.wait_for_line();
  const CommandResult result = run_as_nobody({"stacks", "1", std::to_string(own.pid())});
  CHECK(result.status != 0);
  CHECK_THAT(result.out, Contains("sleep_until_released"));
  CHECK_THAT(result.err, Contains("process 1"));
}

TEST_CASE("CAP_SYS_PTRACE alone is enough for the process of another") {
  const std::vector<std::string> tracer = {"setpriv",
                                           "--reuid=1",
                                           "--regid=1",
                                           "--clear-groups",
                                           "--inh-caps=+sys_ptrace",
                                           "--ambient-caps=+sys_ptrace",
                                           INSPECT_BINARY_DIRECTORY "/inspect"};
  const auto run_with_capability = [&](const std::vector<std::string> &arguments) {
    std::vector<std::string> words = tracer;
    words.insert(words.end(), arguments.begin(), arguments.end());
    return run_command(words);
  };
  NEEDS_NOBODY();
  if (run_with_capability({"--version"}).status != 0)
    SKIP_TEST("setpriv cannot give a capability here");
  ChildProcess foreign(command_of_nobody({fixture_path("many_threads"), "3", "2"}));
  foreign.wait_for_line();
  const std::string process = std::to_string(foreign.pid());
  const CommandResult stacks = run_with_capability({"stacks", process});
  INFO(stacks.out << stacks.err);
  CHECK(stacks.status == 0);
  CHECK_THAT(stacks.out, Contains("sleep_until_released") && Contains("many_threads.cpp:") && Contains("main"));
  CHECK(stacks.err.empty());
  const CommandResult session = run_with_capability({"attach", process, "-e", "bt", "-e", "regs", "-e", "x $rsp"});
  INFO(session.out << session.err);
  CHECK(session.status == 0);
  CHECK_THAT(session.out, Contains("main") && Contains("rip"));
  const CommandResult memory = run_with_capability({"mem", process});
  CHECK(memory.status == 0);
  // What does need rights to files is said to need those.
  const CommandResult details = run_with_capability({"ps", process});
  INFO(details.out << details.err);
  CHECK(details.status == 0);
  CHECK_THAT(details.out + details.err, Contains("CAP_DAC_READ_SEARCH") && !Contains("does not reach"));
}
