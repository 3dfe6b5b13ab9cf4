#include "golang/goroutines/live_stacks.h"

#include "tests/support/catch.h"

namespace inspect {
namespace {

constexpr RunRange stack{{0xc000100000}, {0xc000102000}};
constexpr RunRange none{};

Goroutine goroutine(GoroutineStatus status, std::uint64_t sp, std::uint64_t syscall_sp = 0, std::uint64_t m = 0) {
  Goroutine one;
  one.status = status;
  one.stack = stack;
  one.sp = {sp};
  one.syscall_sp = {syscall_sp};
  one.m = {m};
  return one;
}

RunRange from(std::uint64_t begin) {
  return {{begin}, stack.end};
}

TEST_CASE("a parked goroutine's stack is live from where it was left") {
  const ThreadStackPointers threads(std::vector<RunAddress>{{0x7fff0000}});
  for (const auto status : {GoroutineStatus::runnable, GoroutineStatus::waiting, GoroutineStatus::preempted,
                            GoroutineStatus::leaked, GoroutineStatus::copying_stack})
    CHECK(live_stack(goroutine(status, 0xc000101f00), threads).range == from(0xc000101f00));
  CHECK(live_stack(goroutine(GoroutineStatus::runnable, stack.end.value), threads).range.size() == 0);
}

TEST_CASE("a goroutine in a system call has its thread on this stack or on another") {
  const auto in_call = goroutine(GoroutineStatus::in_syscall, 0xc000101f00, 0xc000101e00, 0x1234);
  CHECK(live_stack(in_call, ThreadStackPointers({})).range == from(0xc000101e00));
  // It has called C: the frames between cgocall and the switch of stacks are live too.
  const auto in_c = goroutine(GoroutineStatus::in_syscall, 0xc000101d00, 0xc000101e00, 0x1234);
  CHECK(live_stack(in_c, ThreadStackPointers({})).range == from(0xc000101d00));
  const ThreadStackPointers below(std::vector<RunAddress>{{0xc000101d00}, {0x1000}});
  CHECK(live_stack(in_call, below).range == from(0xc000101d00 - 128));
  const auto unsaved = goroutine(GoroutineStatus::in_syscall, 0, 0, 0x1234);
  CHECK(live_stack(unsaved, ThreadStackPointers({})).range == stack);
}

TEST_CASE("a running goroutine's stack is live from its thread's stack pointer, or where that is unknown all of it") {
  const auto running = goroutine(GoroutineStatus::running, 0xc000101f00, 0, 0x1234);
  const ThreadStackPointers on_it(std::vector<RunAddress>{{0xc000102000}, {0xc000101000}, {0xc000100800}});
  CHECK(live_stack(running, on_it).range == from(0xc000100800 - 128));
  const ThreadStackPointers at_begin(std::vector<RunAddress>{stack.begin + 8});
  CHECK(live_stack(running, at_begin).range == stack);
  const ThreadStackPointers elsewhere(std::vector<RunAddress>{{0xc000102000}, {0xc0000fffff}});
  CHECK(live_stack(running, elsewhere).range == stack);
}

TEST_CASE("a stack that is invalid is not copied, and said to be damaged") {
  const ThreadStackPointers threads({});
  auto one = goroutine(GoroutineStatus::waiting, 0x400);
  CHECK(live_stack(one, threads).range == none);
  CHECK(live_stack(one, threads).damaged);
  one.status = GoroutineStatus::copying_stack; // the stack is being replaced
  CHECK(live_stack(one, threads).range == none);
  CHECK_FALSE(live_stack(one, threads).damaged);
  for (const RunRange bad : {RunRange{{0}, {0x2000}}, RunRange{{0x3000}, {0x2000}}, RunRange{{0x1000}, {~0ULL}},
                             RunRange{{0x1000}, {0x1000 + (2ULL << 30)}}, RunRange{{~0ULL << 20}, {~0ULL}}}) {
    one = goroutine(GoroutineStatus::waiting, bad.begin.value + 8);
    one.stack = bad;
    CHECK(live_stack(one, threads).damaged);
    CHECK(live_stack(one, threads).range == none);
  }
}

TEST_CASE("a very long stack is copied up to a limit") {
  auto one = goroutine(GoroutineStatus::waiting, 0xc000000100);
  one.stack = {{0xc000000000}, {0xc010000000}};
  const LiveStack live = live_stack(one, ThreadStackPointers({}));
  CHECK(live.cut);
  CHECK(live.range == RunRange{{0xc000000100}, RunAddress{0xc000000100} + LiveStack::limit_bytes});
}

GoM runtime_m(RunRange g0_stack, std::uint64_t g0_sp) {
  GoM one;
  one.g0_stack = g0_stack;
  one.g0_sp = {g0_sp};
  one.gsignal_stack = {{0xc000200000}, {0xc000208000}};
  one.current_g = {0xc000000100};
  return one;
}

TEST_CASE("a system stack that the runtime made is live from where it was left, or from its thread") {
  const GoM one = runtime_m({{0xc000300000}, {0xc000304000}}, 0xc000303f00);
  MStacks left;
  add_m_stacks(one, ThreadStackPointers({}), left);
  CHECK(left.ranges == std::vector<RunRange>{{{0xc000303f00}, {0xc000304000}}});
  CHECK(left.on_c_stacks.empty());
  MStacks here;
  add_m_stacks(one, ThreadStackPointers(std::vector<RunAddress>{{0xc000303e80}, {0xc000207000}}), here);
  CHECK(here.ranges == std::vector<RunRange>{{{0xc000207000 - 128}, {0xc000208000}}, {{0xc000303e00}, {0xc000304000}}});
}

TEST_CASE("a system stack of C is left to the memory map") {
  GoM one = runtime_m({{0x7f0000001068}, {0x7f0000801468}}, 0x7f0000801000);
  MStacks stacks;
  add_m_stacks(one, ThreadStackPointers({}), stacks);
  CHECK(stacks.ranges.empty());
  CHECK(stacks.on_c_stacks == std::vector<RunAddress>{{0x7f0000801000}});
  one.current_g = {0};
  MStacks idle;
  add_m_stacks(one, ThreadStackPointers({}), idle);
  CHECK(idle.on_c_stacks.empty());
  one.g0_stack = {};
  one.gsignal_stack = {{~0ULL}, {0}};
  add_m_stacks(one, ThreadStackPointers(std::vector<RunAddress>{{~0ULL}}), idle);
  CHECK(idle.ranges.empty());
}

TEST_CASE("stacks are joined in order, and overlapping ones are cut") {
  const auto range = [](std::uint64_t begin, std::uint64_t end) { return RunRange{{begin}, {end}}; };
  CHECK(join_stacks({range(10, 20), none, range(30, 40)}, {range(50, 60), range(22, 25), none}) ==
        std::vector<RunRange>{range(10, 20), range(22, 25), range(30, 40), range(50, 60)});
  CHECK(join_stacks({range(10, 20), range(15, 18), range(19, 40)}, {range(10, 20), range(35, 45)}) ==
        std::vector<RunRange>{range(10, 20), range(20, 40), range(40, 45)});
  CHECK(join_stacks({}, {}).empty());
}

} // namespace
} // namespace inspect
