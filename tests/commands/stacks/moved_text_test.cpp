// Programs whose code lies in anonymous memory where their file was mapped.
#include "tests/support/child_process.h"
#include "tests/support/stacks_json.h"

#include <sstream>

namespace inspect::test {
namespace {

std::string names_in_order(const nlohmann::json &thread) {
  std::string text;
  for (const auto &frame : thread["frames"])
    text += (frame["function"].is_null() ? "?" : frame["function"].get<std::string>()) + " ";
  return text;
}

TEST_CASE("code that a program moved to anonymous memory is its code") {
  ChildProcess program({fixture_path("moved_text")});
  program.wait_for_line();
  const CommandResult maps = run_command({"cat", "/proc/" + std::to_string(program.pid()) + "/maps"});
  // It did what it is for: no executable mapping of its file is left.
  std::istringstream lines(maps.out);
  for (std::string line; std::getline(lines, line);)
    CHECK((line.find("moved_text") == std::string::npos || line.find(" r-xp ") == std::string::npos));
  const nlohmann::json dump = test::stacks_json(program.pid());
  check_complete(dump);
  CHECK_THAT(names_in_order(dump["threads"][0]), Catch::Matchers::Contains("innermost middle outer main "));
  CHECK(dump["threads"][0].dump().find("moved_text.c") != std::string::npos);
}

} // namespace
} // namespace inspect::test
