#include "attach/ptrace/tracing_thread.h"

#include "attach/snapshot/snapshot.h"
#include "tests/support/catch.h"
#include "tests/support/child_process.h"
#include "tests/support/process_health.h"

#include <new>
#include <unistd.h>

namespace inspect {
namespace {

/// Finds no memory while the target is stopped.
class FailingSource final : public StackSource {
public:
  void prepare() override {}
  std::vector<RunRange> stacks(std::span<const RunAddress>) override { throw std::bad_alloc(); }
};

} // namespace

TEST_CASE("what a job or its companion throws arrives at the caller, and the thread does the next job") {
  auto thread = TracingThread::start();
  REQUIRE(thread);
  CHECK_THROWS_AS((*thread)->run([] { throw std::bad_alloc(); }), std::bad_alloc);
  bool ended = false;
  const auto slow = [&] {
    ::usleep(100'000);
    ended = true;
  };
  CHECK_THROWS_AS((*thread)->run(slow, []() -> TracingThread::Waiting { throw std::bad_alloc(); }), std::bad_alloc);
  CHECK(ended);
  bool done = false;
  (*thread)->run([&] { done = true; });
  CHECK(done);
}

TEST_CASE("a stop in which memory runs out lets the target go") {
  test::ChildProcess child({test::fixture_path("many_threads"), "4", "3"});
  child.wait_for_line();
  const auto memory = LiveMemory::open(child.pid());
  REQUIRE(memory);
  FailingSource source;
  SnapshotOptions options;
  options.source = &source;
  const auto maps = read_memory_map(child.pid());
  REQUIRE(maps);
  CHECK_THROWS_AS(take_snapshot(child.pid(), **memory, *maps, options), std::bad_alloc);
  CHECK(test::what_is_wrong_with(child.pid()).empty());
}

} // namespace inspect
