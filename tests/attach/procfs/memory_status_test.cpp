#include "attach/procfs/process_status.h"

#include "tests/support/catch.h"
#include "tests/support/child_process.h"
#include "tests/support/known_memory.h"

#include <algorithm>
#include <unistd.h>

namespace inspect {
namespace {

Result<MemoryStatus> parse_memory_status(const std::string &lines) {
  const auto status = parse_process_status("Tgid:\t42\nTracerPid:\t0\nUid:\t0\t0\t0\t0\n" + lines);
  if (!status)
    return std::unexpected(status.error());
  return status->memory;
}

TEST_CASE("the memory figures of status are read, and those that are missing are absent") {
  const auto status = parse_memory_status("Name:\tVmSize:\\nVmRSS: 5 kB\n"
                                          "Umask:\t0022\n"
                                          "VmPeak:\t     101 kB\n"
                                          "VmSize:\t     102 kB\n"
                                          "VmLck:\t       103 kB\n"
                                          "VmPin:\t       104 kB\n"
                                          "VmHWM:\t       105 kB\n"
                                          "VmRSS:\t       106 kB\n"
                                          "RssAnon:\t     107 kB\n"
                                          "RssFile:\t     108 kB\n"
                                          "RssShmem:\t    109 kB\n"
                                          "VmData:\t      110 kB\n"
                                          "VmPTE:\t       111 kB\n"
                                          "VmSwap:\t      112 kB\n"
                                          "HugetlbPages:\t 113 kB\n"
                                          "Threads:\t1\n");
  REQUIRE(status.has_value());
  const std::pair<std::optional<std::uint64_t> MemoryStatus::*, std::uint64_t> wanted[] = {
      {&MemoryStatus::virtual_peak, 101},
      {&MemoryStatus::virtual_size, 102},
      {&MemoryStatus::locked, 103},
      {&MemoryStatus::pinned, 104},
      {&MemoryStatus::resident_peak, 105},
      {&MemoryStatus::resident, 106},
      {&MemoryStatus::resident_anonymous, 107},
      {&MemoryStatus::resident_file, 108},
      {&MemoryStatus::resident_shared, 109},
      {&MemoryStatus::page_tables, 111},
      {&MemoryStatus::swapped, 112},
      {&MemoryStatus::hugetlb, 113},
  };
  const auto nothing = parse_memory_status("Name:\tkthreadd\nThreads:\t1\n");
  REQUIRE(nothing.has_value());
  for (const auto &[figure, kilobytes] : wanted) {
    CHECK((*status).*figure == kilobytes * 1024);
    CHECK_FALSE(((*nothing).*figure).has_value());
  }
  for (const char *text : {"VmSize:\t\n", "VmSize:\tx kB\n", "VmSize:\t5\n", "VmSize:\t-5 kB\n", "VmSize:\t5 kB x\n",
                           "VmSize:\t18014398509481984 kB\n", "VmSize:\t99999999999999999999 kB\n"}) {
    INFO(text);
    const auto parsed = parse_memory_status(text);
    REQUIRE_FALSE(parsed.has_value());
    CHECK(parsed.error().kind() == ErrorKind::corrupt);
  }
}

TEST_CASE("the status of a process holds the memory that it uses") {
  test::ChildProcess child({test::fixture_path("memory_kinds")});
  const auto known = test::KnownMemory::read(child);
  const MemoryStatus status = read_living_status(child.pid()).value().memory;
  CHECK(status.virtual_size >= known.at("reserved").size + known.at("untouched").size);
  CHECK(status.virtual_peak >= status.virtual_size);
  CHECK(status.resident_peak >= status.resident);
  // Since Linux 6.2 each processor keeps some pages back before it adds them (lib/percpu_counter.c: a batch of twice
  // the number of processors, 32 at least).
  const auto processors = static_cast<std::uint64_t>(::sysconf(_SC_NPROCESSORS_CONF));
  const std::uint64_t tolerance = processors * std::max<std::uint64_t>(32, 2 * processors) * 4096;
  std::uint64_t shared = 0;
  for (const char *name : {"shared_anonymous", "memfd", "system_v", "posix_shm", "shared_with_child"})
    shared += known.at(name).used;
  CHECK(status.resident_shared.value() + status.swapped.value() + tolerance >= shared);
  CHECK(status.resident_shared.value() <= shared + tolerance);
  CHECK(status.resident ==
        status.resident_anonymous.value() + status.resident_file.value() + status.resident_shared.value());
  CHECK(status.locked.value() >= known.at("locked").used);
  CHECK(status.page_tables.value() > 0);

  // The leader has ended, and with it its figures; its threads have them.
  test::ChildProcess zombie({test::fixture_path("zombie_leader")});
  zombie.wait_for_line();
  CHECK(read_living_status(zombie.pid()).value().memory.virtual_size.value_or(0) > 0);
}

} // namespace
} // namespace inspect
