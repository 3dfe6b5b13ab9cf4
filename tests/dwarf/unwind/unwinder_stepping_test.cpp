// The strongest test of an unwinder: run a program one instruction at a time, through the PLT and lazy binding,
// prologues, epilogues, the vDSO and the delivery of a signal, and walk its stack at every single one.
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
#include <set>
#include <sys/wait.h>
#include <unistd.h>

using namespace inspect;
using test::ChildProcess;
using test::TracedTarget;

namespace {

struct Walked {
  std::size_t steps = 0;
  std::set<std::string> modules; ///< those that the innermost pc was in
  std::size_t in_handler = 0;    ///< steps with a signal frame on the stack
  std::size_t guessed = 0;       ///< frames
  std::size_t failures = 0;      ///< steps whose stack was not complete, or lacked the callers
  std::size_t misleading = 0;    ///< those of them whose stack claimed to be complete
  std::string failure;           ///< the first of them
};

std::string shown_step(const Stack &stack, ModuleMap &modules) {
  std::string text = fmt::format("{} at {:#x}", stack.end_reason, stack.at.value);
  Symbolizer symbolizer(modules);
  for (const Frame &frame : stack.frames) {
    const Symbolized &where = symbolizer.at(frame.lookup_address());
    text += fmt::format("\n  {:#x} {}", frame.pc.value, where.frames.empty() ? "?" : where.frames.back().function);
  }
  return text;
}

/// The program says which two return addresses lie behind the function it is to be stepped through; until that returns
/// both must be on every stack, in this order.
Walked walk_every_instruction(const std::string &program) {
  ChildProcess child({test::fixture_path(program), "steps"});
  std::vector<std::uint64_t> callers;
  for (std::string line = child.read_line(); line != "ready"; line = child.read_line()) {
    if (line.starts_with("ra "))
      callers.push_back(std::stoull(line.substr(3), nullptr, 16));
  }
  TracedTarget target(child.pid());
  child.write("x");
  Walked walked;
  for (int status = target.step(); WIFSTOPPED(status);) {
    const RegisterSet registers = target.registers();
    const std::uint64_t pc = registers.get(x86_64::return_address).value_or(0);
    if (pc == callers.front())
      break;
    const Stack stack = inspect::unwind(registers, target.memory(), target.modules(), {});
    std::vector<std::uint64_t> addresses;
    for (const Frame &frame : stack.frames) {
      addresses.push_back(frame.pc.value);
      walked.guessed += frame.guessed() ? 1 : 0;
    }
    ++walked.steps;
    if (const Module *module = target.modules().find(RunAddress{pc}))
      walked.modules.insert(std::string(module->name()));
    walked.in_handler += std::ranges::count(stack.frames, FrameOrigin::signal_frame, &Frame::origin) > 0 ? 1 : 0;
    if (stack.end != StackEnd::complete || std::ranges::search(addresses, callers).empty()) {
      if (walked.failures++ == 0)
        walked.failure = fmt::format("step {}: {}", walked.steps, shown_step(stack, target.modules()));
      walked.misleading += stack.end == StackEnd::complete ? 1 : 0;
    }
    const int signal = WSTOPSIG(status) == SIGTRAP || status >> 16 != 0 ? 0 : WSTOPSIG(status);
    status = target.step(signal);
  }
  return walked;
}

} // namespace

TEST_CASE("At every instruction of a program the stack is complete and holds the callers") {
  for (const char *program : {"unwind_optimized", "unwind_unoptimized", "unwind_debug_frame"}) {
    const Walked walked = walk_every_instruction(program);
    INFO(program << ": " << walked.failure);
    CHECK(walked.failures == 0);
    CHECK(walked.guessed == 0);
    CHECK(walked.steps > 2000);
    CHECK(walked.in_handler > 5);
    CHECK(walked.modules.contains("libc.so.6"));
    CHECK(walked.modules.contains("ld-linux-x86-64.so.2")); // lazy binding
    CHECK(walked.modules.contains("[vdso]"));
    CHECK(walked.modules.contains(program));
  }
}

TEST_CASE("At every instruction of a static program the stack is complete and holds the callers") {
  const Walked walked = walk_every_instruction("unwind_static");
  INFO(walked.failure);
  CHECK(walked.failures == 0);
  // The PLT entries of a static program (for the C library's own choices by processor) have no tables.
  CHECK(walked.guessed < walked.steps / 100);
  CHECK(walked.steps > 1000);
  CHECK(walked.in_handler > 5);
}

TEST_CASE("At nearly every instruction of a musl program the stack is complete, and else it says that it is not") {
  for (const char *program : {"unwind_musl", "unwind_musl_static"}) {
    if (::access(test::fixture_path(program).c_str(), X_OK) != 0)
      SKIP_TEST("musl-gcc is not installed");
    const Walked walked = walk_every_instruction(program);
    INFO(program << ": " << walked.failure);
    // In front of a jump through a table in printf nothing tells where the code goes on.
    CHECK(walked.failures < walked.steps / 200);
    CHECK(walked.misleading == 0);
    CHECK(walked.steps > 2000);
    CHECK(walked.in_handler > 5);
    CHECK(walked.guessed > 0);
  }
}
