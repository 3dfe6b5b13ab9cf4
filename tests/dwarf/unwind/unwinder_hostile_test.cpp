// Stacks that are corrupt or crafted: the walk always ends, with its reason, and in good time.
#include "dwarf/unwind/unwinder.h"

#include "dwarf/symbols/symbol_table.h"
#include "machine/x86_64/registers.h"
#include "tests/dwarf/unwind/traced_target.h"
#include "tests/support/catch.h"
#include "tests/support/child_process.h"
#include "tests/support/skip.h"

#include <functional>

using namespace inspect;
using test::ChildProcess;
using test::TracedTarget;

namespace {

/// Every word of it is made up when it is read.
class MadeUpMemory final : public MemoryView {
public:
  explicit MadeUpMemory(std::function<std::uint64_t(std::uint64_t address)> word) : word_(std::move(word)) {}
  Result<void> read(RunAddress address, std::span<std::byte> into) const override {
    for (std::size_t i = 0; i < into.size(); ++i) {
      const std::uint64_t place = address.value + i;
      into[i] = static_cast<std::byte>(word_(place & ~7ULL) >> (place % 8 * 8));
    }
    return {};
  }

private:
  std::function<std::uint64_t(std::uint64_t)> word_;
};

/// A program that is stopped, its modules, and what it knows of its stack.
struct Stopped {
  explicit Stopped(const std::string &program)
      : child({test::fixture_path(program), "chain"}), truth(read()), target(child.pid()) {}
  std::vector<std::uint64_t> read() {
    std::vector<std::uint64_t> found;
    for (std::string line = child.read_line(); line != "ready"; line = child.read_line()) {
      if (line.starts_with("ra "))
        found.push_back(std::stoull(line.substr(3), nullptr, 16));
    }
    return found;
  }
  /// The stack of made-up registers in a made-up memory.
  Stack walk(std::uint64_t pc, std::uint64_t stack_pointer, std::uint64_t frame_pointer, const MemoryView &memory,
             const UnwindLimits &limits = {}) {
    RegisterSet registers;
    registers.set(x86_64::return_address, pc);
    registers.set(x86_64::rsp, stack_pointer);
    registers.set(x86_64::rbp, frame_pointer);
    return unwind(registers, memory, target.modules(), limits);
  }
  ChildProcess child;
  std::vector<std::uint64_t> truth;
  TracedTarget target;
};

/// Where a function of the C library is, 0 without its symbols.
std::uint64_t find_in_libc(ModuleMap &modules, std::string_view function) {
  std::uint64_t found = 0;
  for (Module *module : modules.modules()) {
    if (!module->name().starts_with("libc"))
      continue;
    symbols_of(*module).each([&](const Symbol &symbol) {
      if (symbol.name == function)
        found = module->bias().to_run(symbol.address).value;
      return found == 0;
    });
  }
  return found;
}

/// A word is an address of code, one near its own place (mostly above), or noise.
std::uint64_t random_word(std::uint64_t seed, std::uint64_t address, const std::vector<std::uint64_t> &code) {
  std::uint64_t noise = (address ^ (seed << 40U)) * 0x9e3779b97f4a7c15ULL;
  noise = (noise ^ (noise >> 29U)) * 0xbf58476d1ce4e5b9ULL;
  noise ^= noise >> 32U;
  if (noise % 4 < 2)
    return code[noise / 4 % code.size()];
  if (noise % 4 == 2)
    return (address & ~15ULL) + noise / 4 % 512 * 16 - 1024;
  return noise;
}

} // namespace

TEST_CASE("A stack without end is cut at the depth limit, a million frames deep") {
  Stopped program("unwind_optimized");
  const std::uint64_t in_level_one = program.truth[0];
  const MadeUpMemory memory([&](std::uint64_t) { return in_level_one; });
  const Stack stack = program.walk(in_level_one, 0x10000, 0, memory);
  CHECK(stack.end == StackEnd::depth_limit);
  CHECK(stack.frames.size() == 1'000'000);
  CHECK_FALSE(stack.end_reason.empty());
  CHECK(stack.at.value == in_level_one);
  UnwindLimits limits;
  limits.max_frames = 7;
  const Stack short_stack = program.walk(in_level_one, 0x10000, 0, memory, limits);
  CHECK(short_stack.end == StackEnd::depth_limit);
  CHECK(short_stack.frames.size() == 7);
}

TEST_CASE("A walk can be cancelled, and keeps registers where it is asked to") {
  Stopped program("unwind_optimized");
  const std::uint64_t in_level_one = program.truth[0];
  const MadeUpMemory memory([&](std::uint64_t) { return in_level_one; });
  Cancellation cancellation;
  cancellation.request();
  UnwindLimits limits;
  limits.keep_registers = true;
  limits.cancellation = &cancellation;
  const Stack stack = program.walk(in_level_one, 0x10000, 0, memory, limits);
  CHECK(stack.end == StackEnd::cancelled);
  CHECK(stack.frames.size() < 5000);
  REQUIRE(stack.frames.size() > 1);
  REQUIRE(stack.frames[1].registers != nullptr);
  CHECK(stack.frames[1].registers->get(x86_64::return_address) == in_level_one);
  CHECK(stack.frames[1].registers->get(x86_64::rsp) == stack.frames[0].cfa.value);
  CHECK(stack.frames[0].registers->get(x86_64::rsp) == 0x10000);
}

TEST_CASE("A frame pointer chain that is a circle ends as no progress") {
  Stopped program("unwind_frame_pointer");
  const std::uint64_t in_level_one = program.truth[0];
  // Every frame pointer leads to itself, every return address to the same function.
  const MadeUpMemory memory([&](std::uint64_t address) { return address == 0x20008 ? in_level_one : 0x20000; });
  const Stack stack = program.walk(in_level_one, 0x10000, 0x20000, memory);
  CHECK(stack.end == StackEnd::no_progress);
  CHECK(stack.frames.size() < 4);
  CHECK_FALSE(stack.end_reason.empty());
}

TEST_CASE("A signal frame that interrupted itself ends as no progress") {
  Stopped program("unwind_optimized");
  const std::uint64_t trampoline = find_in_libc(program.target.modules(), "__restore_rt");
  if (trampoline == 0)
    SKIP_TEST("the C library's own symbols (libc6-dbg) are not installed");
  // Where the saved stack pointer and pc are read, they are the trampoline's own.
  for (const std::uint64_t odd : {0U, 8U}) {
    const MadeUpMemory memory([&](std::uint64_t address) { return address % 16 == odd ? trampoline : 0x10000; });
    const Stack stack = program.walk(trampoline, 0x10000, 0, memory);
    CHECK(stack.frames.size() < 200);
    CHECK(stack.end != StackEnd::complete);
    CHECK(stack.end != StackEnd::depth_limit);
  }
}

TEST_CASE("Stacks without memory, pc or module say so") {
  Stopped program("unwind_optimized");
  const BufferMemory nothing;
  const Stack unreadable = program.walk(program.truth[0], 0x10000, 0, nothing);
  CHECK(unreadable.end == StackEnd::unreadable_memory);
  CHECK(unreadable.frames.size() == 1);
  CHECK(unreadable.at.value >= 0x10000);
  CHECK(unreadable.at.value < 0x20000);
  const Stack outside = program.walk(0x1234, 0x10000, 0, nothing);
  CHECK(outside.end == StackEnd::no_unwind_rule);
  CHECK(outside.at.value == 0x1234);
  const Stack unknown = unwind(RegisterSet{}, nothing, program.target.modules(), {});
  CHECK(unknown.end == StackEnd::bad_rule);
  CHECK(unknown.frames.empty());
}

TEST_CASE("Stacks of random words always end, with a reason") {
  for (const char *name : {"unwind_optimized", "unwind_frame_pointer", "unwind_no_tables"}) {
    Stopped program(name);
    std::vector<std::uint64_t> code = program.truth;
    for (const Frame &frame : program.target.unwind().frames)
      code.push_back(frame.pc.value);
    UnwindLimits limits;
    limits.max_frames = 20'000;
    for (std::uint64_t seed = 1; seed <= 200; ++seed) {
      const MadeUpMemory memory([&](std::uint64_t address) { return random_word(seed, address, code); });
      const Stack stack = program.walk(code[seed % code.size()], 0x7ffff0000000, 0x7ffff0000040, memory, limits);
      REQUIRE_FALSE(stack.frames.empty());
      REQUIRE(stack.frames.size() <= 20'000);
      REQUIRE(stack.end_reason.empty() == (stack.end == StackEnd::complete));
    }
  }
}
