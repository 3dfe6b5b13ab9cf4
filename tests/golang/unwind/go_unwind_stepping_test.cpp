// The strongest test of the Go unwinder: threads of busy programs are stopped anywhere, go on one instruction at a
// time through the runtime's switches of stacks, and at every single one the stack is walked.
#include "golang/unwind/go_unwind.h"

#include "machine/x86_64/registers.h"
#include "tests/golang/unwind/stopped_go.h"
#include "tests/support/catch.h"
#include "tests/support/child_process.h"
#include "tests/support/go_toolchain.h"

#include <algorithm>
#include <cstdlib>
#include <fmt/format.h>
#include <functional>
#include <set>
#include <unistd.h>

using namespace inspect;
using test::ChildProcess;
using test::GoToolchain;
using test::GoVariant;
using test::StoppedGo;

namespace {

struct Tally {
  std::size_t walks = 0;
  std::size_t incomplete = 0;
  std::size_t half_recovered = 0;  ///< walks that no reader could complete, and that say so
  std::size_t guessed = 0;         ///< walks with a guessed frame
  std::size_t in_handlers = 0;     ///< walks over a signal frame
  std::size_t switched = 0;        ///< from the system stack to a goroutine's, or between C and Go
  std::set<std::string> innermost; ///< of the incomplete ones
  std::string failures;
};

bool is_outermost(const std::string &name) {
  static const std::set<std::string> known{"runtime.goexit",    "runtime.mstart", "runtime.rt0_go", "runtime.mcall",
                                           "runtime.morestack", "runtime.clone",  "clone",          "clone3",
                                           "__clone3",          "_start"};
  return known.contains(name);
}

void walk(StoppedGo &target, pid_t thread, Tally &tally) {
  const Stack stack = target.walk_thread(thread);
  ++tally.walks;
  const bool switches = std::ranges::adjacent_find(stack.frames, [](const Frame &callee, const Frame &caller) {
                          return callee.cfa.value != 0 && caller.cfa.value != 0 && caller.cfa < callee.cfa;
                        }) != stack.frames.end();
  tally.switched += switches ? 1 : 0;
  tally.in_handlers += std::ranges::count(stack.frames, FrameOrigin::signal_frame, &Frame::origin) > 0 ? 1 : 0;
  // glibc's clone3 has no caller by its own tables; what calls Go's functions is never to be guessed.
  const bool guessed = std::ranges::adjacent_find(stack.frames, [&](const Frame &callee, const Frame &caller) {
                         return caller.guessed() && target.runtime().find(callee.pc) != nullptr;
                       }) != stack.frames.end();
  if (guessed && tally.guessed++ == 0)
    tally.failures += fmt::format("guessed: {}\n", target.shown(stack));
  if (stack.end == StackEnd::complete && is_outermost(target.function(stack.frames.back())))
    return;
  const std::string inner = target.function(stack.frames.front());
  // While a panic is recovered, one instruction sets a goroutine's stack pointer and a later one its pc: in between
  // nothing in the process tells what was there before, and the walk has to say that it found no end.
  if (inner == "runtime.recovery" && !stack.end_reason.empty()) {
    ++tally.half_recovered;
    return;
  }
  ++tally.incomplete;
  if (tally.innermost.insert(inner).second) {
    const RegisterSet registers = target.registers(thread);
    tally.failures += fmt::format("rsp={:#x} {}\n", registers.get(x86_64::rsp).value_or(0), target.shown(stack));
  }
}

/// `seen_enough` may ask for more rounds: on a busy machine it takes more than a few to meet a signal handler, and a
/// few may meet all threads asleep in the kernel, where there is nothing to step.
Tally walk_anywhere(const std::string &program, const std::string &work, int rounds, int steps,
                    const std::function<bool(const Tally &)> &seen_enough) {
  constexpr int max_rounds = 100;
  ChildProcess child({program, work});
  child.wait_for_line("ready");
  StoppedGo target(child.pid());
  Tally tally;
  for (int round = 0; round < rounds || (!seen_enough(tally) && round < max_rounds); ++round) {
    target.stop();
    for (const pid_t thread : target.threads())
      walk(target, thread, tally);
    for (const pid_t thread : std::vector(target.threads())) {
      for (int i = 0; i < steps && target.step(thread); ++i)
        walk(target, thread, tally);
    }
    target.release();
    ::usleep(500);
  }
  return tally;
}

int number_from_environment(const char *name, int otherwise) {
  const char *text = std::getenv(name);
  return text != nullptr ? std::atoi(text) : otherwise;
}

} // namespace

TEST_CASE("At every instruction of a busy Go program its threads' stacks are complete") {
  const int rounds = number_from_environment("INSPECT_STEP_ROUNDS", 4);
  const int steps = number_from_environment("INSPECT_STEPS", 120);
  constexpr std::size_t min_walks = 100;
  const std::vector<std::string> go_works{"collect", "grow",   "park",  "clock", "signal",
                                          "call",    "create", "panic", "lock"};
  const std::vector<std::string> c_works{"clock", "signal", "panic", "c", "callback", "thread"};
  test::for_each_go([&](const GoToolchain &go) {
    // With C, signal handlers return through the C library, without through the runtime.
    for (const GoVariant variant : {GoVariant::stripped, GoVariant::cgo}) {
      const std::string program = test::build_go(go, "stack_switches", variant);
      for (const std::string &work : variant == GoVariant::cgo ? c_works : go_works) {
        const Tally tally = walk_anywhere(program, work, rounds, steps, [&](const Tally &so_far) {
          return so_far.walks > min_walks && (work != "signal" || so_far.in_handlers > 0);
        });
        INFO(test::variant_name(variant) << ", " << work << ": " << tally.incomplete << " of " << tally.walks
                                         << " incomplete, " << tally.guessed << " guessed, " << tally.switched
                                         << " switched\n"
                                         << tally.failures);
        CHECK(tally.half_recovered * 50 <= tally.walks);
        CHECK(tally.incomplete <= 1 + tally.walks / 1000); // each says why; none is taken for a complete one
        CHECK(tally.guessed == 0);
        CHECK(tally.walks > min_walks);
        CHECK((work != "signal" || tally.in_handlers > 0));
        std::printf("%s %s %s: walks=%zu incomplete=%zu guessed=%zu switched=%zu half_recovered=%zu\n",
                    go.version.c_str(), std::string(test::variant_name(variant)).c_str(), work.c_str(), tally.walks,
                    tally.incomplete, tally.guessed, tally.switched, tally.half_recovered);
      }
    }
  });
}
