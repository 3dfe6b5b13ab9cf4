#include "attach/cgroup/freezer.h"

#include "attach/procfs/process_status.h"
#include "attach/unstopped/look.h"
#include "tests/support/catch.h"
#include "tests/support/child_process.h"
#include "tests/support/frozen_group.h"
#include "tests/support/skip.h"

#include <csignal>
#include <unistd.h>

namespace inspect {
namespace {

using test::ChildProcess;
using test::FreezerVersion;
using test::FrozenGroup;

/// Whatever its group is asked to be: neither this test nor its child is frozen.
TEST_CASE("a process that runs is in no frozen group") {
  CHECK_FALSE(find_freezer(::getpid()));
  CHECK_FALSE(find_freezer(1 << 22));
}

void check_frozen(FreezerVersion version, bool stopped) {
  ChildProcess child({test::fixture_path("known_calls")});
  child.wait_for_line();
  if (stopped) {
    child.signal(SIGSTOP);
    REQUIRE(test::wait_until([&] { return read_process_stat(child.pid())->state == 'T'; }));
  }
  {
    const auto group = FrozenGroup::freeze(version, child.pid());
    if (!group)
      SKIP_TEST("no control group can be frozen here");
    const auto frozen = find_freezer(child.pid());
    REQUIRE(frozen);
    CHECK(frozen->version == (version == FreezerVersion::one ? 1 : 2));
    CHECK(frozen->path == group->path());
    // PTRACE_SEIZE or the wait for a stop would not come back.
    const auto memory = LiveMemory::open(child.pid()).value();
    const auto look = take_look(child.pid(), *memory, read_memory_map(child.pid()).value(), {});
    REQUIRE(look);
    CHECK(look->why_not_stopped == "frozen by its control group " + group->path() + " (as docker pause does)");
    CHECK(look->threads.size() == 7);
    CHECK(look->pause.count() == 0);
    for (const StoppedThread &thread : look->threads)
      CHECK(thread.state == StopState::read_without_stop);
    CHECK(read_process_status(child.pid())->tracer == 0);
  }
  CHECK_FALSE(find_freezer(child.pid()));
  child.signal(SIGCONT);
  child.close_stdin(); // it ends by itself: it is well
  CHECK(child.wait() == 0);
}

TEST_CASE("a frozen process is found and read, version 1") {
  check_frozen(FreezerVersion::one, false);
}

TEST_CASE("a frozen process is found and read, version 2") {
  check_frozen(FreezerVersion::two, false);
}

TEST_CASE("a process that was stopped by a signal before it was frozen is read, version 1") {
  check_frozen(FreezerVersion::one, true);
}

TEST_CASE("a process that was stopped by a signal before it was frozen is read, version 2") {
  check_frozen(FreezerVersion::two, true);
}

} // namespace
} // namespace inspect
