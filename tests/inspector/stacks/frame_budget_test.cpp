// All threads together have a budget of frames.
#include "inspector/stacks/goroutine_details.h"
#include "inspector/stacks/stack_report.h"

#include "tests/support/catch.h"
#include "tests/support/child_process.h"
#include "tests/support/go_toolchain.h"

#include <algorithm>
#include <span>
#include <string>
#include <vector>

namespace inspect {
namespace {

constexpr std::size_t call_depth = 100;

bool is_cut(const ThreadReport &thread) {
  return thread.end == StackEnd::depth_limit || thread.stack.elided > 0;
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
  options.outermost_frames = 0;
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

namespace {

using FunctionNames = std::vector<std::string>;

FunctionNames names_of(std::span<const ReportFrame> frames) {
  FunctionNames names;
  for (const ReportFrame &frame : frames)
    names.emplace_back(frame.function);
  return names;
}

/// The innermost and the outermost frames are those of the whole stack, and the gap between them is as wide as it says.
void check_gap(const Stack &stack, std::span<const ReportFrame> frames, const Stack &whole,
               std::span<const ReportFrame> whole_frames, std::size_t inner, std::size_t outer) {
  REQUIRE(whole.frames.size() > inner + outer);
  REQUIRE(stack.frames.size() == inner + outer);
  CHECK(stack.end == StackEnd::complete);
  CHECK(stack.elided == whole.frames.size() - inner - outer);
  CHECK(stack.elided_at == inner);
  for (std::size_t i = 0; i < inner + outer; ++i)
    CHECK(stack.frames[i].pc == whole.frames[i < inner ? i : i + stack.elided].pc);
  const auto gap = std::ranges::find(frames, stack.elided, &ReportFrame::elided_before);
  REQUIRE(gap != frames.end());
  CHECK(gap->physical == inner);
  const auto before = static_cast<std::size_t>(gap - frames.begin());
  CHECK(names_of(frames.first(before)) == names_of(whole_frames.first(before)));
  CHECK(names_of(frames.subspan(before)) == names_of(whole_frames.last(frames.size() - before)));
}

} // namespace

TEST_CASE("a stack deeper than the limit has its outermost frames, too, and says how many are left out") {
  test::ChildProcess child({test::fixture_path("many_threads"), "2", std::to_string(call_depth)});
  child.wait_for_line();
  auto target = Target::open(child.pid(), {});
  REQUIRE(target);
  ReportOptions options;
  const auto whole = report_stacks(**target, options);
  options.max_depth = 20;
  options.outermost_frames = 10;
  const auto cut = report_stacks(**target, options);
  REQUIRE((whole && cut));
  std::size_t compared = 0;
  for (std::size_t i = 0; i < cut->threads.size(); ++i)
    if (whole->threads[i].frames.size() > call_depth) {
      const ThreadReport &thread = cut->threads[i];
      check_gap(thread.stack, thread.frames, whole->threads[i].stack, whole->threads[i].frames, 20, 10);
      ++compared;
    }
  CHECK(compared == 2);
}

TEST_CASE("a goroutine in a recursion has its outermost frames, too, as the runtime prints them") {
  constexpr std::string_view source = R"(package main

import (
	"fmt"
	"time"
)

//go:noinline
func deep(n int) int {
	if n == 0 {
		fmt.Println("ready")
		time.Sleep(time.Hour)
	}
	return deep(n-1) + 1
}

func main() { deep(1000) }
)";
  test::for_each_go([&](const test::GoToolchain &go) {
    test::ChildProcess child({test::build_go_text(go, "recursion", source)});
    child.wait_for_line("ready");
    auto target = Target::open(child.pid(), {});
    REQUIRE(target);
    ReportOptions options;
    options.max_depth = 50;
    REQUIRE(test::wait_until([&] {
      const auto report = report_stacks(**target, options);
      return report && report->go && report->go->goroutines.front().status == GoroutineStatus::waiting;
    }));
    const auto report = report_stacks(**target, options);
    REQUIRE((report && report->go));
    const GoroutineReport &goroutine = report->go->goroutines.front();
    const GoroutineStack &stack = report->go->stack_of(goroutine);
    CHECK(stack.end == StackEnd::complete);
    REQUIRE(stack.frames.size() == 100);
    CHECK(stack.frames.back().function == "runtime.goexit");
    CHECK(stack.frames[97].function == "main.main");
    const auto gap = std::ranges::find_if(stack.frames, [](const ReportFrame &one) { return one.elided_before > 0; });
    REQUIRE(gap - stack.frames.begin() == 50);
    // Its own, the runtime's two below it and two above, and deep(1000) to deep(0).
    const auto deep = std::ranges::count(stack.frames, "main.deep", &ReportFrame::function);
    CHECK(static_cast<std::size_t>(deep) + gap->elided_before == 1001);
    // What is walked again for registers has the same numbers.
    const Stack again = goroutine_stack(**target, *report, goroutine);
    REQUIRE(again.frames.size() == stack.frames.back().physical + 1);
    for (const ReportFrame &frame : stack.frames)
      CHECK(again.frames[frame.physical].pc == frame.pc);
  });
}

} // namespace inspect
