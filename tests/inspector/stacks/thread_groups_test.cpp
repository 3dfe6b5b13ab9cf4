#include "inspector/stacks/stack_report.h"

#include "tests/support/catch.h"
#include "tests/support/report_builder.h"

namespace inspect {
namespace {

TEST_CASE("threads with the same stack form one group, whatever object they wait on") {
  ProcessReport report = empty_report();
  for (pid_t id = 1; id <= 3; ++id)
    add_thread(report, id, 'S', {{"wait", 0}, {"work()", 10}}).waiting_in = "futex(" + std::to_string(id) + ")";
  add_thread(report, 4, 'S', {{"wait", 0}, {"work()", 11}});
  const auto groups = group_threads(report);
  REQUIRE(groups.size() == 2);
  CHECK(groups[0].members == std::vector<std::uint32_t>{3});
  CHECK(groups[1].members == std::vector<std::uint32_t>{0, 1, 2});
}

TEST_CASE("running threads come before stuck ones, those before sleeping ones, rare stacks before common ones") {
  ProcessReport report = empty_report();
  add_thread(report, 1, 'S', {{"a", 1}});
  add_thread(report, 2, 'S', {{"a", 1}});
  add_thread(report, 3, 'S', {{"b", 2}});
  add_thread(report, 4, 'D', {{"c", 3}});
  add_thread(report, 5, 'R', {{"d", 4}});
  std::vector<pid_t> order;
  for (const StackGroup &group : group_threads(report))
    order.push_back(report.threads[group.members.front()].thread);
  CHECK(order == std::vector<pid_t>{5, 4, 3, 1});
}

TEST_CASE("an inlined call, a guess and another end make another stack") {
  ProcessReport report = empty_report();
  add_thread(report, 1, 'S', {{"a", 1}});
  add_thread(report, 2, 'S', {{"a", 1}}).frames[0].inlined = true;
  add_thread(report, 3, 'S', {{"a", 1}}).frames[0].guessed = true;
  add_thread(report, 4, 'S', {{"a", 1}}).end = StackEnd::no_unwind_rule;
  CHECK(group_threads(report).size() == 4);
}

TEST_CASE("frames without a name are told apart by their addresses") {
  ProcessReport report = empty_report();
  add_thread(report, 1, 'S', {{"", 0}}).frames[0].pc = RunAddress{0x10};
  add_thread(report, 2, 'S', {{"", 0}}).frames[0].pc = RunAddress{0x20};
  CHECK(group_threads(report).size() == 2);
}

} // namespace
} // namespace inspect
