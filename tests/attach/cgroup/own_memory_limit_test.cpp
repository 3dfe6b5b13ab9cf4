#include "attach/cgroup/own_memory_limit.h"

#include "tests/support/catch.h"

namespace inspect {
namespace {

TEST_CASE("what is left of a control group's memory counts the page cache that can go") {
  ControlGroupMemory group;
  CHECK_FALSE(memory_left(group).has_value());
  group.limits = {{.path = "/a/b", .limit = 1000, .current = 900}, {.path = "/a", .limit = 5000, .current = 4950}};
  CHECK(memory_left(group) == 50U); // of the one that is reached first
  group.reclaimable = 300;
  CHECK(memory_left(group) == 350U);
  group.limits = {{.path = "/a/b", .limit = 1000, .current = 1200}};
  CHECK(memory_left(group) == 300U);
  group.reclaimable = 5000; // read at another moment
  CHECK(memory_left(group) == 1200U);
}

} // namespace
} // namespace inspect
