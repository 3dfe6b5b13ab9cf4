#include "inspector/stacks/goroutine_report.h"

#include "tests/support/catch.h"
#include "tests/support/report_builder.h"

namespace inspect {
namespace {

std::vector<std::vector<std::uint64_t>> ids_of(const GoReport &report) {
  std::vector<std::vector<std::uint64_t>> ids;
  for (const StackGroup &group : group_goroutines(report)) {
    ids.emplace_back();
    for (const std::uint32_t member : group.members)
      ids.back().push_back(report.goroutines[member].id);
  }
  return ids;
}

using Ids = std::vector<std::vector<std::uint64_t>>;

TEST_CASE("goroutines are one group by their lines, not by their addresses") {
  ProcessReport process = empty_report();
  GoReportBuilder build(process);
  ReportFrame early = build.frame("main.worker", 12);
  ReportFrame late = early;
  late.pc = RunAddress{0x402000};
  const std::uint32_t one = build.add_stack({build.frame("runtime.gopark", 402), early});
  const std::uint32_t other = build.add_stack({build.frame("runtime.gopark", 402), late});
  const std::uint32_t elsewhere = build.add_stack({build.frame("runtime.gopark", 402), build.frame("main.worker", 13)});
  build.add(2, one);
  build.add(3, other);
  build.add(4, elsewhere);
  CHECK(ids_of(build.go()) == Ids{{2, 3}, {4}});
}

TEST_CASE("another state, creation site or owner is another group") {
  ProcessReport process = empty_report();
  GoReportBuilder build(process);
  const std::uint32_t stack = build.add_stack({build.frame("main.worker", 12)});
  const std::uint32_t here = build.add_creation("main.serve", 40);
  const std::uint32_t here_inlined_elsewhere = build.add_creation("main.serve", 40);
  const std::uint32_t there = build.add_creation("main.serve", 41);
  build.add(2, stack).creation = here;
  build.add(3, stack).creation = here_inlined_elsewhere;
  build.add(4, stack).creation = there;
  GoroutineReport &other_reason = build.add(5, stack);
  other_reason.creation = here;
  other_reason.wait_reason = "select";
  GoroutineReport &system = build.add(6, stack);
  system.creation = here;
  system.system = true;
  CHECK(ids_of(build.go()) == Ids{{2, 3}, {4}, {5}, {6}});
}

TEST_CASE("running goroutines come first, then long waits, then large groups, the runtime's own last") {
  ProcessReport process = empty_report();
  GoReportBuilder build(process);
  const auto add = [&](std::uint64_t id, int line, GoroutineStatus status,
                       std::optional<std::int64_t> minutes) -> GoroutineReport & {
    GoroutineReport &goroutine = build.add(id, build.add_stack({build.frame("main.worker", line)}));
    goroutine.status = status;
    if (status != GoroutineStatus::waiting)
      goroutine.wait_reason = {};
    if (minutes)
      goroutine.wait_seconds = 60 * *minutes;
    return goroutine;
  };
  add(1, 1, GoroutineStatus::waiting, 90).system = true;
  add(2, 2, GoroutineStatus::waiting, std::nullopt);
  add(3, 3, GoroutineStatus::waiting, 0);
  add(4, 3, GoroutineStatus::waiting, 0);
  add(5, 5, GoroutineStatus::waiting, 0);
  add(6, 6, GoroutineStatus::in_syscall, 61);
  add(7, 7, GoroutineStatus::runnable, std::nullopt);
  add(8, 8, GoroutineStatus::running, std::nullopt);
  add(9, 9, GoroutineStatus::leaked, 3);
  CHECK(ids_of(build.go()) == Ids{{8}, {7}, {9}, {6}, {3, 4}, {5}, {2}, {1}});
}

TEST_CASE("the members of a group are in the order of their waits") {
  ProcessReport process = empty_report();
  GoReportBuilder build(process);
  const std::uint32_t stack = build.add_stack({build.frame("main.worker", 12)});
  build.add(2, stack);
  build.add(3, stack).wait_seconds = 60 * 5;
  build.add(4, stack).wait_seconds = 60 * 61;
  build.add(5, stack).wait_seconds = 60 * 5;
  const std::vector<StackGroup> groups = group_goroutines(build.go());
  REQUIRE(groups.size() == 1);
  CHECK(ids_of(build.go()) == Ids{{4, 3, 5, 2}});
  CHECK(groups[0].longest_wait_minutes == 61);
  CHECK_FALSE(groups[0].shortest_wait_minutes.has_value()); // that of the last is not known
}

TEST_CASE("two hundred thousand goroutines with as many stacks are grouped") {
  ProcessReport process = empty_report();
  GoReportBuilder build(process);
  constexpr std::uint32_t count = 200'000;
  constexpr int lines = 1000;
  for (std::uint32_t i = 0; i < count; ++i) {
    ReportFrame frame = build.frame("main.worker", static_cast<int>(i % lines) + 1);
    frame.pc = RunAddress{0x400000 + i};
    build.add(i + 1, build.add_stack({frame}));
  }
  const std::vector<StackGroup> groups = group_goroutines(build.go());
  CHECK(groups.size() == lines);
  CHECK(groups.front().members.size() == count / lines);
}

} // namespace
} // namespace inspect
