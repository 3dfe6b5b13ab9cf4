// Processes by what they are called, wherever a PID stands, and the options that others want in front of it.
#include "commands/cli/process_choice.h"
#include "tests/support/catch.h"
#include "tests/support/child_process.h"
#include "tests/support/run_command.h"
#include "tests/support/temporary_directory.h"

#include <filesystem>
#include <fmt/format.h>
#include <unistd.h>

namespace inspect::test {
namespace {

using Catch::Matchers::Contains;

ProcessRow row(pid_t process, std::string name, std::vector<std::string> command, std::string executable) {
  ProcessRow one;
  one.process = process;
  one.name = std::move(name);
  one.command = std::move(command);
  one.executable = std::move(executable);
  one.state = 'S';
  return one;
}

std::vector<pid_t> named(const std::vector<ProcessRow> &rows, std::string_view name) {
  std::vector<pid_t> found;
  for (const ProcessRow *one : rows_named(rows, name))
    found.push_back(one->process);
  return found;
}

TEST_CASE("whole names come before parts of names, and these before command lines") {
  std::vector<ProcessRow> rows{row(3, "nginx", {"nginx: master process"}, "/usr/sbin/nginx"),
                               row(4, "nginx-debug", {"nginx-debug"}, "/opt/nginx-debug"),
                               row(5, "python3", {"python3", "shop/app.py"}, "/usr/bin/python3.11"),
                               row(6, "java", {"/usr/bin/java", "-jar", "shop.jar"}, "")};
  CHECK(named(rows, "nginx") == std::vector<pid_t>{3});
  CHECK(named(rows, "python3.11") == std::vector<pid_t>{5});
  CHECK(named(rows, "NGIN") == std::vector<pid_t>{3, 4});
  CHECK(named(rows, "java") == std::vector<pid_t>{6});
  CHECK(named(rows, "shop") == std::vector<pid_t>{5, 6});
  CHECK(named(rows, "app.py") == std::vector<pid_t>{5});
  CHECK(named(rows, "").empty());
  CHECK(named(rows, "nobody").empty());
  rows[0].state = 'Z';
  CHECK(named(rows, "nginx") == std::vector<pid_t>{4});
  rows.push_back(row(::getpid(), "nobody", {"inspect", "stacks", "nobody"}, "/usr/bin/inspect"));
  CHECK(named(rows, "nobody").empty());
}

TEST_CASE("a process is named by its name, by -p or by --pid, in every command that wants one") {
  const TemporaryDirectory directory;
  const std::string name = fmt::format("choice-{}", ::getpid());
  std::filesystem::copy_file(fixture_path("many_threads"), directory / name);
  ChildProcess first({directory / name, "1", "1"});
  first.wait_for_line();
  const std::string process = std::to_string(first.pid());
  for (const std::string command : {"stacks", "maps", "mem"}) {
    INFO(command);
    const CommandResult by_name = run_inspect({command, name});
    CHECK(by_name.status == 0);
    CHECK_THAT(by_name.out, Contains(process));
    CHECK(run_inspect({command, "-p", process}).status == 0);
    CHECK(run_inspect({command, "--pid", name}).status == 0);
    CHECK(run_inspect({command, "--pid=" + process}).status == 0);
    CHECK_THAT(run_inspect({command, "-p"}).err, Contains("-p needs a process"));
  }
  CHECK(run_inspect({"attach", name, "-e", "bt"}).status == 0);
  ChildProcess second({directory / name, "1", "1"});
  second.wait_for_line();
  const CommandResult several = run_inspect({"stacks", name});
  CHECK(several.status == 2);
  CHECK_THAT(several.err, Contains(fmt::format("2 processes are called '{}': ", name)) && Contains(process + " (") &&
                              Contains("--all"));
  const CommandResult all = run_inspect({"stacks", name, "--all"});
  CHECK(all.status == 0);
  CHECK_THAT(all.out, Contains(process) && Contains(std::to_string(second.pid())));
  CHECK(run_inspect({"mem", name}).status == 2);
  const CommandResult none = run_inspect({"stacks", "no-such-name-here"});
  CHECK(none.status == 3);
  CHECK_THAT(none.err, Contains("no process is called 'no-such-name-here'") && Contains("inspect ps"));
  CHECK(run_inspect({"version"}).out == run_inspect({"--version"}).out);
}

} // namespace
} // namespace inspect::test
