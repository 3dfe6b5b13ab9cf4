#include "dwarf/unwind/unwinder.h"

#include "dwarf/symbolize/symbolizer.h"
#include "machine/x86_64/registers.h"
#include "tests/dwarf/unwind/traced_target.h"
#include "tests/support/catch.h"
#include "tests/support/child_process.h"
#include "tests/support/skip.h"

#include <algorithm>
#include <csignal>
#include <fmt/format.h>
#include <sys/wait.h>
#include <unistd.h>

using namespace inspect;
using test::ChildProcess;
using test::TracedTarget;

namespace {

/// What a chain program says of itself before it blocks.
struct Truth {
  std::vector<std::uint64_t> addresses; ///< as its functions know them, innermost first
  std::vector<std::uint64_t> backtrace; ///< as backtrace(3) sees them
  long depth = 0;
  pid_t thread = 0;
};

Truth read_truth(ChildProcess &child) {
  Truth truth;
  for (std::string line = child.read_line(); line != "ready"; line = child.read_line()) {
    const auto number = [&](std::size_t skip, int base) { return std::stoull(line.substr(skip), nullptr, base); };
    if (line.starts_with("ra "))
      truth.addresses.push_back(number(3, 16));
    else if (line.starts_with("bt "))
      truth.backtrace.push_back(number(3, 16));
    else if (line.starts_with("depth "))
      truth.depth = static_cast<long>(number(6, 10));
    else if (line.starts_with("thread "))
      truth.thread = static_cast<pid_t>(number(7, 10));
  }
  return truth;
}

std::vector<std::uint64_t> addresses(const Stack &stack) {
  std::vector<std::uint64_t> all;
  for (const Frame &frame : stack.frames)
    all.push_back(frame.pc.value);
  return all;
}

std::string shown(const Stack &stack, ModuleMap &modules) {
  std::string text =
      fmt::format("end {} at {:#x}: {}\n", static_cast<int>(stack.end), stack.at.value, stack.end_reason);
  Symbolizer symbolizer(modules);
  for (const Frame &frame : stack.frames) {
    const Symbolized &where = symbolizer.at(frame.lookup_address());
    text += fmt::format("  {:#x} cfa {:#x} origin {} {} in {}\n", frame.pc.value, frame.cfa.value,
                        static_cast<int>(frame.origin), where.frames.empty() ? "?" : where.frames.back().function,
                        where.module != nullptr ? where.module->path() : "no module");
    if (text.size() > 8000)
      return text + "  …\n";
  }
  return text;
}

/// Whether the wanted addresses follow one another in the stack, from the first of them on.
bool holds_run(const Stack &stack, const std::vector<std::uint64_t> &wanted) {
  const auto all = addresses(stack);
  return !std::ranges::search(all, wanted).empty();
}

bool ends_with(const Stack &stack, const std::vector<std::uint64_t> &wanted) {
  const auto all = addresses(stack);
  return all.size() >= wanted.size() && std::ranges::equal(std::span(all).last(wanted.size()), wanted);
}

std::size_t guessed_frames(const Stack &stack) {
  return static_cast<std::size_t>(std::ranges::count_if(stack.frames, &Frame::guessed));
}

/// Starts a program in a mode, waits until it blocks, and hands its stack and truth to `check`.
template <typename Check> void with_stack(const std::string &program, const std::string &mode, Check check) {
  const std::string path = test::fixture_path(program);
  if (::access(path.c_str(), X_OK) != 0)
    SKIP_TEST((path + " was not built: its compiler is not installed").c_str());
  ChildProcess child({path, mode});
  const Truth truth = read_truth(child);
  TracedTarget target(child.pid(), truth.thread);
  const Stack stack = target.unwind();
  INFO(program << " " << mode << "\n" << shown(stack, target.modules()));
  check(stack, truth, target);
}

/// Stacks that exact rules describe from end to end.
void expect_exact(const std::string &program, const std::string &mode) {
  with_stack(program, mode, [](const Stack &stack, const Truth &truth, TracedTarget &) {
    CHECK(stack.end == StackEnd::complete);
    CHECK(stack.end_reason.empty());
    CHECK(guessed_frames(stack) == 0);
    CHECK(truth.addresses.size() >= 2);
    CHECK(holds_run(stack, truth.addresses));
    CHECK(truth.backtrace.size() > truth.addresses.size() / 2);
    CHECK(ends_with(stack, truth.backtrace));
  });
}

} // namespace

TEST_CASE("Stacks with tables are walked to the end, as the program itself and backtrace(3) see them") {
  for (const char *program : {"unwind_optimized", "unwind_unoptimized", "unwind_static", "unwind_clang"}) {
    for (const char *mode : {"chain", "thread", "noreturn"})
      expect_exact(program, mode);
  }
}

TEST_CASE("A frame whose address only an expression tells") {
  for (const char *program : {"unwind_optimized", "unwind_unoptimized", "unwind_clang"})
    with_stack(program, "expression", [](const Stack &stack, const Truth &truth, TracedTarget &) {
      CHECK(stack.end == StackEnd::complete);
      CHECK(guessed_frames(stack) == 0);
      CHECK(holds_run(stack, truth.addresses) == false); // with_expression itself is between them
      CHECK(ends_with(stack, truth.backtrace));
      for (const std::uint64_t address : truth.addresses)
        CHECK(std::ranges::count(addresses(stack), address) == 1);
    });
}

TEST_CASE("A coroutine's stack ends where makecontext(3) began it") {
  expect_exact("unwind_optimized", "coroutine");
}

TEST_CASE("Handlers on an alternate stack lead to the exact instruction that was interrupted") {
  for (const char *program : {"unwind_optimized", "unwind_unoptimized", "unwind_static", "unwind_clang"}) {
    for (const char *mode : {"signal", "fault"})
      with_stack(program, mode, [&](const Stack &stack, const Truth &truth, TracedTarget &) {
        CHECK(stack.end == StackEnd::complete);
        CHECK(guessed_frames(stack) == 0);
        CHECK(ends_with(stack, truth.backtrace));
        const auto interrupted = std::ranges::find(stack.frames, FrameOrigin::signal_frame, &Frame::origin);
        REQUIRE(interrupted != stack.frames.end());
        REQUIRE(interrupted != stack.frames.begin());
        CHECK_FALSE(interrupted->pc_is_return_address);
        CHECK(interrupted->lookup_address() == interrupted->pc);
        CHECK_FALSE((interrupted - 1)->pc_is_return_address);
        CHECK(std::ranges::count(truth.addresses, interrupted->pc.value) == 1);
        if (std::string(mode) == "fault")
          CHECK(holds_run(stack, truth.addresses));
      });
  }
}

TEST_CASE("A handler of a call to a null pointer leads to the caller, by a marked guess") {
  for (const char *program : {"unwind_optimized", "unwind_unoptimized", "unwind_clang"})
    with_stack(program, "fault_null", [](const Stack &stack, const Truth &truth, TracedTarget &) {
      CHECK(stack.end == StackEnd::complete);
      CHECK(guessed_frames(stack) == 1);
      const auto guessed = std::ranges::find_if(stack.frames, &Frame::guessed);
      REQUIRE(guessed != stack.frames.begin());
      CHECK((guessed - 1)->pc.value == 0);
      CHECK(guessed->origin == FrameOrigin::leaf_guess);
      // Behind the guess the program's own addresses go on: level_one, level_two, level_three, main.
      const std::vector<std::uint64_t> outer(truth.addresses.end() - 5, truth.addresses.end());
      CHECK(holds_run(stack, outer));
    });
}

TEST_CASE("A call to a null pointer is shown with its caller at the moment of the fault") {
  ChildProcess child({test::fixture_path("unwind_optimized"), "null"});
  const Truth truth = read_truth(child);
  TracedTarget target(child.pid());
  child.write("x");
  int status = target.resume();
  while (WIFSTOPPED(status) && WSTOPSIG(status) != SIGSEGV)
    status = target.resume();
  REQUIRE(WIFSTOPPED(status));
  const Stack stack = target.unwind();
  INFO(shown(stack, target.modules()));
  CHECK(stack.end == StackEnd::complete);
  REQUIRE(stack.frames.size() > 3);
  CHECK(stack.frames[0].pc.value == 0);
  CHECK(stack.frames[1].origin == FrameOrigin::leaf_guess);
  CHECK(guessed_frames(stack) == 1);
  CHECK(stack.frames[2].pc.value == truth.addresses.front());
  CHECK(holds_run(stack, truth.addresses));
}

TEST_CASE("A recursion that fills the stack is walked to its end") {
  for (const char *program : {"unwind_optimized", "unwind_unoptimized"})
    with_stack(program, "deep", [](const Stack &stack, const Truth &truth, TracedTarget &) {
      CHECK(stack.end == StackEnd::complete);
      CHECK(truth.depth > 50'000);
      CHECK(stack.frames.size() > static_cast<std::size_t>(truth.depth));
      CHECK(stack.frames.size() < static_cast<std::size_t>(truth.depth) + 20);
      CHECK(guessed_frames(stack) == 0);
    });
}

TEST_CASE("Code made at run time is crossed by its frame pointer, and marked") {
  for (const char *program : {"unwind_optimized", "unwind_unoptimized", "unwind_clang"})
    with_stack(program, "generated", [](const Stack &stack, const Truth &truth, TracedTarget &) {
      CHECK(stack.end == StackEnd::complete);
      CHECK(guessed_frames(stack) == 1);
      for (const std::uint64_t address : truth.addresses)
        CHECK(std::ranges::count(addresses(stack), address) == 1);
    });
}

TEST_CASE("Code without .eh_frame is walked by its .debug_frame") {
  for (const char *mode : {"chain", "thread", "noreturn", "fault"})
    with_stack("unwind_debug_frame", mode, [](const Stack &stack, const Truth &truth, TracedTarget &) {
      CHECK(stack.end == StackEnd::complete);
      CHECK(guessed_frames(stack) == 0);
      CHECK(holds_run(stack, truth.addresses));
    });
}

TEST_CASE("Code without any table is walked by its instructions, and marked") {
  for (const char *program : {"unwind_frame_pointer", "unwind_no_tables"}) {
    for (const char *mode : {"chain", "thread"})
      with_stack(program, mode, [](const Stack &stack, const Truth &truth, TracedTarget &) {
        CHECK(stack.end == StackEnd::complete);
        CHECK(guessed_frames(stack) >= 4);
        CHECK(holds_run(stack, truth.addresses));
      });
  }
}

TEST_CASE("A function without a table that never returns is left by its frame pointer") {
  with_stack("unwind_frame_pointer", "noreturn", [](const Stack &stack, const Truth &truth, TracedTarget &) {
    CHECK(stack.end == StackEnd::complete);
    CHECK(std::ranges::count(stack.frames, FrameOrigin::frame_pointer, &Frame::origin) > 0);
    CHECK(holds_run(stack, truth.addresses));
  });
}

TEST_CASE("musl, which has neither tables nor frame pointers, is walked to the end") {
  for (const char *program : {"unwind_musl", "unwind_musl_static"}) {
    for (const char *mode : {"chain", "thread", "signal", "fault", "noreturn", "expression"})
      with_stack(program, mode, [&](const Stack &stack, const Truth &truth, TracedTarget &) {
        CHECK(stack.end == StackEnd::complete);
        CHECK(guessed_frames(stack) > 0);
        if (std::string(mode) != "signal" && std::string(mode) != "expression")
          CHECK(holds_run(stack, truth.addresses));
        for (const std::uint64_t address : truth.addresses)
          CHECK(std::ranges::count(addresses(stack), address) > 0);
        const bool over_signal = std::string(mode) == "signal" || std::string(mode) == "fault";
        CHECK(std::ranges::count(stack.frames, FrameOrigin::signal_frame, &Frame::origin) == (over_signal ? 1 : 0));
      });
  }
}
