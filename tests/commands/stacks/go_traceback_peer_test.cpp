// The go format against the runtime's own traceback of the same process at rest: goroutine by goroutine, frame by
// frame, file, line and argument words.
#include "tests/support/child_process.h"
#include "tests/support/go_toolchain.h"
#include "tests/support/run_command.h"
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

void compare_with_runtime(const GoToolchain &go, GoVariant variant) {
  const TemporaryDirectory directory;
  const std::string dump = directory.path() + "/dump";
  ChildProcess zoo({build_go(go, "goroutine_zoo", variant), dump});
  zoo.wait_for_line("ready");
  std::map<std::uint64_t, TracebackBlock> expected;
  // Its main goroutine may still be on the way back from writing "ready".
  for (int tries = 0; tries < 100 && expected[1].header.find("select (no cases)") == std::string::npos; ++tries) {
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
      compare_with_runtime(go, variant);
    }
  });
}

} // namespace
} // namespace inspect::test
