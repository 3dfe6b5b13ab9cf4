// All threads together have a budget of frames.
#include "inspector/stacks/stack_report.h"

#include "tests/support/catch.h"
#include "tests/support/child_process.h"

#include <algorithm>

namespace inspect {
namespace {

constexpr std::size_t call_depth = 100;

bool is_cut(const ThreadReport &thread) {
  return thread.end == StackEnd::depth_limit;
}

} // namespace

TEST_CASE("threads that come when the frames of all are used up have their innermost ones, and that is said") {
  test::ChildProcess child({test::fixture_path("many_threads"), "8", std::to_string(call_depth)});
  child.wait_for_line();
  auto target = Target::open(child.pid(), {});
  REQUIRE(target);
  ReportOptions options;
  const auto whole = report_stacks(**target, options);
  REQUIRE(whole);
  CHECK(std::ranges::none_of(whole->threads, is_cut));
  CHECK(std::ranges::count_if(whole->threads,
                              [](const ThreadReport &thread) { return thread.frames.size() > call_depth; }) == 8);

  options.max_thread_frames = 3 * call_depth;
  const auto cut = report_stacks(**target, options);
  REQUIRE(cut);
  REQUIRE(cut->threads.size() == 9);
  std::size_t frames = 0;
  for (const ThreadReport &thread : cut->threads) {
    frames += thread.stack.frames.size();
    if (is_cut(thread)) {
      CHECK(thread.stack.frames.size() >= min_frames);
      CHECK(thread.end_reason == "all threads together have more than 300 frames");
    }
  }
  const auto shortened = std::ranges::count_if(cut->threads, is_cut);
  CHECK(shortened >= 5);
  CHECK(frames <= 3 * call_depth + static_cast<std::size_t>(shortened) * min_frames);
  const std::string sentence =
      "the stacks of " + std::to_string(shortened) + " threads are cut short: together they have more than 300 frames";
  CHECK(std::ranges::find(cut->warnings, sentence) != cut->warnings.end());
}

} // namespace inspect
