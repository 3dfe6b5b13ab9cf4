#include "attach/cgroup/cgroup_memory.h"

#include "attach/cgroup/control_group_place.h"
#include "attach/procfs/proc_text.h"
#include "attach/procfs/process_list.h"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

namespace inspect {
namespace {

/// Of one group: memory.stat is the longest, with some kilobytes.
constexpr std::size_t max_file_length = 1U << 20;
constexpr std::size_t max_events = 32;

std::optional<std::uint64_t> parse_number(std::string_view text) {
  return whole_number<std::uint64_t>(trimmed(text));
}

struct NamedNumber {
  std::string_view name;
  std::uint64_t value;
};

/// The lines "name 123" of a text; others are left out.
std::vector<NamedNumber> named_numbers(std::string_view text) {
  std::vector<NamedNumber> numbers;
  while (!text.empty()) {
    std::string_view line = take_until(text, '\n');
    const std::string_view name = take_until(line, ' ');
    if (const auto value = parse_number(line))
      numbers.push_back({name, *value});
  }
  return numbers;
}

std::optional<std::uint64_t> find_number(const std::vector<NamedNumber> &numbers, std::string_view name) {
  const auto found = std::ranges::find(numbers, name, &NamedNumber::name);
  return found == numbers.end() ? std::nullopt : std::optional(found->value);
}

/// The files of one group.
class GroupFiles {
public:
  explicit GroupFiles(FileDescriptor directory) : directory_(std::move(directory)) {}

  std::expected<std::string, int> text(const std::string &name) const {
    return read_small_file(directory_.get(), name, max_file_length);
  }
  /// Nothing where there is no such file or it holds no number ("max").
  std::optional<std::uint64_t> number(const std::string &name) const {
    const auto content = text(name);
    return content ? parse_number(*content) : std::nullopt;
  }
  bool has(const std::string &name) const { return ::faccessat(directory_.get(), name.c_str(), F_OK, 0) == 0; }

private:
  FileDescriptor directory_;
};

/// The names that a version's files have.
struct FileNames {
  std::string current;
  std::string limit;
  std::string peak;
  std::string_view anonymous; ///< this and the following in memory.stat
  std::string_view file;
  std::string_view reclaimable;
};

const FileNames &names_of(int version) {
  static const FileNames first{
      "memory.usage_in_bytes", "memory.limit_in_bytes", "memory.max_usage_in_bytes", "total_rss",
      "total_cache",           "total_inactive_file"};
  static const FileNames second{"memory.current", "memory.max", "memory.peak", "anon", "file", "inactive_file"};
  return version == 1 ? first : second;
}

/// Version 1 has no word for "no limit" but the largest number that its counters hold: LONG_MAX rounded down to whole
/// pages (mm/page_counter.c, PAGE_COUNTER_MAX), the largest of which have 64 kilobytes.
bool is_limit(std::uint64_t bytes) {
  constexpr std::uint64_t no_limit = 0x7fff'ffff'ffff'0000;
  return bytes < no_limit;
}

void add_limit(ControlGroupMemory &memory, const GroupFiles &group, std::string path) {
  const FileNames &names = names_of(memory.version);
  const auto limit = group.number(names.limit);
  if (limit && is_limit(*limit))
    memory.limits.push_back({std::move(path), *limit, group.number(names.current).value_or(0)});
}

/// A hierarchy of version 1 says what limit results from all groups above, those included that no mount shows; and
/// with memory.use_hierarchy 0, which old kernels had, groups above do not count (mm/memcontrol.c, memcg_stat_show).
void apply_hierarchical_limit(ControlGroupMemory &memory, const std::vector<NamedNumber> &statistics) {
  const auto effective = find_number(statistics, "hierarchical_memory_limit");
  if (!effective)
    return;
  std::erase_if(memory.limits, [&](const MemoryLimit &one) { return one.limit < *effective; });
  const bool seen = std::ranges::find(memory.limits, *effective, &MemoryLimit::limit) != memory.limits.end();
  if (!seen && is_limit(*effective))
    memory.limits.push_back({{}, *effective, 0});
}

void choose_least_limit(ControlGroupMemory &memory) {
  for (const MemoryLimit &one : memory.limits) {
    // Of two equal ones the upper is reached first: it holds the lower, too.
    if (memory.limit && one.limit > *memory.limit)
      continue;
    memory.limit = one.limit;
    memory.limit_path = one.path;
    memory.limit_current = one.current;
  }
}

void read_first_version(ControlGroupMemory &memory, const GroupFiles &group,
                        const std::vector<NamedNumber> &statistics) {
  memory.swap_current = find_number(statistics, "total_swap");
  memory.kernel = group.number("memory.kmem.usage_in_bytes");
  apply_hierarchical_limit(memory, statistics);
  if (const auto failures = group.number("memory.failcnt"))
    memory.events.emplace_back("failcnt", *failures);
  const std::string control = group.text("memory.oom_control").value_or("");
  if (const auto kills = find_number(named_numbers(control), "oom_kill")) // since Linux 4.13
    memory.events.emplace_back("oom_kill", *kills);
}

void read_second_version(ControlGroupMemory &memory, const GroupFiles &group,
                         const std::vector<NamedNumber> &statistics) {
  memory.kernel = find_number(statistics, "kernel");
  memory.high = group.number("memory.high");
  memory.swap_current = group.number("memory.swap.current");
  memory.swap_limit = group.number("memory.swap.max");
  const std::string events = group.text("memory.events").value_or("");
  for (const auto &[name, count] : named_numbers(events)) {
    if (memory.events.size() < max_events)
      memory.events.emplace_back(name, count);
  }
}

Result<ControlGroupMemory> read_account(const ControlGroupPlace &place) {
  const FileNames &names = names_of(place.version());
  // A group has an account where its parent enables the controller for it; without, its memory counts above.
  std::size_t depth = place.depth();
  std::optional<GroupFiles> group;
  for (;; --depth) {
    FileDescriptor directory = place.open(depth);
    if (!directory)
      return std::unexpected(Error::from_errno(errno, fmt::format("opening the control group {}", place.path(depth))));
    group.emplace(std::move(directory));
    if (group->has(names.current))
      break;
    if (depth == 0)
      return std::unexpected(
          Error(ErrorKind::not_found,
                fmt::format("neither the control group {} nor one above it that can be seen has {}: its memory is not "
                            "accounted there",
                            place.path(place.depth()), names.current)));
  }
  const auto current = group->text(names.current);
  const std::string what = fmt::format("{} of the control group {}", names.current, place.path(depth));
  if (!current)
    return std::unexpected(Error::from_errno(current.error(), fmt::format("reading {}", what)));
  const auto current_bytes = parse_number(*current);
  if (!current_bytes)
    return std::unexpected(Error(ErrorKind::corrupt, fmt::format("{} holds no number", what)));

  ControlGroupMemory memory;
  memory.version = place.version();
  memory.path = place.path(depth);
  memory.current = *current_bytes;
  memory.peak = group->number(names.peak);
  add_limit(memory, *group, memory.path);
  for (std::size_t above = depth; above-- > 0;) {
    FileDescriptor directory = place.open(above);
    if (directory)
      add_limit(memory, GroupFiles(std::move(directory)), place.path(above));
  }
  const std::string text = group->text("memory.stat").value_or("");
  const auto statistics = named_numbers(text);
  memory.anonymous = find_number(statistics, names.anonymous);
  memory.file = find_number(statistics, names.file);
  memory.reclaimable = find_number(statistics, names.reclaimable);
  if (memory.version == 1) {
    read_first_version(memory, *group, statistics);
  } else {
    read_second_version(memory, *group, statistics);
    // Only the root of the hierarchy has no type: what is mounted is not the root.
    memory.limits_may_be_hidden = GroupFiles(place.open(0)).has("cgroup.type");
  }
  choose_least_limit(memory);
  return memory;
}

Result<ControlGroupMemory> read_from(const std::string &process_directory, const std::string &root) {
  const auto place = find_memory_group(process_directory, root);
  if (!place)
    return std::unexpected(place.error());
  return read_account(*place);
}

} // namespace

const MemoryLimit *ControlGroupMemory::nearest_limit() const {
  const MemoryLimit *nearest = nullptr;
  for (const MemoryLimit &one : limits) {
    if (!one.path.empty() && (nearest == nullptr || one.room() <= nearest->room()))
      nearest = &one;
  }
  return nearest;
}

Result<ControlGroupMemory> read_cgroup_memory(pid_t process) {
  // The thread that shows the group may end meanwhile.
  constexpr int attempts = 3;
  for (int attempt = 1;; ++attempt) {
    auto directory = living_directory(process);
    if (!directory)
      return std::unexpected(directory.error());
    directory->pop_back();
    auto memory = read_from(*directory, "");
    const bool may_be_back =
        !memory && memory.error().kind() == ErrorKind::not_found && ::access(directory->c_str(), F_OK) != 0;
    if (!may_be_back || attempt == attempts)
      return memory;
  }
}

Result<ControlGroupMemory> read_cgroup_memory(pid_t process, const std::string &root) {
  return read_from(fmt::format("/proc/{}", process), root);
}

} // namespace inspect
