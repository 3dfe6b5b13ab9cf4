// What `inspect stacks --json` says of a process, for tests that look at whole dumps.
//
//     const Json dump = stacks_json(server.pid());
//     check_complete(dump);
#pragma once

#include "tests/support/catch.h"
#include "tests/support/run_command.h"

#include <nlohmann/json.hpp>
#include <string>
#include <sys/types.h>
#include <vector>

namespace inspect::test {

/// The dump of one process; the test ends where there is none.
inline nlohmann::json stacks_json(pid_t process, const std::vector<std::string> &options = {}) {
  std::vector<std::string> words{"stacks", std::to_string(process), "--json"};
  words.insert(words.end(), options.begin(), options.end());
  const CommandResult result = run_inspect(words);
  INFO(result.err);
  REQUIRE(result.status == 0);
  return nlohmann::json::parse(result.out);
}

inline std::string outermost_function(const nlohmann::json &stack) {
  const nlohmann::json &frames = stack["frames"];
  return frames.empty() || frames.back()["function"].is_null() ? "" : frames.back()["function"].get<std::string>();
}

/// Every stack has been walked to its end, each goroutine's to where all goroutines begin, and there is nothing to warn
/// of.
inline void check_complete(const nlohmann::json &dump) {
  CHECK(dump["warnings"].dump() == "[]");
  for (const nlohmann::json &thread : dump["threads"])
    if (thread["end"]["reason"] != "complete")
      FAIL_CHECK(thread.dump(1));
  for (const nlohmann::json &goroutine : dump["goroutines"])
    if (goroutine["end"]["reason"] != "complete" || outermost_function(goroutine) != "runtime.goexit")
      FAIL_CHECK(goroutine.dump(1));
}

/// The goroutines with this function on their stack.
inline std::vector<nlohmann::json> goroutines_in(const nlohmann::json &dump, const std::string &function) {
  std::vector<nlohmann::json> found;
  for (const nlohmann::json &goroutine : dump["goroutines"])
    for (const nlohmann::json &frame : goroutine["frames"])
      if (frame["function"] == function) {
        found.push_back(goroutine);
        break;
      }
  return found;
}

} // namespace inspect::test
