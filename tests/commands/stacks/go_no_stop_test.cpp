// Goroutines without a stop: those at rest are the runtime's own, and of those that never rest no stack is a mixture.
#include "attach/procfs/process_status.h"
#include "tests/support/child_process.h"
#include "tests/support/go_toolchain.h"
#include "tests/support/run_command.h"
#include "tests/support/stacks_json.h"

#include <algorithm>
#include <string>

namespace inspect::test {
namespace {

using Catch::Matchers::Contains;
using Json = nlohmann::json;

std::size_t frames_of(const Json &goroutine, const std::string &function) {
  return static_cast<std::size_t>(
      std::ranges::count(goroutine["frames"], Json(function), [](const Json &frame) { return frame["function"]; }));
}

struct Seen {
  std::size_t shown = 0;
  std::size_t not_shown = 0;
  std::string wrong;
};

/// Of fixtures/golang/two_stacks.
void look(const Json &dump, Seen &seen) {
  for (const Json &goroutine : dump["goroutines"]) {
    if (frames_of(goroutine, "main.alternate") == 0) {
      seen.not_shown += goroutine["end"]["reason"] == "not_captured";
      continue;
    }
    ++seen.shown;
    const std::size_t left = frames_of(goroutine, "main.left");
    const std::size_t right = frames_of(goroutine, "main.right");
    const bool is_one = (left == 13 && right == 0) || (left == 0 && right == 13);
    // Preempted on the way up or down.
    const bool on_its_way = goroutine["status"] != "waiting" && (left == 0 || right == 0);
    if ((!is_one && !on_its_way) || goroutine["end"]["reason"] != "complete")
      seen.wrong += goroutine.dump(1);
  }
}

TEST_CASE("goroutines that never rest for long: without a stop no stack is a mixture of two") {
  for_each_go([](const GoToolchain &go) {
    ChildProcess process({build_go(go, "two_stacks", GoVariant::plain)});
    process.wait_for_line();
    Seen seen;
    for (int round = 0; round < 20; ++round) {
      const Json dump = stacks_json(process.pid(), {"--no-stop"});
      CHECK(dump["pause_us"] == 0);
      CHECK(goroutines_in(dump, "main.waitForEver").size() == 10);
      look(dump, seen);
    }
    INFO(seen.shown << " shown, " << seen.not_shown << " not");
    CHECK(seen.wrong == "");
    CHECK(seen.shown > 20);
    CHECK(read_process_status(process.pid())->tracer == 0);
  });
}

TEST_CASE("a Go program at rest is shown whole without a stop, and --stop auto stops nothing") {
  for_each_go([](const GoToolchain &go) {
    ChildProcess process({build_go(go, "goroutine_leak", GoVariant::plain), "-n", "20"});
    process.wait_for_line();
    CHECK(wait_until([&] {
      const Json dump = stacks_json(process.pid(), {"--no-stop"});
      return std::ranges::all_of(dump["goroutines"],
                                 [](const Json &one) { return one["end"]["reason"] == "complete"; });
    }));
    const Json dump = stacks_json(process.pid(), {"--no-stop"});
    CHECK(goroutines_in(dump, "main.receive").size() == 20);
    CHECK(wait_until([&] { return stacks_json(process.pid(), {"--stop", "auto"})["pause_us"] == 0; }));
    const CommandResult text = run_inspect({"stacks", std::to_string(process.pid()), "--no-stop"});
    CHECK(text.err == "");
    CHECK_THAT(text.out, Contains("not stopped; ") && Contains("read without a stop: as was asked"));
  });
}

} // namespace
} // namespace inspect::test
