#include "attach/unstopped/sleeping_threads.h"

#include "attach/procfs/process_list.h"
#include "attach/procfs/process_status.h"
#include "machine/x86_64/registers.h"
#include "machine/x86_64/system_call.h"
#include "machine/x86_64/system_calls.h"
#include "tests/support/catch.h"
#include "tests/support/child_process.h"

#include <algorithm>
#include <atomic>
#include <csignal>
#include <map>
#include <sstream>
#include <sys/syscall.h>
#include <unistd.h>

namespace inspect {
namespace {

using test::ChildProcess;

SleepingThreads read_all(pid_t process, const UnstoppedOptions &options = {}) {
  const auto memory = LiveMemory::open(process).value();
  auto read = read_sleeping_threads(process, *memory, read_memory_map(process).value(), options);
  if (!read)
    FAIL(read.error().message());
  return std::move(*read);
}

TEST_CASE("the text of a syscall file is a call with its place, a place alone, or nothing") {
  const auto call = parse_blocked_call("202 0x7f10 0x80 0x2 0x0 0x5 0xffffffff 0x7ffd1230 0x7f0000001000\n");
  REQUIRE(call);
  CHECK(call->number == SYS_futex);
  CHECK(call->arguments == std::array<std::uint64_t, 6>{0x7f10, 0x80, 2, 0, 5, 0xffffffff});
  CHECK(call->stack_pointer == RunAddress{0x7ffd1230});
  CHECK(call->pc == RunAddress{0x7f0000001000});
  const auto outside = parse_blocked_call("-1 0x7ffd1230 0x7f0000001000\n");
  REQUIRE(outside);
  CHECK(outside->number == -1);
  CHECK(outside->pc == RunAddress{0x7f0000001000});
  for (const char *text : {"running\n", "", "-1", "-1 0x0 0x0", "0 0x1 0x2 0x3 0x4 0x5 0x6 0x7ffd1230",
                           "0 1 2 3 4 5 6 7 8", "0 0x1 0x2 0x3 0x4 0x5 0x6 0x7ffd1230 pc", "call 0x1 0x2"}) {
    INFO(text);
    CHECK_FALSE(parse_blocked_call(text));
  }
}

TEST_CASE("threads in known calls are read without a stop: call, arguments and place") {
  ChildProcess child({test::fixture_path("known_calls")});
  std::map<pid_t, std::string> expected;
  for (int i = 0; i < 6; ++i) {
    std::istringstream line(child.read_line());
    pid_t thread = 0;
    line >> thread >> expected[0];
    expected[thread] = expected[0];
  }
  expected.erase(0);
  child.wait_for_line();
  SleepingThreads read;
  REQUIRE(test::wait_until([&] { // on a busy machine a thread may not have come to rest
    read = read_all(child.pid());
    return std::ranges::all_of(read.threads,
                               [](const StoppedThread &one) { return one.state == StopState::read_without_stop; });
  }));
  CHECK(read.warnings.empty());
  CHECK(read_process_status(child.pid())->tracer == 0);
  REQUIRE(read.threads.size() == 7);
  CHECK(std::ranges::is_sorted(read.threads, {}, &StoppedThread::thread));
  const SnapshotMemory memory = read.take_memory();
  const auto live = LiveMemory::open(child.pid()).value();
  for (const StoppedThread &thread : read.threads) {
    INFO(thread.thread);
    CHECK(thread.reason.empty());
    CHECK(thread.task_state == 'S');
    CHECK_FALSE(thread.kernel.channel.empty());
    if (thread.thread != child.pid())
      CHECK(x86_64::system_call_name(thread.system_call) == expected[thread.thread]);
    for (const unsigned known : {x86_64::return_address, x86_64::rsp, x86_64::rdi, x86_64::rsi, x86_64::rdx,
                                 x86_64::r10, x86_64::r8, x86_64::r9})
      CHECK(thread.registers.knows(known));
    for (const unsigned unknown : {x86_64::rbx, x86_64::rbp, x86_64::r12, x86_64::r13, x86_64::r14, x86_64::r15})
      CHECK_FALSE(thread.registers.knows(unknown));
    const RunAddress stack_pointer{*thread.registers.get(x86_64::rsp)};
    std::array<std::byte, 256> copied;
    std::array<std::byte, 256> there;
    REQUIRE(memory.read(stack_pointer - 128, copied));
    REQUIRE(live->read(stack_pointer - 128, there));
    CHECK(copied == there);
  }
}

TEST_CASE("registers and stacks are those that a stop finds") {
  ChildProcess child({test::fixture_path("known_calls")});
  child.wait_for_line();
  SleepingThreads read;
  REQUIRE(test::wait_until([&] {
    read = read_all(child.pid());
    return std::ranges::all_of(read.threads,
                               [](const StoppedThread &one) { return one.state == StopState::read_without_stop; });
  }));
  const auto stopped = StoppedProcess::stop(child.pid(), {});
  REQUIRE(stopped);
  for (const StoppedThread &thread : read.threads) {
    const auto found = std::ranges::find(stopped->threads(), thread.thread, &StoppedThread::thread);
    REQUIRE(found != stopped->threads().end());
    for (unsigned number = 0; number < RegisterSet::capacity; ++number)
      if (thread.registers.knows(number)) {
        INFO(x86_64::register_name(number));
        CHECK(thread.registers.get(number) == found->registers.get(number));
      }
  }
}

TEST_CASE("what runs has no stack, and says that it runs") {
  const ChildProcess child = ChildProcess::forked([] {
    test::say_line("ready");
    for (std::atomic<unsigned> turns = 0;; ++turns) {
    }
    return 0;
  });
  const SleepingThreads read = read_all(child.pid());
  REQUIRE(read.threads.size() == 1);
  CHECK(read.threads[0].state == StopState::not_asleep);
  CHECK(read.threads[0].reason.find("it runs") != std::string::npos);
  CHECK(read.ranges.empty());
}

TEST_CASE("one that is stopped by a signal is read, and stays stopped") {
  ChildProcess child({test::fixture_path("known_calls")});
  child.wait_for_line();
  child.signal(SIGSTOP);
  const auto is_stopped = [&] { return read_process_stat(child.pid())->state == 'T'; };
  REQUIRE(test::wait_until(is_stopped));
  const SleepingThreads read = read_all(child.pid());
  CHECK(read.threads.size() == 7);
  for (const StoppedThread &thread : read.threads)
    CHECK(thread.state == StopState::read_without_stop);
  CHECK(is_stopped());
}

TEST_CASE("limits hold without a stop, too") {
  ChildProcess child({test::fixture_path("known_calls")});
  child.wait_for_line();
  const SleepingThreads read = read_all(child.pid(), {.stack_limit_bytes = 1024});
  for (const SnapshotMemory::Range &one : read.ranges)
    CHECK(one.range.size() <= 1024);
  REQUIRE(read.warnings.size() == 1);
  CHECK(read.warnings[0].find("copied only in part") != std::string::npos);
}

TEST_CASE("only the threads that are asked for are read, and there is an error for no process") {
  ChildProcess child({test::fixture_path("known_calls")});
  child.wait_for_line();
  CHECK(read_all(child.pid(), {.only = {child.pid()}}).threads.size() == 1);
  const auto memory = LiveMemory::open(child.pid()).value();
  const auto nobody = read_sleeping_threads(1 << 22, *memory, {}, {});
  REQUIRE_FALSE(nobody);
  CHECK(nobody.error().kind() == ErrorKind::no_such_process);
}

} // namespace
} // namespace inspect
