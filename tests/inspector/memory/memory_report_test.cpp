// Reports of live processes: their sums are the kernel's, their parts are there, and what may not be read is said.
#include "inspector/memory/memory_report.h"

#include "tests/support/catch.h"
#include "tests/support/child_process.h"
#include "tests/support/go_toolchain.h"
#include "tests/support/skip.h"

#include <algorithm>
#include <chrono>
#include <csignal>
#include <fmt/format.h>
#include <grp.h>
#include <sys/ptrace.h>
#include <unistd.h>

namespace inspect {
namespace {

using test::ChildProcess;
using test::fixture_path;

MemoryReport report_of(pid_t process, bool stop = true) {
  const auto reader = MemoryReader::open(process, {});
  REQUIRE(reader.has_value());
  auto report = (*reader)->read({.stop = stop});
  REQUIRE(report.has_value());
  return std::move(*report);
}

/// Those that are the program's own, and not of the machine it runs on.
std::vector<std::string> own_findings(const MemoryReport &report) {
  std::vector<std::string> ids;
  for (const MemoryFinding &finding : report.findings)
    if (!finding.id.starts_with("cgroup-") && finding.id != "swap")
      ids.push_back(finding.id);
  return ids;
}

/// The sums of two looks at a process that rests may differ, for the kernel writes back and reclaims as it likes.
bool sums_are_the_kernels(pid_t process, std::string &said) {
  const auto before = read_memory_rollup(process);
  const MemoryReport report = report_of(process);
  const auto after = read_memory_rollup(process);
  REQUIRE(before.has_value());
  REQUIRE(after.has_value());
  const auto between = [&](std::uint64_t MemoryAmounts::*amount, std::uint64_t slack) {
    const auto [least, most] = std::minmax((*before).*amount, (*after).*amount);
    return report.total.*amount + slack >= least && report.total.*amount <= most + slack;
  };
  // smaps gives whole kB of each mapping, the rollup of the sum.
  const std::uint64_t rounding = 1024 * report.mapping_count;
  KindUsage sum;
  for (const KindUsage &usage : report.kinds) {
    sum.mappings += usage.mappings;
    sum.amounts += usage.amounts;
  }
  CHECK(sum.amounts == report.total);
  CHECK(sum.mappings == report.mapping_count);
  CHECK(report.measured);
  said = fmt::format("VSZ {} {}, RSS {} {} {}, PSS {} {} {}", report.total.reserved,
                     report.status.virtual_size.value_or(0), before->resident, report.total.resident, after->resident,
                     before->proportional, report.total.proportional, after->proportional);
  for (const std::string &warning : report.warnings)
    said += "\n" + warning;
  return report.total.reserved == report.status.virtual_size && between(&MemoryAmounts::resident, 0) &&
         between(&MemoryAmounts::proportional, rounding) && between(&MemoryAmounts::swapped, 0) &&
         report.warnings.empty();
}

TEST_CASE("the sum over the kinds is VmSize exactly, and RSS and PSS are those of the kernel's rollup") {
  struct Program {
    std::vector<std::string> command;
    std::string last_line;
  };
  const std::vector<Program> programs = {{{fixture_path("memory_kinds")}, "ready"},
                                         {{fixture_path("many_mappings"), "3000"}, "ready"},
                                         {{fixture_path("many_threads"), "40", "3"}, "ready"},
                                         {{fixture_path("blocked_static")}, "ready"}};
  for (const Program &program : programs) {
    INFO(program.command.front());
    ChildProcess child(program.command);
    child.wait_for_line(program.last_line);
    std::string said;
    const bool found =
        test::wait_until([&] { return sums_are_the_kernels(child.pid(), said); }, std::chrono::seconds(20));
    INFO(said);
    CHECK(found);
  }
}

TEST_CASE("a small C program has malloc statistics and no findings") {
  ChildProcess child({fixture_path("blocked_gcc")});
  child.wait_for_line();
  const MemoryReport report = report_of(child.pid());
  CHECK(report.malloc_statistics.has_value());
  CHECK_FALSE(report.go.has_value());
  CHECK(report.pause.count() > 0);
  CHECK(own_findings(report).empty());
  const MemoryReport unstopped = report_of(child.pid(), false);
  CHECK_FALSE(unstopped.malloc_statistics.has_value());
  CHECK(unstopped.pause.count() == 0);
  CHECK(unstopped.total.reserved == report.total.reserved);
}

void check_go_findings(const std::string &path, const std::string &argument, const std::vector<std::string> &expected) {
  INFO(path << " " << argument);
  std::vector<std::string> command = {path};
  if (!argument.empty())
    command.push_back(argument);
  ChildProcess child(command);
  REQUIRE(child.read_line().starts_with("ready"));
  // The runtime may still free stacks and spans in the background, once.
  MemoryReport report;
  const bool found = test::wait_until(
      [&] {
        report = report_of(child.pid());
        return own_findings(report) == expected;
      },
      std::chrono::seconds(20));
  std::string said;
  for (const MemoryFinding &finding : report.findings)
    said += finding.sentence + "\n";
  for (const std::string &warning : report.warnings)
    said += warning + "\n";
  INFO(said);
  CHECK(found);
  CHECK(report.go.has_value());
}

TEST_CASE("a Go program shows what its memory is, by its finding and no other") {
  const std::vector<test::GoToolchain> toolchains = test::go_toolchains();
  if (toolchains.empty())
    SKIP_TEST("no Go toolchain of 1.16 or later is installed");
  struct Program {
    std::string name;
    std::string argument;
    test::GoVariant variant;
    std::vector<std::string> findings;
  };
  const std::vector<Program> programs = {
      {"memory_idle", "", test::GoVariant::stripped, {"go-idle-heap"}},
      {"memory_idle", "1", test::GoVariant::stripped, {}},
      {"memory_lazily_freed", "", test::GoVariant::plain, {"go-lazily-freed"}},
      {"memory_stacks", "", test::GoVariant::plain, {"go-stacks"}},
      {"memory_stacks", "100", test::GoVariant::plain, {}},
      {"memory_cgo", "", test::GoVariant::cgo, {"go-outside"}},
      {"memory_mapped", "", test::GoVariant::plain, {"go-outside"}},
  };
  for (const test::GoToolchain &go : toolchains) {
    // All of the newest; each program takes time to build.
    const bool all = test::full_matrix() || go.version == toolchains.back().version;
    for (const Program &program : programs)
      if (all || program.name == "memory_idle")
        check_go_findings(test::build_go(go, program.name, program.variant), program.argument, program.findings);
  }
}

TEST_CASE("a process that another traces is shown without the statistics, and the warning names the tracer") {
  ChildProcess child({fixture_path("blocked_gcc")});
  child.wait_for_line();
  ChildProcess other = ChildProcess::forked([&] {
    test::say_line(::ptrace(PTRACE_SEIZE, child.pid(), nullptr, nullptr) == 0 ? "ready" : "failed");
    ::pause();
    return 0;
  });
  other.wait_for_line();
  const MemoryReport report = report_of(child.pid());
  CHECK(report.measured);
  CHECK_FALSE(report.kinds.empty());
  CHECK_FALSE(report.malloc_statistics.has_value());
  REQUIRE(report.warnings.size() == 1);
  CHECK_THAT(report.warnings.front(), Catch::Matchers::Contains("statistics are missing") &&
                                          Catch::Matchers::Contains(std::to_string(other.pid())));
}

TEST_CASE("one reader looks again and again, and notices the end of its process") {
  ChildProcess child({fixture_path("memory_kinds")});
  child.wait_for_line();
  const auto reader = MemoryReader::open(child.pid(), {});
  REQUIRE(reader.has_value());
  for (int look = 0; look < 3; ++look) {
    const auto report = (*reader)->read({});
    REQUIRE(report.has_value());
    CHECK(report->process == child.pid());
    CHECK(report->total.reserved > 0);
  }
  child.signal(SIGKILL);
  REQUIRE(test::wait_until([&] {
    const auto status = read_living_status(child.pid());
    return !status || !status->memory.virtual_size;
  }));
  const auto zombie = (*reader)->read({});
  REQUIRE_FALSE(zombie.has_value());
  CHECK(zombie.error().kind() == ErrorKind::no_such_process);
  child.wait();
  const auto gone = (*reader)->read({});
  REQUIRE_FALSE(gone.has_value());
  CHECK(gone.error().kind() == ErrorKind::no_such_process);
  CHECK(MemoryReader::open(::getpid(), {}).error().kind() == ErrorKind::unsupported);
}

} // namespace
} // namespace inspect
