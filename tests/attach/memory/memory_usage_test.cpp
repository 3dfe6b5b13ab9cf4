// What smaps says, read in pieces, from hostile texts and from processes; whether it adds up.
#include "attach/memory/memory_usage.h"

#include "attach/memory/memory_usage_parser.h"
#include "attach/procfs/process_status.h"
#include "tests/support/catch.h"
#include "tests/support/child_process.h"
#include "tests/support/fuzz_rounds.h"
#include "tests/support/known_memory.h"
#include "tests/support/run_command.h"
#include "tests/support/skip.h"
#include "tests/support/temporary_directory.h"

#include <algorithm>
#include <csignal>
#include <fmt/format.h>
#include <random>
#include <sys/mman.h>
#include <unistd.h>

namespace inspect {
namespace {

using test::ChildProcess;
using test::KnownMemory;

constexpr std::uint64_t kilobyte = 1024;

/// Of Linux 6.12, with every field; of 4.4, where many are missing; and one that no kernel has.
constexpr std::string_view three_mappings = R"(00400000-00500000 rw-p 00001000 08:02 173521      /srv/a b (deleted)
Size:               1024 kB
KernelPageSize:        4 kB
MMUPageSize:           4 kB
Rss:                 301 kB
Pss:                 302 kB
Pss_Dirty:           303 kB
Shared_Clean:        304 kB
Shared_Dirty:        305 kB
Private_Clean:       306 kB
Private_Dirty:       307 kB
Referenced:          308 kB
Anonymous:           309 kB
KSM:                 310 kB
LazyFree:            311 kB
AnonHugePages:      2048 kB
ShmemPmdMapped:     4096 kB
FilePmdMapped:      8192 kB
Shared_Hugetlb:      312 kB
Private_Hugetlb:     313 kB
Swap:                314 kB
SwapPss:             315 kB
Locked:              316 kB
THPeligible:           0
ProtectionKey:         0
VmFlags: rd wr mr mw me gd ac 
7f0000000000-7f0000002000 r--s 00000000 00:00 0 
Size:                  8 kB
Rss:                   4 kB
Swap:                  1 kB
VmFlags: rd gdx dgd
NeverHeardOf:          7 somethings
Locked:                2 kB
ffffffffff600000-ffffffffff601000 --xp 00000000 00:00 0                  [vsyscall]
Size:                  4 kB
Rss:                   4 kB
)";

TEST_CASE("every field of smaps goes where it belongs, in whatever pieces the text comes") {
  const auto whole = parse_memory_usage(three_mappings);
  REQUIRE(whole.has_value());
  REQUIRE(whole->size() == 3);
  const MappingUsage &first = whole->front();
  CHECK(first.mapping.path == "/srv/a b");
  CHECK(first.mapping.deleted);
  CHECK(first.grows_down);
  CHECK(first.counted);
  MemoryAmounts amounts;
  amounts.reserved = 1024 * kilobyte;
  amounts.resident = 301 * kilobyte;
  amounts.proportional = 302 * kilobyte;
  amounts.shared_clean = 304 * kilobyte;
  amounts.shared_dirty = 305 * kilobyte;
  amounts.private_clean = 306 * kilobyte;
  amounts.private_dirty = 307 * kilobyte;
  amounts.referenced = 308 * kilobyte;
  amounts.anonymous = 309 * kilobyte;
  amounts.lazily_freed = 311 * kilobyte;
  amounts.huge = (2048 + 4096 + 8192) * kilobyte;
  amounts.hugetlb = (312 + 313) * kilobyte;
  amounts.swapped = 314 * kilobyte;
  amounts.swapped_proportional = 315 * kilobyte;
  amounts.locked = 316 * kilobyte;
  CHECK(first.amounts == amounts);
  CHECK(amounts.dirty() == (305 + 307) * kilobyte);
  CHECK(amounts.unique() == (306 + 307) * kilobyte);
  MemoryAmounts second;
  second.reserved = 8 * kilobyte;
  second.resident = 4 * kilobyte;
  second.swapped = kilobyte;
  second.locked = 2 * kilobyte;
  CHECK((*whole)[1].amounts == second);
  CHECK_FALSE((*whole)[1].grows_down);
  CHECK_FALSE((*whole)[2].counted);
  amounts += second; // every member takes part
  CHECK(MemoryUsage{*whole, true, {}}.total() == amounts);

  for (std::size_t length = 1; length < 200; ++length) {
    MemoryUsageParser parser;
    for (std::size_t begin = 0; begin < three_mappings.size(); begin += length)
      parser.take(three_mappings.substr(begin, length));
    const auto pieced = parser.finish();
    REQUIRE(pieced.has_value());
    REQUIRE(pieced->size() == 3);
    for (std::size_t i = 0; i < 3; ++i) {
      CHECK((*pieced)[i].amounts == (*whole)[i].amounts);
      CHECK((*pieced)[i].mapping.path == (*whole)[i].mapping.path);
    }
  }
}

TEST_CASE("smaps that is malformed is an error, and one that changed meanwhile is put in order") {
  const std::string head = "1000-2000 rw-p 00000000 00:00 0 \n";
  const std::vector<std::string> senseless = {
      "Rss: 4 kB\n",
      "x\n",
      "1000-2000 rw\n",
      head + "Rss: 4\n",
      head + "Rss: kB\n",
      head + "Rss: -4 kB\n",
      head + "Rss: 4 kBx\n",
      head + "Rss: 18014398509481984 kB\n", // 2^64 bytes
      head + "Rss: 99999999999999999999999999999999 kB\n",
      head + "?",
      head + std::string(100'000, 'f'),
  };
  for (const std::string &text : senseless) {
    INFO(text.substr(0, 100));
    const auto parsed = parse_memory_usage(text);
    REQUIRE_FALSE(parsed.has_value());
    CHECK(parsed.error().kind() == ErrorKind::corrupt);
    CHECK(parsed.error().message().size() < 400);
  }
  CHECK(parse_memory_usage("").value().empty());
  CHECK(parse_memory_usage(head + "Rss: 18014398509481983 kB").value().front().amounts.resident == ~0ULL - 1023);

  const auto ordered = parse_memory_usage("5000-6000 rw-p 00000000 00:00 0 \n"
                                          "Rss: 1 kB\n"
                                          "1000-4000 rw-p 00000000 00:00 0 \n"
                                          "Rss: 2 kB\n"
                                          "3000-5000 rw-p 00000000 00:00 0 \n"
                                          "Rss: 3 kB\n"
                                          "1000-2000 rw-p 00000000 00:00 0 \n"
                                          "Rss: 4 kB\n"
                                          "4000-4000 rw-p 00000000 00:00 0 \n");
  REQUIRE(ordered.has_value());
  REQUIRE(ordered->size() == 2);
  CHECK((*ordered)[0].mapping.range == RunRange{{0x1000}, {0x4000}});
  CHECK((*ordered)[0].amounts.resident == 2 * kilobyte);
  CHECK((*ordered)[1].mapping.range == RunRange{{0x5000}, {0x6000}});
}

TEST_CASE("no damaged smaps ends the parser, and what it takes is in order") {
  std::mt19937 random(5);
  for (int round = 0; test::fuzz_goes_on(round, 3000); ++round) {
    std::string text(three_mappings);
    for (unsigned changes = random() % 8 + 1; changes > 0; --changes) {
      const std::size_t place = random() % text.size();
      switch (random() % 4) {
      case 0:
        text[place] = static_cast<char>(random());
        break;
      case 1:
        text.erase(place, random() % 100);
        break;
      case 2:
        text.insert(place, text.substr(random() % text.size(), random() % 200));
        break;
      default:
        text[place] = "\n :-09af"[random() % 8];
      }
    }
    MemoryUsageParser parser;
    for (std::size_t begin = 0; begin < text.size();) {
      const std::size_t length = random() % 500 + 1;
      parser.take(std::string_view(text).substr(begin, length));
      begin += length;
    }
    const auto mappings = parser.finish();
    if (!mappings)
      continue;
    RunAddress end;
    for (const MappingUsage &one : *mappings) {
      REQUIRE(one.mapping.range.begin >= end);
      end = one.mapping.range.end;
    }
  }
}

/// Two looks at a process at rest that agree, for pages still move (a page cache is filled, lists are drained).
struct Rest {
  MemoryUsage usage;
  MemoryAmounts rollup;
  MemoryStatus status;
};

Rest look_at_rest(pid_t process) {
  Rest rest;
  const bool found = test::wait_until([&] {
    const auto before = read_memory_rollup(process).value();
    rest.usage = read_memory_usage(process).value();
    rest.rollup = read_memory_rollup(process).value();
    rest.status = read_living_status(process).value().memory;
    rest.rollup.referenced = 0;
    return before.resident == rest.rollup.resident && before.proportional == rest.rollup.proportional &&
           rest.usage.total().resident == before.resident;
  });
  INFO("smaps " << rest.usage.total().resident << ", smaps_rollup " << rest.rollup.resident);
  REQUIRE(found);
  return rest;
}

TEST_CASE("the mappings add up to what the kernel says of the whole process") {
  const auto own = read_memory_rollup(::getpid());
  if (!own && own.error().kind() == ErrorKind::unsupported)
    SKIP_TEST("the kernel has no smaps_rollup");
  for (const char *fixture : {"memory_kinds", "zombie_leader"}) {
    INFO(fixture);
    ChildProcess child({test::fixture_path(fixture)});
    child.wait_for_line();
    const Rest rest = look_at_rest(child.pid());
    CHECK(rest.usage.measured);
    CHECK(rest.usage.why_not_measured.empty());
    const MemoryAmounts total = rest.usage.total();
    CHECK(total.reserved == rest.status.virtual_size);
    // What is divided between processes, is rounded down to kilobytes for each mapping.
    const std::uint64_t rounded = rest.usage.mappings.size() * kilobyte;
    CHECK(total.proportional <= rest.rollup.proportional);
    CHECK(total.proportional + rounded > rest.rollup.proportional);
    CHECK(total.swapped_proportional <= rest.rollup.swapped_proportional);
    CHECK(total.swapped_proportional + rounded > rest.rollup.swapped_proportional);
    CHECK(total.locked <= rest.rollup.locked);
    CHECK(total.locked + rounded > rest.rollup.locked);
    MemoryAmounts exact = total;
    exact.reserved = 0;
    exact.referenced = 0;
    exact.proportional = rest.rollup.proportional;
    exact.swapped_proportional = rest.rollup.swapped_proportional;
    exact.locked = rest.rollup.locked;
    CHECK(exact == rest.rollup);
    CHECK(total.resident == total.shared_clean + total.shared_dirty + total.private_clean + total.private_dirty);
    // Of [vsyscall] only the account is special.
    const auto uncounted = std::ranges::count(rest.usage.mappings, false, &MappingUsage::counted);
    const auto vsyscall = std::ranges::count_if(
        rest.usage.mappings, [](const MappingUsage &one) { return one.mapping.path == "[vsyscall]"; });
    CHECK(uncounted == vsyscall);
    const auto stack = std::ranges::find_if(rest.usage.mappings,
                                            [](const MappingUsage &one) { return one.mapping.path == "[stack]"; });
    REQUIRE(stack != rest.usage.mappings.end());
    CHECK(stack->grows_down);
  }
}

TEST_CASE("each kind of memory has the amounts that its program knows") {
  ChildProcess child({test::fixture_path("memory_kinds")});
  const KnownMemory known = KnownMemory::read(child);
  const MemoryUsage usage = look_at_rest(child.pid()).usage;
  const auto of = [&](std::string_view name) {
    const auto found = std::ranges::find_if(
        usage.mappings, [&](const MappingUsage &one) { return one.mapping.range.contains(known.at(name).address); });
    REQUIRE(found != usage.mappings.end());
    return *found;
  };
  if (usage.total().swapped != 0)
    SKIP_TEST("the machine swaps, and what is resident is no longer known");

  for (const char *name : {"reserved", "untouched", "anonymous", "jit", "locked", "shared_anonymous", "memfd",
                           "system_v", "posix_shm", "copy_on_write", "shared_with_child"}) {
    INFO(name);
    CHECK(of(name).amounts.reserved == known.at(name).size);
    CHECK(of(name).amounts.resident == known.at(name).used);
  }
  for (const char *name : {"anonymous", "jit"}) {
    INFO(name);
    CHECK(of(name).amounts.private_dirty == known.at(name).used);
    CHECK(of(name).amounts.anonymous == of(name).amounts.resident);
    CHECK(of(name).amounts.proportional == of(name).amounts.resident);
  }
  for (const char *name : {"copy_on_write", "shared_with_child"}) {
    INFO(name);
    CHECK(of(name).amounts.shared_dirty == of(name).amounts.resident);
    CHECK(of(name).amounts.unique() == 0);
    CHECK(of(name).amounts.proportional == of(name).amounts.resident / 2);
  }
  CHECK(of("shared_with_child").amounts.anonymous == 0);
  CHECK(of("locked").amounts.locked == known.at("locked").used);
  CHECK(of("anonymous").amounts.locked == 0);

  // A processor keeps up to 31 pages in a list of its own before they count as freed (mm/swap.c), and the kernel may
  // take the freed ones at any time.
  const MemoryAmounts freed = of("lazily_freed").amounts;
  const std::uint64_t given_back = known.at("lazily_freed").used;
  if (given_back != 0) {
    constexpr std::uint64_t listed = 31 * 4 * kilobyte;
    const std::uint64_t taken = known.at("lazily_freed").size - freed.resident;
    CHECK(freed.lazily_freed + taken <= given_back);
    CHECK(freed.lazily_freed + taken + listed >= given_back);
  }
  CHECK(of("huge").amounts.huge % (2048 * kilobyte) == 0);
  CHECK(of("huge").amounts.huge <= known.at("huge").size);
  CHECK(of("anonymous").amounts.huge == 0);

  CHECK(of("file").amounts.resident <= known.at("file").size); // the kernel may take pages that a file has, too
  CHECK(of("file").amounts.resident > 0);
  CHECK(of("file").amounts.anonymous == 0);
  CHECK(of("file_written").amounts.anonymous == known.at("file_written").used);
  const MappingUsage stack = of("stack");
  CHECK(stack.amounts.reserved == known.at("stack").size);
  CHECK(stack.amounts.resident >= known.at("stack").used);
  CHECK(stack.amounts.resident < known.at("stack").size);
  CHECK_FALSE(stack.grows_down);
  CHECK(of("guard").mapping.range.end == stack.mapping.range.begin);
}

TEST_CASE("where smaps is closed the mappings come from maps, with the reason") {
  ChildProcess child({test::fixture_path("memory_kinds")});
  child.wait_for_line();
  const test::TemporaryDirectory scratch;
  const struct {
    std::string smaps;
    std::string reason;
  } cases[] = {
      {scratch / "absent", "CONFIG_PROC_PAGE_MONITOR"},
      {scratch.path(), "Is a directory"},
      {scratch.write("empty", ""), "is empty"},
      {scratch.write("odd", "Rss: 3 kB\n"), "before the first mapping"},
  };
  const MemoryUsage measured = read_memory_usage(child.pid()).value();
  for (const auto &one : cases) {
    const auto usage = read_memory_usage(child.pid(), one.smaps);
    REQUIRE(usage.has_value());
    CHECK_FALSE(usage->measured);
    CAPTURE(usage->why_not_measured);
    CHECK(usage->why_not_measured.find(one.reason) != std::string::npos);
    CHECK_FALSE(usage->why_not_measured.ends_with('.'));
    REQUIRE(usage->mappings.size() == measured.mappings.size());
    for (std::size_t i = 0; i < measured.mappings.size(); ++i) {
      CHECK(usage->mappings[i].mapping.range == measured.mappings[i].mapping.range);
      CHECK(usage->mappings[i].counted == measured.mappings[i].counted);
      CHECK(usage->mappings[i].grows_down == measured.mappings[i].grows_down);
    }
    MemoryAmounts only_reserved;
    only_reserved.reserved = measured.total().reserved;
    CHECK(usage->total() == only_reserved);
  }
}

TEST_CASE("a process that has ended or is another user's has no usage to be read, and the error says which") {
  ChildProcess child = ChildProcess::forked([] { return 0; });
  const pid_t process = child.pid();
  REQUIRE(test::wait_until([&] { return !read_memory_usage(process).has_value(); })); // a zombie
  CHECK(read_memory_usage(process).error().kind() == ErrorKind::no_such_process);
  CHECK(read_memory_rollup(process).error().kind() == ErrorKind::no_such_process);
  CHECK(read_living_status(process).error().kind() == ErrorKind::no_such_process);
  child.wait();
  CHECK(read_memory_usage(process).error().kind() == ErrorKind::no_such_process);
  CHECK(read_memory_usage(-1).error().kind() == ErrorKind::no_such_process);

  if (::geteuid() != 0)
    SKIP_TEST("to become another user needs root");
  const pid_t ours = ::getpid();
  ChildProcess other = ChildProcess::forked([ours] {
    constexpr uid_t nobody = 65534;
    if (::setgid(nobody) != 0 || ::setuid(nobody) != 0)
      return 1;
    const auto usage = read_memory_usage(ours);
    const auto rollup = read_memory_rollup(ours);
    const auto refused = [](const auto &result) {
      return !result && result.error().kind() == ErrorKind::not_permitted && !result.error().remedy().empty();
    };
    // status is open to everybody
    return refused(usage) && refused(rollup) && read_living_status(ours)->memory.virtual_size ? 0 : 2;
  });
  CHECK(other.wait() == 0);
}

TEST_CASE("a process that changes its mappings while they are read is shown in order") {
  ChildProcess child = ChildProcess::forked([]() -> int {
    constexpr std::size_t page = 4096;
    constexpr std::size_t pages = 512;
    auto *const place =
        static_cast<char *>(::mmap(nullptr, pages * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
    test::say_line("ready");
    for (std::size_t i = 0;; i = (i + 7) % pages)
      ::mprotect(place + i * page, page, i / 7 % 2 == 0 ? PROT_READ : PROT_READ | PROT_WRITE);
  });
  child.wait_for_line();
  for (int round = 0; round < 20; ++round) {
    const auto usage = read_memory_usage(child.pid());
    REQUIRE(usage.has_value());
    CHECK(usage->measured);
    RunAddress end;
    for (const MappingUsage &one : usage->mappings) {
      REQUIRE(one.mapping.range.begin >= end);
      end = one.mapping.range.end;
    }
  }
}

TEST_CASE("a process that replaces its program again and again never seems to have no memory") {
  ChildProcess child({test::fixture_path("exec_again")});
  child.read_line();
  for (int round = 0; round < 200; ++round) {
    const auto usage = read_memory_usage(child.pid());
    REQUIRE(usage.has_value());
    INFO(usage->why_not_measured);
    REQUIRE(usage->measured);
    REQUIRE_FALSE(usage->mappings.empty());
    REQUIRE(read_living_status(child.pid()).value().memory.virtual_size.value_or(1) > 0);
  }
}

TEST_CASE("65,000 mappings are read to the last") {
  ChildProcess child({test::fixture_path("many_mappings")});
  child.wait_for_line();
  const std::uint64_t added = std::stoull(child.read_line().substr(std::string_view("added=").size()));
  const auto usage = read_memory_usage(child.pid());
  REQUIRE(usage.has_value());
  CHECK(usage->measured);
  CHECK(usage->mappings.size() > added);
  CHECK(usage->total().reserved == read_living_status(child.pid())->memory.virtual_size);
}

} // namespace
} // namespace inspect
