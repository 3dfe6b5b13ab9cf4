#include "attach/cgroup/control_group_place.h"

#include "attach/procfs/mount_table.h"
#include "attach/procfs/proc_file.h"
#include "attach/procfs/proc_text.h"

#include <algorithm>
#include <cerrno>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>

namespace inspect {
namespace {

constexpr std::size_t max_group_text = 1U << 20;

std::optional<ControlGroupMount> group_mount(std::string_view line) {
  auto mounted = parse_mount(line);
  if (!mounted || !mounted->root.starts_with('/') || !mounted->mount_point.starts_with('/'))
    return std::nullopt;
  ControlGroupMount mount;
  mount.version = mounted->type == "cgroup2" ? 2 : mounted->type == "cgroup" ? 1 : 0;
  if (mount.version == 0)
    return std::nullopt;
  mount.group = std::move(mounted->root);
  mount.mount_point = std::move(mounted->mount_point);
  mount.device = mounted->device;
  if (mount.version == 1)
    mount.controllers = std::move(mounted->options);
  return mount;
}

/// A hierarchy of version 1 has the same controllers, or the same name, wherever it is mounted.
bool shows_hierarchy_of(const ControlGroupMount &mount, const ControlGroup &group) {
  if (mount.version != group.version())
    return false;
  std::string_view rest = group.controllers;
  return mount.version == 2 || lists_name(mount.controllers, take_until(rest, ','));
}

/// Looks for one group in one table of mounts after the other, and keeps in words what it saw there.
class PlaceSearch {
public:
  PlaceSearch(const ControlGroup &group, std::string root) : group_(group), root_(std::move(root)) {}

  /// `directory` stands before the mount points.
  std::optional<ControlGroupPlace> look(const std::string &mountinfo, const std::string &directory,
                                        std::string_view whose) {
    const auto text = read_small_file(AT_FDCWD, root_ + mountinfo, max_mount_text);
    if (!text) {
      saw(whose, Error::from_errno(text.error(), "cannot be read").message());
      return std::nullopt;
    }
    auto mounts = parse_control_group_mounts(*text);
    std::erase_if(mounts, [&](const ControlGroupMount &mount) { return !shows_hierarchy_of(mount, group_); });
    // The mount that shows most of what is above the group comes first.
    std::ranges::stable_sort(mounts, {}, [](const ControlGroupMount &mount) { return mount.group.size(); });
    for (ControlGroupMount &mount : mounts) {
      auto names = names_below(mount, group_.path);
      if (!names) {
        saw(whose, fmt::format("show {} at {}", mount.group, mount.mount_point));
        continue;
      }
      std::string where = root_ + directory + mount.mount_point;
      ControlGroupPlace place(group_.version(), where, std::move(mount), std::move(*names));
      if (place.open(place.depth()))
        return place;
      saw(whose, Error::from_errno(errno, fmt::format("should show it below {}", where)).message());
    }
    if (mounts.empty())
      saw(whose, "show no such hierarchy");
    return std::nullopt;
  }
  const std::string &seen() const { return seen_; }

private:
  void saw(std::string_view whose, std::string_view what) {
    constexpr std::size_t enough = 1000; // of what a process with many mounts makes us say
    if (seen_.size() < enough)
      seen_ += fmt::format("{}{} {}", seen_.empty() ? "" : ", ", whose, what);
  }

  const ControlGroup &group_;
  std::string root_;
  std::string seen_;
};

} // namespace

std::expected<std::string, int> read_small_file(int directory, const std::string &path, std::size_t max_size) {
  // Files that another process has mounted may be anything: O_NONBLOCK waits for no writer of a FIFO.
  const FileDescriptor file(::openat(directory, path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
  if (!file)
    return std::unexpected(errno);
  return read_to_end(file.get(), max_size);
}

std::optional<ControlGroup> group_of_controller(std::span<const ControlGroup> groups, std::string_view controller) {
  const auto found =
      std::ranges::find_if(groups, [&](const ControlGroup &group) { return group.controls(controller); });
  return found == groups.end() ? std::nullopt : std::optional(*found);
}

std::optional<ControlGroup> group_of_version_2(std::span<const ControlGroup> groups) {
  const auto found = std::ranges::find(groups, 2, &ControlGroup::version);
  return found == groups.end() ? std::nullopt : std::optional(*found);
}

std::optional<ControlGroup> memory_group(std::span<const ControlGroup> groups) {
  auto found = group_of_controller(groups, "memory");
  return found ? found : group_of_version_2(groups);
}

std::vector<ControlGroupMount> parse_control_group_mounts(std::string_view mountinfo) {
  std::vector<ControlGroupMount> mounts;
  while (!mountinfo.empty()) {
    if (auto mount = group_mount(take_until(mountinfo, '\n')))
      mounts.push_back(std::move(*mount));
  }
  return mounts;
}

std::optional<std::vector<std::string>> names_below(const ControlGroupMount &mount, std::string_view path) {
  std::string_view above = mount.group;
  while (above.ends_with('/'))
    above.remove_suffix(1);
  if (!path.starts_with(above))
    return std::nullopt;
  path.remove_prefix(above.size());
  if (!path.empty() && path.front() != '/')
    return std::nullopt;
  std::vector<std::string> names;
  while (!path.empty()) {
    const std::string_view name = take_until(path, '/');
    if (name == "..") // above our namespace, and so above what this mount shows
      return std::nullopt;
    if (!name.empty())
      names.emplace_back(name);
  }
  return names;
}

std::string ControlGroupPlace::path(std::size_t depth) const {
  std::string path = mount_.group == "/" ? "" : mount_.group;
  for (std::size_t i = 0; i < depth; ++i)
    path += "/" + names_[i];
  return path.empty() ? "/" : path;
}

FileDescriptor ControlGroupPlace::open(std::size_t depth) const {
  std::string path = directory_;
  for (std::size_t i = 0; i < depth; ++i)
    path += "/" + names_[i];
  FileDescriptor opened(::open(path.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  struct stat status;
  if (opened && (::fstat(opened.get(), &status) != 0 || status.st_dev != mount_.device)) {
    opened = FileDescriptor();
    errno = ENOENT;
  }
  return opened;
}

Result<std::vector<ControlGroup>> read_control_groups(const std::string &process_directory, const std::string &root) {
  const std::string list = root + process_directory + "/cgroup";
  const auto text = read_small_file(AT_FDCWD, list, max_group_text);
  if (!text)
    return std::unexpected(Error::from_errno(text.error(), fmt::format("reading {}", list)));
  return parse_control_groups(*text);
}

Result<ControlGroupPlace> find_memory_group(const std::string &process_directory, const std::string &root) {
  const auto groups = read_control_groups(process_directory, root);
  if (!groups)
    return std::unexpected(groups.error());
  const auto group = memory_group(*groups);
  if (!group)
    return std::unexpected(Error(ErrorKind::not_found, fmt::format("{}{}/cgroup names no control group that accounts "
                                                                   "memory: this kernel has none, or none is mounted",
                                                                   root, process_directory)));
  return find_group(*group, process_directory, root);
}

Result<ControlGroupPlace> find_group(const ControlGroup &group, const std::string &process_directory,
                                     const std::string &root) {
  if (group.removed)
    return std::unexpected(Error(ErrorKind::not_found, fmt::format("the control group {} has been removed, though "
                                                                   "the process still is in it",
                                                                   group.path)));
  PlaceSearch search(group, root);
  if (auto place = search.look("/proc/self/mountinfo", "", "our mounts"))
    return std::move(*place);
  if (auto place = search.look(process_directory + "/mountinfo", process_directory + "/root", "those of the process"))
    return std::move(*place);
  return std::unexpected(
      Error(ErrorKind::not_found,
            fmt::format("the control group {} (version {}) cannot be seen from here: {}", group.path, group.version(),
                        search.seen()),
            "run inspect on the host, or in a container that sees the host's groups (--cgroupns=host and "
            "/sys/fs/cgroup mounted)"));
}

} // namespace inspect
