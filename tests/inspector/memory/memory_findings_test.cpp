// The findings over reports that are made up: each appears from its threshold on, and says figures that add up.
#include "inspector/memory/memory_report.h"

#include "machine/number_text.h"
#include "tests/support/catch.h"

#include <algorithm>
#include <fstream>
#include <functional>
#include <iterator>
#include <limits>
#include <string>
#include <vector>

namespace inspect {
namespace {

constexpr std::uint64_t mb = 1ULL << 20U;
constexpr std::uint64_t gb = 1ULL << 30U;

struct Amounts {
  MappingKind kind;
  std::uint64_t reserved;
  std::uint64_t resident;
  std::uint64_t lazily_freed = 0;
  std::uint64_t swapped = 0;
};

/// Mappings, and the report that they add up to.
struct Made {
  std::vector<ClassifiedMapping> mappings;
  MemoryReport report;

  explicit Made(const std::vector<Amounts> &kinds) {
    for (const Amounts &one : kinds)
      add(one);
    report.measured = true;
    report.thread_count = 1;
  }
  ClassifiedMapping &add(const Amounts &one) {
    ClassifiedMapping &mapping = mappings.emplace_back();
    mapping.kind = one.kind;
    MemoryAmounts &amounts = mapping.usage.amounts;
    amounts.reserved = one.reserved;
    amounts.resident = amounts.proportional = one.resident;
    amounts.lazily_freed = one.lazily_freed;
    amounts.swapped = one.swapped;
    return mapping;
  }
  std::vector<MemoryFinding> findings() {
    add_up_mappings(report, mappings);
    return find_memory_findings(report, mappings);
  }
};

/// Of a program with a Go runtime of this size; the tables beside the heap are 4 MB.
GoMemoryStatistics go_reader(std::uint64_t in_use, std::uint64_t idle, std::uint64_t released, std::uint64_t stacks,
                             std::uint64_t goroutines) {
  GoMemoryStatistics go;
  go.heap_alloc = go.heap_inuse = in_use;
  go.heap_idle = idle;
  go.heap_released = released;
  go.heap_sys = in_use + idle;
  go.stack_inuse = stacks;
  go.goroutines = goroutines;
  go.sys = *go.heap_sys + stacks + 4 * mb;
  go.memory_limit = std::numeric_limits<std::int64_t>::max();
  go.gogc = 100;
  return go;
}

Made go_process(const GoMemoryStatistics &go, const std::vector<Amounts> &beside = {}) {
  const std::uint64_t resident = *go.heap_inuse + *go.heap_idle - *go.heap_released + *go.stack_inuse;
  Made made({{MappingKind::go_heap, resident + 64 * mb, resident},
             {MappingKind::go_metadata, 100 * mb, 4 * mb},
             {MappingKind::program_text, 10 * mb, 4 * mb}});
  for (const Amounts &one : beside)
    made.add(one);
  made.report.runtime.language = "go";
  made.report.go = go;
  return made;
}

ControlGroupMemory group(std::uint64_t current, std::uint64_t limit, std::uint64_t reclaimable, std::uint64_t kills) {
  ControlGroupMemory one;
  one.version = 2;
  one.path = one.limit_path = "/app";
  one.current = one.limit_current = current;
  one.limit = limit;
  one.limits = {{"/app", limit, current}};
  one.reclaimable = reclaimable;
  one.events = {{"oom_kill", kills}};
  return one;
}

Made with_group(const ControlGroupMemory &memory) {
  Made made({{MappingKind::main_heap, 64 * mb, 64 * mb}});
  made.report.cgroup = memory;
  return made;
}

Made with_arenas(std::size_t count, std::uint64_t free, std::uint64_t resident_each) {
  Made made(
      {{MappingKind::main_heap, 2 * mb, mb}, {MappingKind::malloc_arena, count * 64 * mb, count * resident_each}});
  MallocStatistics readers;
  readers.arenas.resize(count + 1);
  readers.arenas[0].is_main = true;
  for (std::size_t i = 1; i <= count; ++i)
    readers.arenas[i].heaps = {{RunAddress{i << 30U}, RunAddress{(i << 30U) + 64 * mb}}};
  readers.totals.arena = mb + count * resident_each;
  readers.totals.fordblks = free;
  readers.totals.uordblks = readers.totals.arena - free;
  made.report.malloc_statistics = readers;
  return made;
}

Made with(Made made, const std::function<void(Made &)> &change) {
  change(made);
  return made;
}

struct Row {
  std::string name;
  Made made;
  std::vector<std::string> ids;
  std::string sentence = {}; ///< a part of the first finding's
};

std::vector<Row> go_rows() {
  GoMemoryStatistics limited = go_reader(300 * mb, 100 * mb, 90 * mb, mb, 10);
  limited.memory_limit = static_cast<std::int64_t>(330 * mb);
  GoMemoryStatistics off = go_reader(100 * mb, mb, mb, mb, 10);
  off.gogc = -1;
  GoMemoryStatistics holes = go_reader(200 * mb, mb, mb, mb, 10);
  holes.heap_alloc = 90 * mb;
  Made lazily = go_process(go_reader(40 * mb, 300 * mb, 290 * mb, mb, 10));
  lazily.mappings[0].usage.amounts.resident += 290 * mb;
  lazily.mappings[0].usage.amounts.lazily_freed = 290 * mb;
  Made both = go_process(go_reader(170 * mb, 1300 * mb, 900 * mb, 110 * mb, 94'000),
                         {{MappingKind::main_heap, 60 * mb, 60 * mb}});
  both.mappings[0].usage.amounts.resident += 900 * mb;
  both.mappings[0].usage.amounts.lazily_freed = 900 * mb;
  Made reserved = go_process(go_reader(3 * mb, 3 * mb, 2 * mb, mb, 10), {{MappingKind::go_metadata, 4 * gb, 0}});
  return {
      {"a small Go program", go_process(go_reader(3 * mb, 4 * mb, 2 * mb, mb, 10)), {}},
      {"a heap that is in use", go_process(go_reader(500 * mb, 20 * mb, 10 * mb, mb, 10)), {}},
      {"idle, just too little", go_process(go_reader(3 * mb, 15 * mb, 0, mb, 10)), {}},
      {"idle, just enough", go_process(go_reader(3 * mb, 16 * mb, 0, mb, 10)), {"go-idle-heap"}, "16 MB is idle heap"},
      {"idle, but all given back", go_process(go_reader(3 * mb, 800 * mb, 800 * mb, mb, 10)), {}},
      {"idle beside a much larger heap", go_process(go_reader(800 * mb, 40 * mb, 0, mb, 10)), {}},
      {"given back lazily", lazily, {"go-lazily-freed"}, "290 MB is Go heap that the runtime has already given back"},
      {"the example of the manual",
       both,
       {"go-idle-heap"},
       "RSS 1.6 GB, Go heap in use 170 MB: 1.3 GB is idle heap, of which 400 MB is kept for reuse and 900 MB is "
       "already "
       "given back lazily (MADV_FREE) and goes away under pressure; 110 MB goroutine stacks (94,000 goroutines); 60 MB "
       "C "
       "heap, invisible to pprof"},
      {"stacks",
       go_process(go_reader(20 * mb, mb, mb, 110 * mb, 94'000)),
       {"go-stacks"},
       "110 MB is goroutine stacks (94,000 goroutines, 1.2 kB each)"},
      {"the C heap",
       go_process(go_reader(20 * mb, mb, mb, mb, 10), {{MappingKind::malloc_mapped, 50 * mb, 48 * mb}}),
       {"go-outside"},
       "48 MB lies outside of it, invisible to pprof: 48 MB C heap (malloc)"},
      {"mappings of its own",
       go_process(go_reader(20 * mb, mb, mb, mb, 10),
                  {{MappingKind::anonymous, 64 * mb, 64 * mb}, {MappingKind::file, 32 * mb, 32 * mb}}),
       {"go-outside"},
       "96 MB lies outside of it, invisible to pprof: 64 MB anonymous mappings, 32 MB mapped files"},
      {"mapped files alone",
       go_process(go_reader(3 * mb, mb, mb, mb, 10), {{MappingKind::file, 99 * mb, 64 * mb}}),
       {"mapped-files"},
       "64 MB is pages of mapped files"},
      {"reserved space",
       reserved,
       {"go-reserved"},
       "is address space that Go reserved and never touched; it costs nothing"},
      {"near its own limit", go_process(limited), {"gomemlimit-near"}, "Go uses 315 MB of GOMEMLIMIT 330 MB (95 %)"},
      {"no collections", go_process(off), {"go-gc-off"}, "the heap (100 MB) only grows"},
      {"holes", go_process(holes), {"go-fragmented-heap"}, "only 90 MB of it is objects: 110 MB is free space"},
      {"a limit above the group's",
       with(go_process(go_reader(3 * mb, mb, mb, mb, 10)),
            [](Made &made) {
              made.report.go->memory_limit = static_cast<std::int64_t>(2 * gb);
              made.report.cgroup = group(100 * mb, gb, 0, 0);
            }),
       {"gomemlimit-above-cgroup"},
       "GOMEMLIMIT 2.0 GB is above the cgroup's limit 1.0 GB"},
  };
}

std::vector<Row> other_rows() {
  Made shared({{MappingKind::shared_memory, 150 * mb, 128 * mb}, {MappingKind::program_text, 8 * mb, 8 * mb}});
  shared.mappings[0].usage.amounts.proportional = 16 * mb;
  Made huge({{MappingKind::anonymous, 4 * gb, 2 * gb}});
  huge.mappings[0].usage.amounts.huge = 2 * gb;
  Made deleted({{MappingKind::file, 100 * mb, 0}});
  deleted.mappings[0].usage.mapping.deleted = true;
  return {
      {"nothing at all", Made({}), {}},
      {"a small C program", Made({{MappingKind::main_heap, mb, mb}, {MappingKind::library_text, 2 * mb, mb}}), {}},
      {"far from the limit", with_group(group(500 * mb, gb, 0, 0)), {}},
      {"near the limit",
       with_group(group(950 * mb, gb, 0, 0)),
       {"cgroup-near-limit"},
       "uses 950 MB of 1.0 GB (93 %): 74 MB more, and the OOM killer comes"},
      {"near the limit, with cache that can go", with_group(group(950 * mb, gb, 400 * mb, 0)), {}},
      {"killed before", with_group(group(50 * mb, gb, 0, 2)), {"cgroup-oom-kills"}, "has ended 2 processes"},
      {"shared memory", shared, {"shared-memory"}, "RSS 136 MB: 128 MB is shared memory"},
      {"memory files",
       Made({{MappingKind::memfd, 64 * mb, 64 * mb}}),
       {"memfd"},
       "64 MB is files that exist in memory"},
      {"deleted files", deleted, {"deleted-files"}, "100 MB of mapped files are deleted"},
      {"a mapped database",
       Made({{MappingKind::file, 10 * gb, 12 * mb}}),
       {"mapped-space"},
       "VSZ 10.0 GB: 10.0 GB is mapped files, of which 12 MB is in memory"},
      {"swap",
       Made({{MappingKind::main_heap, 400 * mb, 100 * mb, 0, 300 * mb}}),
       {"swap"},
       "300 MB is swapped out beside RSS 100 MB, 300 MB of it main heap"},
      {"huge pages", huge, {"huge-pages"}, "2.0 GB is transparent huge pages"},
      {"reserved space", Made({{MappingKind::reserved, 16 * gb, 0}}), {"reserved"}, "VSZ 16.0 GB: 16.0 GB"},
      {"locked",
       with(Made({}), [](Made &made) { made.report.status.locked = 64 * mb; }),
       {"locked"},
       "64 MB is locked"},
      {"page tables",
       with(Made({{MappingKind::main_heap, gb, 200 * mb}}),
            [](Made &made) { made.report.status.page_tables = 80 * mb; }),
       {"page-tables"},
       "80 MB of page tables beside RSS 200 MB"},
      {"pages of hugetlbfs",
       with(Made({}), [](Made &made) { made.report.status.hugetlb = gb; }),
       {"hugetlb"},
       "1.0 GB is in pages of hugetlbfs"},
      {"few arenas", with_arenas(7, 0, mb), {}},
      {"many arenas",
       with_arenas(64, 0, mb),
       {"malloc-arenas"},
       "64 malloc arenas × 64 MB reserved: 4.0 GB of VSZ 4.0 GB, of which 64 MB is resident"},
      {"freed, and kept by malloc",
       with_arenas(4, 80 * mb, 32 * mb),
       {"malloc-free"},
       "80 MB is memory that the program has freed and malloc keeps, of 129 MB"},
      {"free in malloc, but never touched",
       with(with_arenas(4, 80 * mb, 32 * mb), [](Made &made) { made.mappings[1].usage.amounts.resident = 20 * mb; }),
       {}},
      {"another allocator",
       with(Made({{MappingKind::anonymous, gb, 500 * mb}}),
            [](Made &made) {
              made.report.other_allocators = {{"jemalloc", "/lib/libjemalloc.so.2"}};
            }),
       {"other-allocator"},
       "the allocator is jemalloc (/lib/libjemalloc.so.2)"},
  };
}

TEST_CASE("a finding appears where its figures hold, and no other") {
  std::vector<Row> rows = go_rows();
  std::ranges::move(other_rows(), std::back_inserter(rows));
  Made stacks({});
  for (int i = 0; i < 1000; ++i)
    stacks.add({MappingKind::thread_stack, 8 * mb, mb / 64});
  rows.push_back(
      {"thread stacks", stacks, {"thread-stacks"}, "1,000 thread stacks reserve 7.8 GB of VSZ 7.8 GB (8.0 MB each)"});
  std::ifstream page(INSPECT_SOURCE_DIRECTORY "/docs/memory.md");
  const std::string described(std::istreambuf_iterator<char>(page), {});
  for (Row &row : rows) {
    INFO(row.name);
    std::vector<std::string> ids;
    for (const MemoryFinding &finding : row.made.findings()) {
      INFO(finding.sentence);
      if (ids.empty())
        CHECK_THAT(finding.sentence, Catch::Matchers::Contains(row.sentence));
      ids.push_back(finding.id);
      CHECK_THAT(described, Catch::Matchers::Contains("| `" + finding.id + "` | "));
      CHECK_FALSE(finding.see.empty());
      CHECK_FALSE(finding.figures.empty());
      CHECK(finding.sentence.find('\n') == std::string::npos);
      CHECK_FALSE(finding.sentence.ends_with('.'));
    }
    CHECK(ids == row.ids);
  }
}

TEST_CASE("without measured mappings only the findings appear that need none") {
  for (Row &row : go_rows()) {
    INFO(row.name);
    row.made.report.measured = false;
    for (ClassifiedMapping &mapping : row.made.mappings)
      mapping.usage.amounts = {.reserved = mapping.usage.amounts.reserved};
    for (const MemoryFinding &finding : row.made.findings()) {
      INFO(finding.sentence);
      CHECK(std::ranges::any_of(std::vector<std::string>{"go-idle-heap", "go-stacks", "gomemlimit-near", "go-gc-off",
                                                         "go-fragmented-heap", "gomemlimit-above-cgroup"},
                                [&](const std::string &id) { return id == finding.id; }));
    }
  }
}

TEST_CASE("sums that differ from the kernel's counters are said with the difference, unless the process moved") {
  Made made({{MappingKind::main_heap, 100 * mb, 50 * mb}});
  add_up_mappings(made.report, made.mappings);
  MemoryStatus same;
  same.virtual_size = 100 * mb;
  same.resident = 50 * mb;
  CHECK(check_memory_sums(made.report, same, same).empty());
  MemoryStatus larger;
  larger.virtual_size = 112 * mb;
  larger.resident = 62 * mb;
  CHECK(check_memory_sums(made.report, same, larger).empty()); // the mappings were read before it grew
  const auto wrong = check_memory_sums(made.report, larger, larger);
  REQUIRE(wrong.size() == 2);
  CHECK(wrong[0] == "the mappings add up to 100 MB, 12 MB less than VmSize");
  CHECK(wrong[1] == "the resident pages of the mappings add up to 50 MB, 12 MB less than VmRSS");
  MemoryStatus largest;
  largest.virtual_size = 300 * mb;
  const auto moved = check_memory_sums(made.report, larger, largest);
  REQUIRE(moved.size() == 1);
  CHECK(moved[0] == "the mappings add up to 100 MB, 200 MB less than VmSize: the process mapped or unmapped memory "
                    "during the read");
}

} // namespace
} // namespace inspect
