// Functions that left for another by a tail call, in dumps: as gdb has them where there is one way, and never where
// there are several.
#include "tests/support/child_process.h"
#include "tests/support/gdb_stacks.h"
#include "tests/support/skip.h"
#include "tests/support/stacks_json.h"

#include <algorithm>
#include <filesystem>
#include <fmt/format.h>

namespace inspect::test {
namespace {

using Json = nlohmann::json;

/// The functions from the one that waits to the one that began, those without a frame in brackets.
std::string chain_to(const Json &dump, const std::string &begin) {
  for (const Json &thread : dump["threads"]) {
    std::string chain;
    for (const Json &frame : thread["frames"]) {
      const std::string function = frame["function"].is_null() ? "?" : frame["function"].get<std::string>();
      chain += chain.empty() ? "" : " ";
      chain += frame.contains("tail_call") ? "(" + function + ")" : function;
      if (function == begin)
        return chain.substr(chain.find("wait_"));
    }
  }
  return "no thread";
}

void check_chains(const std::string &program) {
  INFO(program);
  ChildProcess process({fixture_path(program)});
  process.wait_for_line();
  const Json dump = test::stacks_json(process.pid());
  CHECK(chain_to(dump, "begin_one_way") == "wait_for_ever (leave) (middle) (open_way) begin_one_way");
  CHECK(chain_to(dump, "begin_two_ways") == "wait_at_fork begin_two_ways");
  CHECK(chain_to(dump, "begin_recursion") == "wait_after_recursion begin_recursion");
  CHECK(chain_to(dump, "begin_pointer") == "wait_for_ever begin_pointer");

  const CommandResult text = run_inspect({"stacks", std::to_string(process.pid())});
  CHECK_THAT(text.out, Catch::Matchers::Contains("tail_calls.c:34 (tail call)\n"));
  const auto one_way = std::ranges::find_if(
      dump["threads"], [](const Json &thread) { return thread.dump().find("begin_one_way") != std::string::npos; });
  REQUIRE(one_way != dump["threads"].end());
  const CommandResult session = run_inspect({"attach", std::to_string(process.pid()), "-e",
                                             fmt::format("thread {}", (*one_way)["tid"].get<int>()), "-e", "frame 3",
                                             "-e", "args", "-e", "regs", "-e", "up", "-e", "args", "-e", "down"});
  INFO(session.out << session.err);
  // The constant that the first was passed, and passed on: GCC knows it in both, clang tells what begin_one_way passed.
  if (program == "tail_calls_gcc")
    CHECK_THAT(session.out,
               Catch::Matchers::Matches("[^]*middle at [^]*fixed = 17\n[^]*open_way at [^]*fixed = 17\n[^]*"));
  else
    CHECK_THAT(session.out, Catch::Matchers::Matches("[^]*open_way at [^]*fixed@entry = 17\n[^]*"));
  const CommandResult counted =
      run_inspect({"attach", std::to_string(process.pid()), "-e", "bt", "-e", "frame 1", "-e", "args"});
  INFO(counted.out << counted.err);
  CHECK_THAT(counted.out, Catch::Matchers::EndsWith(program == "tail_calls_gcc" ? "left = 3\nleft@entry = 6\n"
                                                                                : "left@entry = 6\n"));

  // gdb 13 does not know the way in which clang describes a jump.
  if (program == "tail_calls_clang")
    return;
  const PeerStacks theirs = gdb_stacks(process.pid(), "");
  std::string functions;
  for (const PeerFrame &frame : theirs.at((*one_way)["tid"].get<pid_t>()))
    functions += frame.function + " ";
  CHECK_THAT(functions, Catch::Matchers::Contains("wait_for_ever leave middle open_way begin_one_way "));
}

TEST_CASE("frames that tail calls left out are shown where there is one way") {
  std::size_t checked = 0;
  for (const char *program : {"tail_calls_gcc", "tail_calls_clang"})
    if (std::filesystem::exists(fixture_path(program))) {
      check_chains(program);
      ++checked;
    }
  if (checked == 0)
    SKIP_TEST("neither gcc nor clang is here");
}

} // namespace
} // namespace inspect::test
