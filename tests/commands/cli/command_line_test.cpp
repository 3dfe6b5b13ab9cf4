// The contract of the command line that no single command owns: help, version, exit statuses, failing outputs, colours.
#include "commands/cli/command_spec.h"
#include "commands/cli/output.h"
#include "tests/support/catch.h"
#include "tests/support/run_command.h"
#include "tests/support/terminal.h"

#include <algorithm>
#include <fmt/format.h>
#include <set>

using namespace inspect::test;
using Catch::Matchers::Contains;
using Catch::Matchers::Matches;

namespace {

CommandResult shell(const std::string &script) {
  return run_command({"bash", "-c", script});
}

const std::string binary = INSPECT_BINARY_DIRECTORY "/inspect";

} // namespace

TEST_CASE("without arguments a short usage goes to standard error") {
  const CommandResult result = run_inspect({});
  CHECK(result.status == 2);
  CHECK(result.out.empty());
  CHECK_THAT(result.err, Contains("usage: inspect COMMAND"));
}

TEST_CASE("the version names the program, its commit and the libraries") {
  const CommandResult result = run_inspect({"--version"});
  CHECK(result.status == 0);
  CHECK(result.out.starts_with("inspect "));
  CHECK_THAT(result.out, Matches("inspect [0-9]+\\.[0-9]+\\.[0-9]+( \\(commit [0-9a-f]{12}(\\+changes)?\\))?\n"
                                 "libdw 0\\.[0-9]+, liblzma [0-9.]+, zlib [0-9.]+, Zydis [0-9.]+, fmt [0-9.]+, "
                                 "nlohmann_json [0-9.]+, libedit [0-9.]+\n"));
  const CommandResult worker = run_command({INSPECT_BINARY_DIRECTORY "/inspect-dwarfindex", "--version"});
  CHECK(worker.status == 0);
  CHECK_THAT(worker.out, Matches("inspect-dwarfindex [0-9.]+ \\(libdwarf [0-9.]+\\)\n"));
}

TEST_CASE("help comes in every form people try") {
  const std::string list = run_inspect({"help"}).out;
  CHECK_THAT(list, Contains("attach"));
  CHECK(run_inspect({"--help"}).out == list);
  const std::string attach = run_inspect({"help", "attach"}).out;
  CHECK_THAT(attach, Contains("inspect attach PID"));
  CHECK(run_inspect({"attach", "--help"}).out == attach);
  CHECK(run_inspect({"attach", "1", "-h"}).out == attach);
  CHECK_THAT(run_inspect({"help", "bt"}).out, Contains("bt [-full] [DEPTH] [full]"));
}

TEST_CASE("what is not understood is said in one sentence, with what may be meant") {
  const CommandResult command = run_inspect({"stakcs"});
  CHECK(command.status == 2);
  CHECK(command.err == "inspect: there is no command 'stakcs'; did you mean 'stacks'?\n  try: inspect help\n");
  const CommandResult option = run_inspect({"attach", "1", "--read-onyl"});
  CHECK(option.status == 2);
  CHECK_THAT(option.err, Contains("did you mean '--read-only'?"));
  const CommandResult control = run_inspect({"\x1b[31m"});
  CHECK_THAT(control.err, Contains("'\\x1b[31m'"));
}

TEST_CASE("a full disk is a failure, a closed pipe a quiet one") {
  const CommandResult full = shell(binary + " help > /dev/full");
  CHECK(full.status == 1);
  CHECK_THAT(full.err, Contains("No space left on device"));
  const CommandResult closed = shell("{ " + binary + " help; echo status $? >&2; } | true; sleep 0.1");
  CHECK_THAT(closed.err, !Contains("inspect:"));
}

TEST_CASE("a closed pipe makes the exit status 1") {
  // The reading end is closed before the program starts, so that no write can succeed.
  const CommandResult result = shell("exec 3> >(exec true); wait $!; " + binary + " help >&3; echo $?");
  CHECK(result.out == "1\n");
  CHECK(result.err.empty());
}

TEST_CASE("colour is for terminals, and NO_COLOR and TERM=dumb turn it off") {
  CHECK_THAT(run_inspect({"stacks", "--help"}).out, !Contains("\x1b["));
  const auto on_terminal = [&](const std::string &environment) {
    Terminal terminal({"/usr/bin/env", "-u", "NO_COLOR", "sh", "-c",
                       fmt::format("{} {} stacks $$ 2>/dev/null & wait; {} {} ps --all | cat; {} {} ps", environment,
                                   binary, environment, binary, environment, binary)});
    terminal.wait_for_end();
    return terminal.unseen();
  };
  CHECK_THAT(on_terminal("TERM=xterm"), Contains("\x1b["));
  CHECK_THAT(on_terminal("TERM=dumb"), !Contains("\x1b["));
  CHECK_THAT(on_terminal("NO_COLOR=1 TERM=xterm"), !Contains("\x1b["));
  CHECK_THAT(on_terminal("NO_COLOR= TERM=xterm"), Contains("\x1b["));
}

TEST_CASE("the table of commands is in order") {
  std::set<std::string> names;
  for (const inspect::CommandSpec &spec : inspect::command_table()) {
    CAPTURE(spec.name);
    CHECK(spec.run);
    CHECK((spec.on_command_line || spec.in_session));
    CHECK_FALSE(spec.summary.empty());
    CHECK_FALSE(spec.summary.ends_with('.'));
    CHECK(names.insert(spec.name).second);
    for (const std::string &alias : spec.aliases)
      CHECK(names.insert(alias).second);
    std::set<std::string> options;
    for (const inspect::OptionSpec &option : spec.options) {
      CHECK(option.name.starts_with('-'));
      CHECK_FALSE(option.help.empty());
      CHECK(options.insert(option.name).second);
      CHECK((option.short_name.empty() || options.insert(option.short_name).second));
    }
    // Only the last positional may repeat, and none that is required may follow one that is not.
    for (std::size_t at = 0; at + 1 < spec.positionals.size(); ++at) {
      CHECK_FALSE(spec.positionals[at].repeatable);
      CHECK((spec.positionals[at].required || !spec.positionals[at + 1].required));
    }
  }
}
