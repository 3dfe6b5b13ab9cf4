#include "dwarf/unwind/stack_progress.h"

#include "tests/support/catch.h"

using namespace inspect;
using Step = StackProgress::Step;

TEST_CASE("A stack pointer that goes up is progress, one that stays or goes down a little is not") {
  for (const Step step : {Step::guess, Step::rule}) {
    StackProgress progress(RunAddress{0x10000});
    CHECK(progress.advance(RunAddress{0x10008}, step));
    CHECK(progress.advance(RunAddress{0x20000}, step));
    CHECK_FALSE(progress.advance(RunAddress{0x1fff8}, step));
    CHECK_FALSE(progress.advance(RunAddress{0x10000}, step));
    CHECK_FALSE(progress.advance(RunAddress{0xfff8}, step));
  }
}

TEST_CASE("Exact rules may leave the stack pointer where it is, but not for ever") {
  StackProgress progress(RunAddress{0x10000});
  CHECK_FALSE(StackProgress(RunAddress{0x10000}).advance(RunAddress{0x10000}, Step::guess));
  CHECK(progress.advance(RunAddress{0x10000}, Step::rule));
  CHECK(progress.advance(RunAddress{0x10000}, Step::rule));
  CHECK_FALSE(progress.advance(RunAddress{0x10000}, Step::rule));
}

TEST_CASE("A signal may lead to any stack that was not walked yet") {
  StackProgress progress(RunAddress{0x900000});
  CHECK(progress.advance(RunAddress{0x901000}, Step::rule));
  CHECK(progress.advance(RunAddress{0x100000}, Step::signal_frame));
  CHECK(progress.advance(RunAddress{0x101000}, Step::rule));
  CHECK_FALSE(progress.advance(RunAddress{0x900800}, Step::signal_frame));
  CHECK_FALSE(progress.advance(RunAddress{0x900800}, Step::rule));
  // What lies between two stacks was not walked.
  CHECK(progress.advance(RunAddress{0xa00000}, Step::signal_frame));
  CHECK(progress.advance(RunAddress{0x500000}, Step::signal_frame));
}

TEST_CASE("Exact rules may lead down to another stack, guesses may not") {
  StackProgress progress(RunAddress{0x900000});
  CHECK_FALSE(progress.advance(RunAddress{0x100000}, Step::guess));
  CHECK(progress.advance(RunAddress{0x100000}, Step::rule));
  CHECK_FALSE(progress.advance(RunAddress{0x900000}, Step::rule));
}

TEST_CASE("Switches between stacks are bounded") {
  StackProgress progress(RunAddress{0x10000000});
  std::uint64_t stack_pointer = 0x10000000;
  unsigned switches = 0;
  while (progress.advance(RunAddress{stack_pointer -= 0x10000}, Step::signal_frame))
    ++switches;
  CHECK(switches == 256);
}
