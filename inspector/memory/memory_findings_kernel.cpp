// What the kernel's figures say of any process: limits, file cache, shared memory, swap, huge pages.
#include "inspector/memory/memory_rules.h"
#include "machine/number_text.h"

#include <algorithm>
#include <array>
#include <fmt/format.h>
#include <map>

namespace inspect {
namespace {

namespace limits = memory_thresholds;

std::uint64_t group_event(const ControlGroupMemory &group, std::string_view name) {
  for (const auto &[event, count] : group.events)
    if (event == name)
      return count;
  return 0;
}

std::optional<MemoryFinding> near_group_limit(const MemoryEvidence &evidence) {
  const auto &group = evidence.report.cgroup;
  const MemoryLimit *nearest = group ? group->nearest_limit() : nullptr;
  if (nearest == nullptr || nearest->limit == 0)
    return std::nullopt;
  // What of it does not go away by itself. Of a group above only the sum is known.
  const std::uint64_t cache = nearest->path == group->path ? group->reclaimable.value_or(0) : 0;
  const std::uint64_t working = less(nearest->current, cache);
  if (!at_least_percent(working, nearest->limit, limits::group_percent))
    return std::nullopt;
  MemoryFinding finding;
  finding.id = "cgroup-near-limit";
  finding.bytes = nearest->current;
  finding.sentence = fmt::format("The cgroup {} uses {} of {} ({} %)", nearest->path, size_text(nearest->current),
                                 size_text(nearest->limit), percent_of(nearest->current, nearest->limit));
  if (cache > 0)
    finding.sentence +=
        fmt::format(", of which {} is file cache that can go", size_text(less(nearest->current, working)));
  finding.sentence += fmt::format(": {} more, and the OOM killer comes", size_text(less(nearest->limit, working)));
  finding.see = group->version == 1 ? "memory.limit_in_bytes, cgroups(7)" : "memory.max, memory.high, cgroups(7)";
  if (evidence.report.runtime.language == "go")
    finding.see += "; GOMEMLIMIT lets Go collect before";
  finding.figures = {{"current", nearest->current}, {"limit", nearest->limit}, {"working", working}};
  return finding;
}

std::optional<MemoryFinding> group_kills(const MemoryEvidence &evidence) {
  const auto &group = evidence.report.cgroup;
  const std::uint64_t kills = group ? group_event(*group, "oom_kill") : 0;
  if (kills == 0)
    return std::nullopt;
  MemoryFinding finding;
  finding.id = "cgroup-oom-kills";
  finding.bytes = group->limit_current;
  finding.sentence = fmt::format("The OOM killer has ended {} in this cgroup since it was made",
                                 kills == 1 ? "1 process" : with_thousands(kills) + " processes");
  finding.see = "memory.events, cgroups(7); the kernel's log says which: dmesg, journalctl -k";
  finding.figures = {{"oom_kills", kills}};
  return finding;
}

/// The resident bytes by file of those mappings that `wanted` picks; the largest file is `path`.
struct FilesInMemory {
  std::uint64_t resident = 0;
  std::uint64_t reserved = 0;
  std::uint64_t dirty = 0;
  std::string path;
  std::uint64_t largest = 0;
};

template <typename Wanted> FilesInMemory files_in_memory(const MemoryEvidence &evidence, const Wanted &wanted) {
  FilesInMemory sum;
  std::map<std::string_view, std::uint64_t> by_path;
  for (const ClassifiedMapping &mapping : evidence.mappings) {
    if (!wanted(mapping))
      continue;
    const MemoryAmounts &amounts = mapping.usage.amounts;
    sum.resident += amounts.resident;
    sum.reserved += amounts.reserved;
    sum.dirty += amounts.dirty();
    by_path[mapping.usage.mapping.path] += amounts.resident;
  }
  for (const auto &[path, resident] : by_path)
    if (resident > sum.largest) {
      sum.largest = resident;
      sum.path = path;
    }
  return sum;
}

std::optional<MemoryFinding> mapped_files(const MemoryEvidence &evidence) {
  const FilesInMemory files =
      files_in_memory(evidence, [](const ClassifiedMapping &mapping) { return mapping.kind == MappingKind::file; });
  if (!evidence.is_large(files.resident) || is_outside_of_go(evidence))
    return std::nullopt;
  MemoryFinding finding;
  finding.id = "mapped-files";
  finding.bytes = files.resident;
  finding.sentence = fmt::format(
      "RSS {}: {} is pages of mapped files, which are file cache: the kernel takes them back when memory is "
      "short",
      size_text(evidence.resident()), size_text(files.resident));
  if (files.dirty >= limits::megabyte)
    finding.sentence += fmt::format(", {} of it once it is written", size_text(files.dirty));
  finding.sentence += fmt::format("; the largest is {} ({})", files.path, size_text(files.largest));
  finding.see = "mmap(2), madvise(2) MADV_DONTNEED; inspect maps PID lists the mappings";
  finding.figures = {{"rss", evidence.resident()}, {"files", files.resident}, {"dirty", files.dirty}};
  return finding;
}

std::optional<MemoryFinding> shared_memory(const MemoryEvidence &evidence) {
  const MemoryAmounts shared = evidence.of(MappingKind::shared_memory);
  if (!evidence.is_large(shared.resident))
    return std::nullopt;
  MemoryFinding finding;
  finding.id = "shared-memory";
  finding.bytes = shared.resident;
  finding.sentence =
      fmt::format("RSS {}: {} is shared memory, which the RSS of every process that maps it counts in full",
                  size_text(evidence.resident()), size_text(shared.resident));
  finding.sentence += at_least_percent(shared.proportional, shared.resident, 99)
                          ? std::string("; now that is this one alone")
                          : fmt::format("; the fair share of this one is {} (PSS {} in all)",
                                        size_text(shared.proportional), size_text(evidence.report.total.proportional));
  finding.see = "add up PSS, not RSS; shmget(2), shm_open(3), postgresql's shared_buffers; ipcs -m";
  finding.figures = {{"rss", evidence.resident()},
                     {"shared", shared.resident},
                     {"proportional", shared.proportional},
                     {"pss", evidence.report.total.proportional}};
  return finding;
}

std::optional<MemoryFinding> memory_files(const MemoryEvidence &evidence) {
  const MemoryAmounts files = evidence.of(MappingKind::memfd);
  if (!evidence.is_large(files.resident))
    return std::nullopt;
  MemoryFinding finding;
  finding.id = "memfd";
  finding.bytes = files.resident;
  finding.sentence = fmt::format("RSS {}: {} is files that exist in memory alone (memfd); they live until each process "
                                 "has closed and unmapped them",
                                 size_text(evidence.resident()), size_text(files.resident));
  finding.see = "memfd_create(2); inspect ps PID lists open files";
  finding.figures = {{"rss", evidence.resident()}, {"memfd", files.resident}};
  return finding;
}

std::optional<MemoryFinding> deleted_files(const MemoryEvidence &evidence) {
  const FilesInMemory files = files_in_memory(evidence, [](const ClassifiedMapping &mapping) {
    return mapping.kind == MappingKind::file && mapping.usage.mapping.deleted;
  });
  if (files.reserved < limits::kernel_bytes)
    return std::nullopt;
  MemoryFinding finding;
  finding.id = "deleted-files";
  finding.bytes = files.resident;
  finding.sentence = fmt::format("{} of mapped files are deleted: their space is not free before they are unmapped",
                                 size_text(files.reserved));
  if (!files.path.empty())
    finding.sentence += fmt::format("; the largest in memory is {} ({})", files.path, size_text(files.largest));
  finding.see = "munmap(2), lsof +L1; a restart of the process";
  finding.figures = {{"reserved", files.reserved}, {"resident", files.resident}};
  return finding;
}

std::optional<MemoryFinding> swapped_out(const MemoryEvidence &evidence) {
  const MemoryReport &report = evidence.report;
  const std::uint64_t swapped = report.measured ? report.total.swapped : report.status.swapped.value_or(0);
  if (swapped < limits::resident_bytes ||
      !at_least_percent(swapped, evidence.resident() + swapped, limits::swap_percent))
    return std::nullopt;
  MemoryFinding finding;
  finding.id = "swap";
  finding.bytes = swapped;
  finding.sentence = fmt::format("{} is swapped out beside RSS {}", size_text(swapped), size_text(evidence.resident()));
  const auto most =
      std::ranges::max_element(report.kinds, {}, [](const KindUsage &usage) { return usage.amounts.swapped; });
  if (most != report.kinds.end() && most->amounts.swapped > 0)
    finding.sentence += fmt::format(", {} of it {}", size_text(most->amounts.swapped), mapping_kind_text(most->kind));
  finding.sentence += ": who touches it waits for the disk";
  finding.see = "vm.swappiness, memory.swap.max, mlock(2)";
  finding.figures = {{"rss", evidence.resident()}, {"swapped", swapped}};
  return finding;
}

std::optional<MemoryFinding> huge_pages(const MemoryEvidence &evidence) {
  const MemoryAmounts &total = evidence.report.total;
  if (total.huge < limits::huge_bytes || !at_least_percent(total.huge, total.resident, limits::huge_percent))
    return std::nullopt;
  MemoryFinding finding;
  finding.id = "huge-pages";
  finding.bytes = total.huge;
  finding.sentence =
      fmt::format("RSS {}: {} is transparent huge pages; where one byte of such a page is used, 2 MB are "
                  "resident",
                  size_text(total.resident), size_text(total.huge));
  finding.see = "/sys/kernel/mm/transparent_hugepage (khugepaged), madvise(2) MADV_NOHUGEPAGE, prctl(2) "
                "PR_SET_THP_DISABLE";
  finding.figures = {{"rss", total.resident}, {"huge", total.huge}};
  return finding;
}

/// One figure that is large by itself.
MemoryFinding kernel_finding(std::string id, std::uint64_t bytes, std::string sentence, std::string see) {
  MemoryFinding finding;
  finding.figures = {{id, bytes}};
  finding.id = std::move(id);
  finding.bytes = bytes;
  finding.sentence = std::move(sentence);
  finding.see = std::move(see);
  return finding;
}

std::optional<MemoryFinding> hugetlb_pages(const MemoryEvidence &evidence) {
  const std::uint64_t pages = std::max(evidence.report.status.hugetlb.value_or(0), evidence.report.total.hugetlb);
  if (pages < limits::kernel_bytes)
    return std::nullopt;
  return kernel_finding("hugetlb", pages,
                        fmt::format("{} is in pages of hugetlbfs, which neither RSS nor PSS counts", size_text(pages)),
                        "vm.nr_hugepages, mmap(2) MAP_HUGETLB, postgresql's huge_pages");
}

std::optional<MemoryFinding> locked_pages(const MemoryEvidence &evidence) {
  const std::uint64_t locked = evidence.report.status.locked.value_or(0);
  if (locked < limits::kernel_bytes)
    return std::nullopt;
  return kernel_finding("locked", locked,
                        fmt::format("{} is locked: the kernel can neither swap it nor take it back", size_text(locked)),
                        "mlock(2), mlockall(2), ulimit -l");
}

std::optional<MemoryFinding> page_tables(const MemoryEvidence &evidence) {
  const std::uint64_t tables = evidence.report.status.page_tables.value_or(0);
  if (tables < limits::kernel_bytes || !at_least_percent(tables, evidence.resident(), limits::page_table_percent))
    return std::nullopt;
  return kernel_finding(
      "page-tables", tables,
      fmt::format("{} of page tables beside RSS {}: each process that maps shared memory has its own, "
                  "and so has memory that was used thinly",
                  size_text(tables), size_text(evidence.resident())),
      "huge pages need fewer: vm.nr_hugepages, madvise(2) MADV_HUGEPAGE");
}

/// Of programs without a Go runtime, which has a sentence of its own.
std::optional<MemoryFinding> reserved_space(const MemoryEvidence &evidence) {
  if (evidence.report.go || evidence.virtual_size() < limits::reserved_bytes)
    return std::nullopt;
  const std::uint64_t reserved = evidence.of(MappingKind::reserved).reserved;
  if (!at_least_percent(reserved, evidence.virtual_size(), limits::reserved_percent))
    return std::nullopt;
  return kernel_finding("reserved", reserved,
                        fmt::format("VSZ {}: {} is address space that is reserved without access (PROT_NONE); it costs "
                                    "nothing",
                                    size_text(evidence.virtual_size()), size_text(reserved)),
                        "mmap(2) PROT_NONE; RSS and PSS say what is used");
}

/// A database that maps its file whole, and more than is in it yet.
std::optional<MemoryFinding> mapped_space(const MemoryEvidence &evidence) {
  const MemoryAmounts files = evidence.of(MappingKind::file);
  if (evidence.virtual_size() < limits::reserved_bytes || !evidence.report.measured ||
      !at_least_percent(files.reserved, evidence.virtual_size(), limits::reserved_percent))
    return std::nullopt;
  MemoryFinding finding;
  finding.id = "mapped-space";
  finding.bytes = files.reserved;
  finding.sentence =
      fmt::format("VSZ {}: {} is mapped files, of which {} is in memory; the rest is address space and costs nothing",
                  size_text(evidence.virtual_size()), size_text(files.reserved), size_text(files.resident));
  finding.see = "mmap(2); inspect maps PID --kind file lists them";
  finding.figures = {{"vsz", evidence.virtual_size()}, {"reserved", files.reserved}, {"resident", files.resident}};
  return finding;
}

constexpr std::array<MemoryRule, 13> kernel_rules = {
    near_group_limit, group_kills,   mapped_files, shared_memory, memory_files,   deleted_files, swapped_out,
    huge_pages,       hugetlb_pages, locked_pages, page_tables,   reserved_space, mapped_space};

} // namespace

std::span<const MemoryRule> kernel_memory_rules() {
  return kernel_rules;
}

} // namespace inspect
