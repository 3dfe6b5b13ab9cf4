#include "attach/snapshot/snapshot.h"

#include "attach/procfs/process_list.h"
#include "attach/procfs/process_status.h"
#include "machine/x86_64/registers.h"
#include "tests/support/catch.h"
#include "tests/support/child_process.h"

#include <algorithm>
#include <csignal>
#include <sys/mman.h>
#include <ucontext.h>
#include <unistd.h>

namespace inspect {
namespace {

using test::ChildProcess;

Snapshot snapshot_of(pid_t process, const SnapshotOptions &options = {}) {
  const auto memory = LiveMemory::open(process).value();
  const auto maps = read_memory_map(process).value();
  auto snapshot = take_snapshot(process, *memory, maps, options);
  if (!snapshot)
    FAIL(snapshot.error().message());
  return std::move(*snapshot);
}

/// Starts many_threads and waits until each thread is asleep, not only about to be.
ChildProcess start_sleepers(const char *threads, const char *depth) {
  ChildProcess child({test::fixture_path("many_threads"), threads, depth});
  child.wait_for_line();
  const auto all_sleep = [&] {
    const auto ids = list_threads(child.pid()).value();
    return std::ranges::all_of(ids, [&](pid_t id) { return read_thread_stat(child.pid(), id)->state == 'S'; });
  };
  if (!test::wait_until(all_sleep))
    throw std::runtime_error("the threads do not sleep");
  return child;
}

std::uint64_t stack_pointer(const StoppedThread &thread) {
  return thread.registers.get(x86_64::rsp).value_or(0);
}

/// Compares all that was captured from each stack pointer on with the live memory of a process that sleeps.
void check_equals_memory(const SnapshotMemory &memory, std::span<const StoppedThread> threads, pid_t process) {
  const auto live = LiveMemory::open(process).value();
  for (const StoppedThread &thread : threads) {
    REQUIRE(thread.state == StopState::stopped);
    std::size_t size = 0;
    const RunAddress begin{stack_pointer(thread) - 128};
    // Above the stack, from the thread pointer on, the kernel notes on which processor the thread runs (rseq(2)).
    const RunAddress thread_pointer{thread.registers.get(x86_64::fs_base).value()};
    while (memory.holds(begin + size) && size < 100'000 && begin + size != thread_pointer)
      ++size;
    REQUIRE(size > 200);
    std::vector<std::byte> copied(size);
    std::vector<std::byte> there(size);
    REQUIRE(memory.read(begin, copied).has_value());
    REQUIRE(live->read(begin, there).has_value());
    CHECK(copied == there);
  }
}

TEST_CASE("a snapshot of a sleeping process equals its memory") {
  const ChildProcess child = start_sleepers("40", "20");
  const Snapshot snapshot = snapshot_of(child.pid());
  CHECK(snapshot.threads.size() == 41);
  CHECK(snapshot.warnings.empty());
  CHECK(snapshot.pause.count() > 0);
  check_equals_memory(snapshot.memory, snapshot.threads, child.pid());
  for (const StoppedThread &thread : snapshot.threads) {
    CHECK(thread.system_call == (thread.thread == child.pid() ? 0 : 202)); // read, futex
    CHECK_FALSE(thread.was_group_stopped);
  }
  CHECK(read_process_status(child.pid())->tracer == 0);
  CHECK_FALSE(snapshot.memory.holds(RunAddress{16}));
  std::byte byte;
  CHECK_FALSE(snapshot.memory.read(RunAddress{16}, std::span(&byte, 1)).has_value());
}

TEST_CASE("what is stopped can be copied and stays stopped") {
  const ChildProcess child = start_sleepers("3", "5");
  auto stopped = StoppedProcess::stop(child.pid(), {});
  REQUIRE(stopped.has_value());
  const auto memory = LiveMemory::open(child.pid()).value();
  const Snapshot snapshot =
      copy_stopped(*stopped, child.pid(), *memory, read_memory_map(child.pid()).value(), {}).value();
  CHECK(snapshot.pause.count() == 0);
  CHECK(snapshot.threads.size() == 4);
  CHECK(read_process_stat(child.pid())->state == 't');
  check_equals_memory(snapshot.memory, snapshot.threads, child.pid());
  stopped->release();
  CHECK(stopped->pause().count() > 0);
  CHECK(test::wait_until([&] { return read_process_stat(child.pid())->state == 'S'; }));
}

TEST_CASE("mappings that are out of date are read again") {
  const ChildProcess child = start_sleepers("3", "5");
  const auto memory = LiveMemory::open(child.pid()).value();
  const auto snapshot = take_snapshot(child.pid(), *memory, {}, {});
  REQUIRE(snapshot.has_value());
  CHECK(snapshot->warnings.empty());
  check_equals_memory(snapshot->memory, snapshot->threads, child.pid());
}

TEST_CASE("limits on one stack and on all are kept, and said") {
  const ChildProcess child = start_sleepers("30", "200");
  SnapshotOptions options;
  options.stack_limit_bytes = 1024;
  const Snapshot each = snapshot_of(child.pid(), options);
  CHECK(each.memory.size_in_bytes() == 31 * 1024);
  REQUIRE(each.warnings.size() == 1);
  CHECK(each.warnings[0].find("31 stacks") != std::string::npos);
  options = {};
  options.total_limit_bytes = 31 * 512;
  const Snapshot all = snapshot_of(child.pid(), options);
  CHECK(all.memory.size_in_bytes() <= options.total_limit_bytes);
  CHECK(all.warnings.size() == 1);
  for (const StoppedThread &thread : all.threads) {
    CHECK(all.memory.holds(RunAddress{stack_pointer(thread) - 128}));
    CHECK(all.memory.holds(RunAddress{stack_pointer(thread) + 383}));
  }
}

volatile std::uint64_t *marker = nullptr;

__attribute__((noinline)) void raise_deep_below(int depth) {
  volatile std::uint64_t local[64];
  local[0] = 0x1122334455667788ULL;
  if (depth > 0) {
    raise_deep_below(depth - 1);
  } else {
    marker = local;
    raise(SIGUSR1);
  }
  local[1] = local[0];
}

void sleep_in_handler(int) {
  test::say_line(std::to_string(reinterpret_cast<std::uintptr_t>(marker)));
  pause();
}

/// Sleeps in a signal handler on an alternate stack made by `make_stack`.
int sleep_on_alternate_stack(void *memory, std::size_t size) {
  stack_t alternate{};
  alternate.ss_sp = memory;
  alternate.ss_size = size;
  struct sigaction action {};
  action.sa_handler = sleep_in_handler;
  action.sa_flags = SA_ONSTACK;
  if (sigaltstack(&alternate, nullptr) != 0 || sigaction(SIGUSR1, &action, nullptr) != 0)
    return 1;
  raise_deep_below(20);
  return 0;
}

void check_both_stacks(ChildProcess &child) {
  const RunAddress local{std::stoull(child.read_line())};
  REQUIRE(test::wait_until([&] { return read_process_stat(child.pid())->state == 'S'; }));
  const Snapshot snapshot = snapshot_of(child.pid());
  REQUIRE(snapshot.threads.size() == 1);
  CHECK(snapshot.memory.holds(RunAddress{stack_pointer(snapshot.threads[0])}));
  const auto value = read_word(snapshot.memory, local);
  REQUIRE(value.has_value());
  CHECK(*value == 0x1122334455667788ULL);
}

TEST_CASE("the stack a handler on an alternate stack has interrupted is copied, too") {
  ChildProcess child = ChildProcess::forked([] {
    constexpr std::size_t size = 64 << 10;
    void *memory = mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return sleep_on_alternate_stack(memory, size);
  });
  check_both_stacks(child);
}

TEST_CASE("an alternate stack that lies on the normal stack is not a trap") {
  // The interrupted frames are below the alternate stack then, in the same mapping.
  ChildProcess child = ChildProcess::forked([] {
    alignas(16) char memory[32 << 10];
    return sleep_on_alternate_stack(memory, sizeof memory);
  });
  check_both_stacks(child);
}

// The stacks of Go programs lie in its heap, where remains of signal frames are common.
TEST_CASE("what only looks like a signal frame and leads nowhere is not a cause for a warning") {
  ChildProcess child = ChildProcess::forked([] {
    ucontext_t remains{};
    const std::uintptr_t here = reinterpret_cast<std::uintptr_t>(&remains);
    remains.uc_stack.ss_sp = reinterpret_cast<void *>(here - (64 << 10));
    remains.uc_stack.ss_size = 1 << 20;
    remains.uc_mcontext.gregs[REG_RSP] = 0x10;
    asm volatile("" ::"m"(remains));
    test::say_line("ready");
    pause();
    return 0;
  });
  child.wait_for_line("ready");
  const Snapshot snapshot = snapshot_of(child.pid());
  CHECK(snapshot.warnings.empty());
  CHECK(snapshot.threads.size() == 1);
}

} // namespace
} // namespace inspect
