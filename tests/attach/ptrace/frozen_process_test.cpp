// A process that a signal has stopped and a control group has frozen: the kernel holds PTRACE_SEIZE until it is thawed.
#include "attach/procfs/process_status.h"
#include "attach/ptrace/thread_stops.h"
#include "attach/ptrace/tracing_thread.h"
#include "tests/attach/snapshot/heartbeat.h"
#include "tests/support/catch.h"
#include "tests/support/child_process.h"
#include "tests/support/frozen_group.h"
#include "tests/support/skip.h"

#include <csignal>
#include <sys/wait.h>
#include <unistd.h>

namespace inspect {
namespace {

using test::ChildProcess;

TEST_CASE("a process that is stopped and frozen is given up, and let go as soon as it is thawed") {
  ChildProcess child = ChildProcess::forked([] {
    test::say_line("ready");
    ::raise(SIGSTOP);
    test::say_line("goes on");
    ::pause();
    return 0;
  });
  child.wait_for_line();
  int status = 0;
  REQUIRE(::waitpid(child.pid(), &status, WUNTRACED) == child.pid());
  REQUIRE(WIFSTOPPED(status));
  auto group = test::FrozenGroup::freeze(test::FreezerVersion::two, child.pid());
  if (!group)
    SKIP_TEST("no control group of version 2 can be frozen here");
  {
    auto tracing = TracingThread::start().value();
    auto stops = std::make_shared<ThreadStops>(child.pid(), StopOptions{});
    auto outcome = std::make_shared<Result<void>>();
    const bool done = tracing->run(
        [stops, outcome] {
          *outcome = stops->seize_all();
          stops->release_all();
        },
        [stops] { return stops->unblock_seizing(); });
    // Kernels differ in whether the wait is there at all (kernel/ptrace.c, JOBCTL_TRAPPING).
    if (!done) {
      CHECK(stops->seizing_error().message().find("frozen by its control group") != std::string::npos);
      CHECK_FALSE(tracing->run([] {}));
    }
  }
  group.reset();
  // It wakes for a moment, to be let go, and stays stopped.
  const auto state = [&] {
    const auto stat = read_process_stat(child.pid());
    return stat ? stat->state : '?';
  };
  for (int look = 0; look < 5000 && state() != 'T'; ++look)
    ::usleep(1000);
  CHECK(state() == 'T');
  ::usleep(20'000);
  CHECK(state() == 'T');
  child.signal(SIGCONT);
  CHECK(child.read_line() == "goes on");
  CHECK(test::is_left_alone(child.pid()));
}

} // namespace
} // namespace inspect
