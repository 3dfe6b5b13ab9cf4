// The go format against the runtime's own traceback of the same process at rest: goroutine by goroutine, frame by
// frame, file, line and argument words.
#include "tests/support/child_process.h"
#include "tests/support/go_toolchain.h"
#include "tests/support/run_command.h"
#include "tests/support/stacks_json.h"
#include "tests/support/temporary_directory.h"

#include <algorithm>
#include <fmt/format.h>
#include <fstream>
#include <map>
#include <sstream>

namespace inspect::test {
namespace {

struct TracebackBlock {
  std::string header;
  std::string text; ///< header and frames
};

/// The blocks of a traceback, by goroutine.
std::map<std::uint64_t, TracebackBlock> blocks_of(const std::string &text) {
  std::map<std::uint64_t, TracebackBlock> blocks;
  std::istringstream lines(text);
  TracebackBlock *block = nullptr;
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with("goroutine ")) {
      block = &blocks[std::stoull(line.substr(10))];
      block->header = line;
    }
    if (line.empty())
      block = nullptr;
    if (block != nullptr)
      block->text += line + "\n";
  }
  return blocks;
}

std::string content_of(const std::string &path) {
  std::ifstream file(path);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

/// The goroutine that writes the dump is on its way while it does.
bool writes_the_dump(const TracebackBlock &block) {
  return block.text.find("main.serve(") != std::string::npos;
}

/// The runtime prints 100 frames of a stack, hidden ones counted: since Go 1.21 with "...201 frames elided..." in the
/// middle, before that without a word at the end (n is compared with the limit, and hidden frames are not in n). The go
/// format has them all.
void check_same(const std::string &ours, const std::string &expected) {
  constexpr std::ptrdiff_t may_be_cut = 90;
  const std::size_t mark = expected.find(" frames elided...\n");
  const std::size_t created = expected.find("created by ");
  if (mark == std::string::npos && std::ranges::count(expected, '\t') < may_be_cut) {
    CHECK(ours == expected);
    return;
  }
  const bool has_mark = mark != std::string::npos;
  const std::string before = expected.substr(0, has_mark ? expected.rfind('\n', mark) + 1 : created);
  const std::string after = expected.substr(has_mark ? expected.find('\n', mark) + 1 : created);
  CHECK(ours.size() > before.size() + after.size());
  CHECK(ours.starts_with(before));
  CHECK(ours.ends_with(after));
}

/// `rests_in` is what the main goroutine waits in when all is at rest.
void compare_with_runtime(const std::string &program, const std::string &rests_in) {
  const TemporaryDirectory directory;
  const std::string dump = directory.path() + "/dump";
  ChildProcess zoo({program, dump});
  zoo.wait_for_line("ready");
  std::map<std::uint64_t, TracebackBlock> expected;
  // Its main goroutine may still be on the way back from writing "ready".
  for (int tries = 0; tries < 100 && expected[1].header.find(rests_in) == std::string::npos; ++tries) {
    zoo.write("dump\n");
    zoo.wait_for_line("dumped");
    expected = blocks_of(content_of(dump));
  }
  REQUIRE(expected.size() > 20);
  for (const std::string choice : {"all", "none"}) {
    INFO("--stop " << choice);
    const CommandResult ours = run_inspect({"stacks", std::to_string(zoo.pid()), "--format", "go", "--stop", choice});
    INFO(ours.err);
    REQUIRE(ours.status == 0);
    const auto printed = blocks_of(ours.out);
    for (const auto &[id, block] : expected) {
      if (writes_the_dump(block))
        continue;
      const auto found = printed.find(id);
      INFO("the runtime says:\n" << block.text);
      REQUIRE(found != printed.end());
      check_same(found->second.text, block.text);
    }
    CHECK(printed.size() == expected.size());
  }
}

TEST_CASE("The go format equals what the runtime prints of a program at rest") {
  for_each_go([](const GoToolchain &go) {
    for (const GoVariant variant : go_variants()) {
      INFO("variant " << variant_name(variant));
      compare_with_runtime(build_go(go, "goroutine_zoo", variant), "select (no cases)");
    }
  });
}

TEST_CASE("The go format says what is durably blocked in which synctest bubble, as the runtime does, and JSON, too") {
  for_each_go([](const GoToolchain &go) {
    if (go.minor < 25)
      return; // testing/synctest came with it
    for (const GoVariant variant : {GoVariant::plain, GoVariant::stripped})
      compare_with_runtime(build_go(go, "synctest_bubbles", variant), "chan receive");
    ChildProcess bubbles({build_go(go, "synctest_bubbles"), "/dev/null"});
    bubbles.wait_for_line("ready");
    const auto dump = stacks_json(bubbles.pid());
    std::map<std::uint64_t, std::size_t> sleepers;
    for (const nlohmann::json &goroutine : dump["goroutines"])
      if (goroutine["wait_reason"] == "sleep (durable)")
        ++sleepers[goroutine["synctest_bubble"].get<std::uint64_t>()];
      else if (goroutine["id"] == 1)
        CHECK(goroutine["synctest_bubble"].is_null());
    CHECK(sleepers == std::map<std::uint64_t, std::size_t>{{1, 1}, {2, 1}});
  });
}

} // namespace
} // namespace inspect::test
