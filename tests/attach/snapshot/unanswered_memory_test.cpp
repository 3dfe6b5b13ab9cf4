// Memory whose pages somebody else has to deliver, and does not: no read of it holds the target, or us.
#include "attach/procfs/process_list.h"
#include "attach/procfs/process_status.h"
#include "attach/snapshot/snapshot.h"
#include "attach/unstopped/look.h"
#include "tests/attach/snapshot/heartbeat.h"
#include "tests/support/catch.h"
#include "tests/support/child_process.h"
#include "tests/support/skip.h"
#include "tests/support/temporary_directory.h"

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <optional>
#include <unistd.h>

namespace inspect {
namespace {

using test::ChildProcess;

struct Counts {
  unsigned long beats = 0;
  unsigned long served = 0;
  long longest_gap = 0; ///< milliseconds between two beats of the thread whose memory it is
};

/// The fixture, ready; nothing where this machine cannot have it, which was said then.
std::optional<ChildProcess> start_unanswered(const std::vector<std::string> &arguments) {
  std::vector<std::string> command{test::fixture_path("unanswered_memory")};
  command.insert(command.end(), arguments.begin(), arguments.end());
  ChildProcess child(command);
  const std::string line = child.read_line();
  if (line == "ready")
    return child;
  std::printf("SKIPPED: %s\n", line.c_str());
  return std::nullopt;
}

Counts counts_of(ChildProcess &child) {
  child.write("\n");
  Counts counts;
  const std::string line = child.read_line();
  REQUIRE(std::sscanf(line.c_str(), "%lu %lu %ld", &counts.beats, &counts.served, &counts.longest_gap) == 3);
  return counts;
}

/// It goes on counting.
void check_it_runs(ChildProcess &child) {
  const Counts before = counts_of(child);
  ::usleep(50'000);
  CHECK(counts_of(child).beats > before.beats);
  CHECK(test::is_left_alone(child.pid()));
}

/// The thread's stack of the fixture: its low end was never delivered.
RunRange silent_stack_of(pid_t process) {
  const auto maps = read_memory_map(process).value();
  const auto found = std::ranges::find_if(
      maps, [](const Mapping &one) { return one.range.size() == 1U << 20 && one.path.empty() && one.writable; });
  REQUIRE(found != maps.end());
  return found->range;
}

Snapshot snapshot_of(const LiveMemory &memory, pid_t process) {
  auto snapshot = take_snapshot(process, memory, read_memory_map(process).value(), {});
  INFO((snapshot ? "" : snapshot.error().message()));
  REQUIRE(snapshot);
  return std::move(*snapshot);
}

bool mentions(const std::vector<std::string> &sentences, std::string_view text) {
  return std::ranges::any_of(sentences, [&](const std::string &one) { return one.find(text) != std::string::npos; });
}

/// Every thread was stopped, and a copy made of what answers: all stacks but one.
void check_others_were_copied(const Snapshot &snapshot, std::size_t all_threads) {
  CHECK(snapshot.threads.size() == all_threads);
  std::size_t held = 0;
  for (const StoppedThread &thread : snapshot.threads) {
    CHECK(thread.state == StopState::stopped);
    held += snapshot.memory.holds(RunAddress{thread.registers.get(7).value_or(0)}) ? 1 : 0;
  }
  CHECK(held + 1 >= all_threads);
}

bool is_traced(pid_t process) {
  const auto status = read_process_status(process);
  return status && status->tracer != 0;
}

/// Kills a tracer while it waits for memory of the stopped target, three times.
void check_kill_lets_go(ChildProcess &child) {
  constexpr int wanted = 3;
  constexpr int max_tries = 30; // on a busy machine the wait may be over before we get to look
  int killed_while_waiting = 0;
  for (int i = 0; i < max_tries && killed_while_waiting < wanted; ++i) {
    ChildProcess tracer = ChildProcess::forked([&] {
      const auto memory = LiveMemory::open(child.pid()).value();
      const auto maps = read_memory_map(child.pid()).value();
      test::say_line("ready");
      static_cast<void>(take_snapshot(child.pid(), *memory, maps, {}));
      ::pause();
      return 0;
    });
    tracer.wait_for_line();
    for (int look = 0; look < 2000 && !is_traced(child.pid()); ++look)
      ::usleep(100);
    ::usleep(60'000); // in the middle of the quarter of a second that it waits
    killed_while_waiting += is_traced(child.pid()) ? 1 : 0;
    tracer.signal(SIGKILL);
    tracer.wait();
    check_it_runs(child);
  }
  CHECK(killed_while_waiting == wanted);
}

TEST_CASE("a page fault handler of the target's own is never asked, and never waited for") {
  auto child = start_unanswered({"own"});
  if (!child)
    return;
  const auto memory = LiveMemory::open(child->pid()).value();
  CHECK(memory->has_page_fault_handler());
  const Counts before = counts_of(*child);
  for (int i = 0; i < 20; ++i) {
    const Snapshot snapshot = snapshot_of(*memory, child->pid());
    check_others_were_copied(snapshot, 3);
    CHECK_FALSE(mentions(snapshot.warnings, "not answered"));
  }
  CHECK(counts_of(*child).served == before.served);
  check_it_runs(*child);
}

TEST_CASE("a target is let go when a page fault handler elsewhere does not answer") {
  auto child = start_unanswered({"other"});
  if (!child)
    return;
  const auto memory = LiveMemory::open(child->pid()).value();
  const Snapshot snapshot = snapshot_of(*memory, child->pid());
  CHECK(mentions(snapshot.warnings, "not answered in time"));
  CHECK(snapshot.threads.size() == 2);
  check_it_runs(*child);
  check_kill_lets_go(*child);
}

TEST_CASE("a target is let go when the server of a mapped file does not answer") {
  const test::TemporaryDirectory directory;
  auto child = start_unanswered({"fuse", directory.path()});
  if (!child)
    return;
  const auto memory = LiveMemory::open(child->pid()).value();
  const Snapshot snapshot = snapshot_of(*memory, child->pid());
  CHECK(mentions(snapshot.warnings, "not answered in time"));
  check_it_runs(*child);
  // A second look waits again, and ends again.
  CHECK(mentions(snapshot_of(*memory, child->pid()).warnings, "not answered in time"));
  check_it_runs(*child);
  check_kill_lets_go(*child);
}

TEST_CASE("what is read without a stop is not held up by a handler that does not answer") {
  auto child = start_unanswered({"other"});
  if (!child)
    return;
  const auto memory = LiveMemory::open(child->pid()).value();
  const auto maps = read_memory_map(child->pid()).value();
  LookOptions options;
  options.stop = StopChoice::none;
  const Snapshot look = take_look(child->pid(), *memory, maps, options).value();
  CHECK(look.threads.size() == 2);
  CHECK(mentions(look.warnings, "not answered in time"));
  check_it_runs(*child);
}

TEST_CASE("after a read that was not answered every other has a limit of its own, and in the end none is tried") {
  auto child = start_unanswered({"other"});
  if (!child)
    return;
  const auto memory = LiveMemory::open(child->pid()).value();
  static_cast<void>(snapshot_of(*memory, child->pid()));
  const RunAddress silent = silent_stack_of(child->pid()).begin;
  for (int i = 0; i < 50; ++i)
    CHECK_FALSE(read_word(*memory, silent));
  CHECK(read_word(*memory, silent).error().message().find("not delivered in time") != std::string::npos);
  check_it_runs(*child);
}

TEST_CASE("reads of ranges that may not answer have a limit") {
  auto child = start_unanswered({"other"});
  if (!child)
    return;
  const auto memory = LiveMemory::open(child->pid()).value();
  const RunRange silent = silent_stack_of(child->pid());
  const auto maps = read_memory_map(child->pid()).value();
  const auto other = std::ranges::find(maps, "[stack]", &Mapping::path);
  REQUIRE(other != maps.end());
  memory->limit_reads_of({silent});
  CHECK_FALSE(read_word(*memory, silent.begin));
  CHECK(read_word(*memory, other->range.end - 8));
  CHECK(read_word(*memory, silent.end - 8)); // what is there is read
  check_it_runs(*child);
}

} // namespace
} // namespace inspect
