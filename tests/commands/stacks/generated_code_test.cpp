// Code that a program makes at run time, between code of modules: frames, names, and what is said of scripts.
#include "tests/support/child_process.h"
#include "tests/support/skip.h"
#include "tests/support/stacks_json.h"

#include <fmt/format.h>

namespace inspect::test {
namespace {

using Catch::Matchers::Contains;

TEST_CASE("stacks lead through generated code that keeps frame pointers") {
  for (const std::string how : {"", "map", "described", "damaged"}) {
    INFO(how);
    std::vector<std::string> command{fixture_path("generated_code")};
    if (!how.empty())
      command.push_back(how);
    ChildProcess program(command);
    program.wait_for_line();
    const nlohmann::json dump = test::stacks_json(program.pid());
    check_complete(dump);
    std::string frames;
    for (const auto &frame : dump["threads"][0]["frames"]) {
      if (frame.contains("anonymous_code"))
        CHECK(frame["module"].is_null());
      frames += (frame["function"].is_null() ? "?" : frame["function"].get<std::string>()) +
                (frame.contains("anonymous_code") ? "* " : " ");
    }
    const std::string inner = how == "map" ? "Interpreter::inner(int) [jit]*" : "Interpreter::inner(int)*";
    CHECK_THAT(frames, Contains(how.empty() ? "wait_in_c ?* ?* call_generated main "
                                            : "wait_in_c " + inner + " outer* call_generated main "));
    const CommandResult text = run_inspect({"stacks", std::to_string(program.pid())});
    CHECK_THAT(text.out, Contains(!how.empty() ? "outer+0x14 in JIT code (guessed)"
                                               : " in anonymous executable memory (JIT code?) (guessed)"));
    CHECK(text.err.empty()); // that its code was looked at makes no stack inconsistent
  }
}

TEST_CASE("a note says which tool shows the frames of scripts") {
  if (run_command({"python3", "-c", ""}).status != 0)
    SKIP_TEST("no python3 here");
  ChildProcess script({"python3", "-c", "print('ready', flush=True); import sys; sys.stdin.read()"});
  script.wait_for_line();
  const CommandResult text = run_inspect({"stacks", std::to_string(script.pid())});
  CHECK_THAT(text.out,
             Contains(fmt::format("\nPython frames are not shown: py-spy dump --pid {} shows them\n\n", script.pid())));
  CHECK(test::stacks_json(script.pid())["note"].is_string());
  ChildProcess native({fixture_path("many_threads"), "1", "1"});
  native.wait_for_line();
  CHECK_FALSE(test::stacks_json(native.pid()).contains("note"));
}

} // namespace
} // namespace inspect::test
