// The arguments of Go functions, optimised and not: what a dump says of them, what a session says, and what the program
// passed. A dump's line and `args` are two ways to the same answer.
#include "tests/support/child_process.h"
#include "tests/support/go_toolchain.h"
#include "tests/support/skip.h"
#include "tests/support/stacks_json.h"

#include <algorithm>
#include <map>
#include <set>
#include <sstream>

namespace inspect::test {
namespace {

using Json = nlohmann::json;
using Values = std::map<std::string, std::string>;

/// As they were passed (fixtures/golang/passed_arguments); {}: any pointer.
const std::map<std::string, Values> &passed() {
  static const std::map<std::string, Values> all{
      {"main.mixed",
       {{"t", R"(*main.item {A: 1, S: []string len: 2, cap: 2, ["a","b"], P: *7})"},
        {"c", "chan int 0/4"},
        {"z", "(1.5 + -2i)"},
        {"u", "255"},
        {"d", "2.5"},
        {"e", R"(error(*errors.errorString) "boom")"},
        {"b", R"([]uint8 len: 5, cap: 5, "hello")"},
        {"m", R"(map[string]int ["k": 1, ])"},
        {"none", "*main.item nil"}}},
      {"main.many",
       {{"a1", "101"},
        {"a2", "102"},
        {"a3", "103"},
        {"a4", "104"},
        {"a5", "105"},
        {"a6", "106"},
        {"a7", "107"},
        {"a8", "108"},
        {"a9", "109"},
        {"a10", "110"},
        {"a11", "111"},
        {"a12", "112"}}},
      {"main.parts",
       {{"list", "[]int len: 2, cap: 2, [4,5]"},
        {"text", R"("text")"},
        {"pair", "main.uneven {Small: -3, Large: 70000}"},
        {"where", "main.point {X: 0.5, Y: 8}"},
        {"one", R"([1]string ["only"])"},
        {"any", "interface {}(int) 42"}}},
      {"main.capacities", {{"list", "[]int len: 2, cap: 6, [0,0]"}, {"other", "[]string len: 0, cap: 11, []"}}},
      {"main.wide", {{"array", "[3]int [1,2,3]"}, {"matrix", "[2][2]int8 [[1,2],[3,4]]"}, {"after", "-16"}}},
      {"main.server.method", {{"s", R"(main.server {name: "web", port: 8080})"}, {"by", "5"}}},
      {"main.unused",
       {{"number", "21"}, {"text", R"("unused")"}, {"list", "[]int len: 1, cap: 1, [6]"}, {"floating", "0.25"}}},
      {"main.changed", {{"number", "42"}, {"text", R"("so!")"}}},
  };
  return all;
}

/// What the optimised function uses after it has waited, which it must have kept: in Go 1.17 and later.
const std::map<std::string, std::set<std::string>> &kept() {
  static const std::map<std::string, std::set<std::string>> all{
      {"main.mixed", {"t", "c", "u", "d", "e", "m", "none"}},
      {"main.many", {"a1", "a2", "a3", "a4", "a5", "a6", "a7", "a8", "a9", "a10", "a11", "a12"}},
      {"main.wide", {"array", "matrix", "after"}},
      {"main.server.method", {"by"}},
  };
  return all;
}

std::size_t frame_of(const Json &goroutine, const std::string &function) {
  const Json &frames = goroutine["frames"];
  std::size_t index = 0;
  while (index < frames.size() && frames[index]["function"] != function)
    ++index;
  return index;
}

/// Those of an argument whose parts are not all known are left: "len: 2, cap: ..., at 0xc000012345, ...".
bool is_partial(const std::string &value) {
  return value.find("...") != std::string::npos || value.find("optimized out") != std::string::npos ||
         value.find("at 0x") != std::string::npos || value.starts_with("len: ") ||
         value.find("[len: ") != std::string::npos || value.find(": len: ") != std::string::npos;
}

/// `args` of a frame, by index.
Values session_values(pid_t process, const Json &goroutine, std::size_t frame) {
  const CommandResult result =
      run_inspect({"attach", std::to_string(process), "-e", "goroutine " + goroutine["id"].dump(), "-e",
                   "frame " + std::to_string(frame), "-e", "args"});
  INFO(result.out << result.err);
  Values values;
  std::istringstream lines(result.out);
  for (std::string line; std::getline(lines, line);)
    if (const std::size_t at = line.find(" = "); at != std::string::npos && line.find(' ') == at)
      values[line.substr(0, at)] = line.substr(at + 3);
  return values;
}

/// Up to Go 1.16 the words of results follow.
bool is_result(const Json &argument) {
  return argument.contains("result");
}

/// Sessions show more of a value; what is not there, and numbers, are the same.
void check_same_in_session(const Json &frame, const Values &session) {
  for (const Json &argument : frame["args"]) {
    if (is_result(argument))
      continue;
    const std::string name = argument["name"];
    const std::string value = argument["value"].is_null() ? "" : argument["value"].get<std::string>();
    INFO(name << " = " << value);
    REQUIRE(session.contains(name));
    const std::string &other = session.at(name);
    CHECK((value == "<optimized out>") == (other == "<optimized out>"));
    CHECK(other.find("recoverable") == std::string::npos);
    if (value.find_first_not_of("-0123456789.") == std::string::npos)
      CHECK(value == other);
  }
}

void check_values(const Json &frame, const std::string &function, bool all_kept, bool some_kept) {
  for (const Json &argument : frame["args"]) {
    if (is_result(argument))
      continue;
    const std::string name = argument["name"];
    const std::string value = argument["value"].is_null() ? "" : argument["value"].get<std::string>();
    INFO(function << " " << name << " = " << value);
    const std::string &wanted = passed().at(function).at(name);
    // The multiplication is done after the wait, and the debug information of the compiler has the number before.
    if (!all_kept && function == "main.changed" && name == "number" && value == "21")
      continue;
    const bool must = all_kept || (some_kept && kept().contains(function) && kept().at(function).contains(name));
    CHECK((value == wanted || (!must && (value == "<optimized out>" || is_partial(value)))));
    CHECK_FALSE(argument.contains("stale"));
  }
  const auto results = static_cast<std::size_t>(std::ranges::count_if(frame["args"], is_result));
  CHECK(frame["args"].size() - results == passed().at(function).size());
}

TEST_CASE("arguments of Go functions are as they were passed, or are said not to be known") {
  if (go_toolchains().empty())
    SKIP_TEST("no Go toolchain of 1.16 or later is installed");
  for (const GoToolchain &go : go_toolchains())
    for (const GoVariant variant : {GoVariant::plain, GoVariant::unoptimised}) {
      ChildProcess program({build_go(go, "passed_arguments", variant)});
      program.wait_for_line();
      const Json dump = stacks_json(program.pid(), {"--args", "values"});
      for (const auto &[function, values] : passed()) {
        INFO(go.version << " " << variant_name(variant) << " " << function);
        const auto goroutines = goroutines_in(dump, function);
        REQUIRE(goroutines.size() == 1);
        const std::size_t index = frame_of(goroutines.front(), function);
        const Json &frame = goroutines.front()["frames"][index];
        check_values(frame, function, variant == GoVariant::unoptimised, go.minor >= 17);
        check_same_in_session(frame, session_values(program.pid(), goroutines.front(), index));
      }
    }
}

} // namespace
} // namespace inspect::test
