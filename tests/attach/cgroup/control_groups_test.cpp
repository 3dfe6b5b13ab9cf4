#include "attach/cgroup/control_groups.h"

#include "tests/support/catch.h"

namespace inspect {
namespace {

TEST_CASE("control groups of both versions are read, paths with colons too") {
  const auto groups =
      parse_control_groups("4:cpu,cpuacct:/a:b\n1:name=systemd:/\n0::/system.slice/x.service (deleted)\n"
                           "nonsense\n3:memory:relative\n0:cpu:/x\n5::/x\nx::/x\n::\n:\n");
  REQUIRE(groups.size() == 3);
  CHECK(groups[0].controllers == "cpu,cpuacct");
  CHECK(groups[0].path == "/a:b");
  CHECK(groups[0].version() == 1);
  CHECK(groups[0].controls("cpuacct"));
  CHECK_FALSE(groups[0].controls("acct"));
  CHECK_FALSE(groups[0].removed);
  CHECK(groups[1].path == "/");
  CHECK(groups[2].version() == 2);
  CHECK(groups[2].path == "/system.slice/x.service");
  CHECK(groups[2].removed);
  CHECK(groups[2].path_with_mark() == "/system.slice/x.service (deleted)");
}

} // namespace
} // namespace inspect
