// Goroutines in memory made for the purpose, which run whenever the test wants them to: between the readings of one
// call.
#include "golang/goroutines/unstopped_stacks.h"

#include "golang/runtime/goroutine_decoder.h"
#include "tests/support/catch.h"

#include <chrono>
#include <cstring>
#include <functional>
#include <memory>
#include <thread>

namespace inspect {
namespace {

constexpr std::uint64_t structures = 0xc000000000;
constexpr std::uint64_t stacks = 0xc000100000;
constexpr std::uint64_t memory_size = 0x200000;
constexpr std::uint64_t stack_size = 2048;
constexpr std::uint64_t used_stack = 512;

/// One piece of memory, and what happens in front of each single reading.
class StirredMemory final : public MemoryView {
public:
  StirredMemory() : bytes_(memory_size) {}
  Result<void> read(RunAddress address, std::span<std::byte> into) const override {
    if (stir)
      stir(reads++);
    if (address.value < structures || address.value - structures + into.size() > bytes_.size())
      return std::unexpected(Error(ErrorKind::unreadable, "outside"));
    std::memcpy(into.data(), bytes_.data() + (address.value - structures), into.size());
    return {};
  }
  template <typename Value> void set(std::uint64_t address, Value value) {
    std::memcpy(bytes_.data() + (address - structures), &value, sizeof value);
  }

  std::function<void(int read)> stir; ///< may be empty
  mutable int reads = 0;

private:
  std::vector<std::byte> bytes_;
};

class World {
public:
  explicit World(GoVersion version = {1, 22}) : layout(*runtime_layout(version).layout) {}

  /// It waits on a stack of its own.
  void add(std::uint64_t id) {
    const std::uint64_t stack = stacks + id * 2 * stack_size;
    const RuntimeLayout::G &g = layout.g;
    set(id, g.stack_lo, stack);
    set(id, g.stack_hi, stack + stack_size);
    set(id, g.sched_sp, stack + stack_size - used_stack);
    set(id, g.sched_pc, std::uint64_t{0x401000});
    set(id, g.status, static_cast<std::uint32_t>(GoroutineStatus::waiting));
    set(id, g.id, id);
    memory.set(stack + stack_size - used_stack, id * 1000);
    goroutines.push_back(now(id));
  }
  template <typename Value> void set(std::uint64_t id, FieldOffset field, Value value) {
    if (field >= 0)
      memory.set(address(id) + static_cast<std::uint64_t>(field), value);
  }
  Goroutine now(std::uint64_t id) const {
    std::vector<std::byte> bytes(static_cast<std::size_t>(layout.g.size));
    const auto keep = std::exchange(const_cast<StirredMemory &>(memory).stir, {});
    REQUIRE(memory.read(RunAddress{address(id)}, bytes));
    const_cast<StirredMemory &>(memory).stir = keep;
    return decode_goroutine(layout, RunAddress{address(id)}, bytes);
  }
  UnstoppedStacks copy(std::span<const HeldStack> held = {}, std::uint64_t limit = 1 << 20) {
    const StackRoom room = [this](std::uint64_t size) { return rooms.emplace_back(new std::byte[size]).get(); };
    return copy_unstopped_stacks({layout, memory, held, limit, room}, goroutines, warnings);
  }
  static std::uint64_t address(std::uint64_t id) { return structures + id * 1024; }

  const RuntimeLayout &layout;
  StirredMemory memory;
  std::vector<Goroutine> goroutines;
  std::vector<std::string> warnings;
  std::vector<std::unique_ptr<std::byte[]>> rooms;
};

std::uint64_t first_word(const UnstoppedStack &stack) {
  std::uint64_t word = 0;
  std::memcpy(&word, stack.bytes, sizeof word);
  return word;
}

TEST_CASE("goroutines at rest are copied, ascending, each from its stack pointer on") {
  World world;
  for (std::uint64_t id = 1; id <= 11; ++id)
    world.add(12 - id);
  const UnstoppedStacks copied = world.copy();
  REQUIRE(copied.stacks.size() == 11);
  CHECK(copied.unknown.empty());
  CHECK(world.warnings.empty());
  for (std::uint64_t id = 1; id <= 11; ++id) {
    CHECK(copied.stacks[id - 1].range.size() == used_stack);
    CHECK(first_word(copied.stacks[id - 1]) == id * 1000);
  }
}

TEST_CASE("one that ran while it was read is read again, as it is then") {
  World world;
  world.add(1);
  bool ran = false;
  world.memory.stir = [&](int) {
    if (world.memory.reads != 2 || std::exchange(ran, true)) // between the first look and the copy
      return;
    world.set(1, world.layout.g.tracking_sequence, std::uint8_t{1});
    world.memory.set(world.goroutines[0].sp.value, std::uint64_t{77});
  };
  const UnstoppedStacks copied = world.copy();
  CHECK(ran);
  REQUIRE(copied.stacks.size() == 1);
  CHECK(first_word(copied.stacks[0]) == 77);
  CHECK(world.goroutines[0].tracking_sequence == 1);
}

TEST_CASE("one that runs at every look has no stack") {
  World world;
  world.add(1);
  world.add(2);
  std::uint8_t count = 0;
  world.memory.stir = [&](int) { world.set(1, world.layout.g.tracking_sequence, ++count); };
  const UnstoppedStacks copied = world.copy();
  CHECK(copied.unknown == std::unordered_set{RunAddress{World::address(1)}});
  REQUIRE(copied.stacks.size() == 1);
  CHECK(first_word(copied.stacks[0]) == 2000);
}

TEST_CASE("where the count may have come round, two copies must be equal") {
  World world;
  world.add(1);
  std::uint64_t value = 100;
  bool changes = true;
  world.memory.stir = [&](int) { // slow, and its stack is another one each time
    std::this_thread::sleep_for(std::chrono::microseconds(50));
    if (changes)
      world.memory.set(world.goroutines[0].sp.value, ++value);
  };
  CHECK(world.copy().unknown.size() == 1);
  changes = false;
  const UnstoppedStacks copied = world.copy();
  CHECK(copied.unknown.empty());
  REQUIRE(copied.stacks.size() == 1);
  CHECK(first_word(copied.stacks[0]) == value);
}

TEST_CASE("one that still has its m, and any before Go 1.17, needs two equal copies") {
  const bool older = GENERATE(false, true);
  World world(older ? GoVersion{1, 16} : GoVersion{1, 22});
  world.add(1);
  if (!older) {
    world.set(1, world.layout.g.m, structures + 0x1000);
    world.goroutines[0] = world.now(1);
  }
  std::uint64_t value = 100;
  world.memory.stir = [&](int) { world.memory.set(world.goroutines[0].sp.value, ++value); };
  CHECK(world.copy().unknown.size() == 1);
  world.memory.stir = {};
  CHECK(world.copy().stacks.size() == 1);
}

TEST_CASE("a stack that was given to another goroutine meanwhile counts for the later one") {
  World world;
  world.add(1);
  world.add(2);
  // The first ends after it was read, and the second parks on its stack.
  const Goroutine first = world.goroutines[0];
  bool moved = false;
  world.memory.stir = [&](int read) {
    if (read < 4 || std::exchange(moved, true))
      return;
    world.set(2, world.layout.g.stack_lo, first.stack.begin.value);
    world.set(2, world.layout.g.stack_hi, first.stack.end.value);
    world.set(2, world.layout.g.sched_sp, first.sp.value + 64);
    world.set(2, world.layout.g.tracking_sequence, std::uint8_t{9});
  };
  const UnstoppedStacks copied = world.copy();
  REQUIRE(moved);
  REQUIRE(copied.stacks.size() == 1);
  CHECK(copied.stacks[0].range.begin == first.sp + 64);
  CHECK(copied.unknown == std::unordered_set{RunAddress{World::address(1)}});
}

TEST_CASE("what a sleeping thread holds is the goroutine's only if it is in a call of that thread") {
  struct Row {
    GoroutineStatus status;
    bool slept;
    bool known;
  };
  for (const Row &row : {Row{GoroutineStatus::in_syscall, true, true}, Row{GoroutineStatus::in_syscall, false, false},
                         Row{GoroutineStatus::waiting, true, false}}) {
    World world;
    world.add(1);
    world.set(1, world.layout.g.status, static_cast<std::uint32_t>(row.status));
    world.goroutines[0] = world.now(1);
    const HeldStack held{{world.goroutines[0].sp - 64, world.goroutines[0].stack.end}, row.slept};
    const UnstoppedStacks copied = world.copy(std::span(&held, 1));
    CHECK(copied.stacks.empty());
    CHECK(copied.unknown.empty() == row.known);
  }
}

TEST_CASE("the limit on all stacks together holds, and is said") {
  World world;
  for (std::uint64_t id = 1; id <= 4; ++id)
    world.add(id);
  const UnstoppedStacks copied = world.copy({}, 2 * used_stack);
  CHECK(copied.stacks.size() == 2);
  CHECK(copied.unknown.size() == 2);
  CHECK(world.warnings.size() == 1);
}

TEST_CASE("one that runs is left to its thread, and one that ended is forgotten") {
  World world;
  world.add(1);
  world.add(2);
  world.set(1, world.layout.g.status, static_cast<std::uint32_t>(GoroutineStatus::running));
  world.goroutines[0] = world.now(1);
  world.set(2, world.layout.g.status, static_cast<std::uint32_t>(GoroutineStatus::dead));
  const UnstoppedStacks copied = world.copy();
  CHECK(copied.stacks.empty());
  CHECK(copied.unknown.empty());
  CHECK(world.goroutines[1].status == GoroutineStatus::dead);
}

} // namespace
} // namespace inspect
