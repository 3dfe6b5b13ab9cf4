#include "attach/memory/control_group_place.h"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

namespace inspect {
namespace {

/// A process may have a hundred thousand mounts, and make more while we read.
constexpr std::size_t max_mount_text = 32U << 20;
constexpr std::size_t max_group_text = 1U << 20;

/// The text before the next `separator`, which is taken off `rest` with it.
std::string_view take_until(std::string_view &rest, char separator) {
  const std::string_view found = rest.substr(0, rest.find(separator));
  rest.remove_prefix(std::min(found.size() + 1, rest.size()));
  return found;
}

bool lists(std::string_view names, std::string_view wanted) {
  while (!names.empty()) {
    if (take_until(names, ',') == wanted)
      return true;
  }
  return false;
}

/// mountinfo writes blanks, newlines and backslashes as three octal digits.
std::string without_escapes(std::string_view text) {
  std::string plain;
  for (std::size_t i = 0; i < text.size(); ++i) {
    unsigned code = 0;
    if (text[i] == '\\' && i + 3 < text.size() &&
        std::from_chars(text.data() + i + 1, text.data() + i + 4, code, 8).ptr == text.data() + i + 4) {
      plain += static_cast<char>(code);
      i += 3;
    } else {
      plain += text[i];
    }
  }
  return plain;
}

std::optional<std::uint64_t> parse_device(std::string_view text) {
  unsigned numbers[2];
  for (unsigned &number : numbers) {
    const std::string_view digits = take_until(text, ':');
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
    if (error != std::errc() || end != digits.data() + digits.size())
      return std::nullopt;
  }
  return makedev(numbers[0], numbers[1]);
}

std::optional<ControlGroupMount> parse_mount(std::string_view line) {
  take_until(line, ' '); // its number
  take_until(line, ' '); // that of the mount it is on
  ControlGroupMount mount;
  const auto device = parse_device(take_until(line, ' '));
  mount.group = without_escapes(take_until(line, ' '));
  mount.mount_point = without_escapes(take_until(line, ' '));
  take_until(line, ' '); // options of the mount
  while (!line.empty() && take_until(line, ' ') != "-") {
  } // any number of optional fields
  const std::string_view type = take_until(line, ' ');
  take_until(line, ' '); // source
  if (type == "cgroup2")
    mount.version = 2;
  else if (type == "cgroup" && lists(line, "memory"))
    mount.version = 1;
  if (mount.version == 0 || !device || !mount.group.starts_with('/') || !mount.mount_point.starts_with('/'))
    return std::nullopt;
  mount.device = *device;
  return mount;
}

/// Looks for one group in one table of mounts after the other, and keeps in words what it saw there.
class PlaceSearch {
public:
  PlaceSearch(const MemoryGroup &group, std::string root) : group_(group), root_(std::move(root)) {}

  /// `directory` stands before the mount points.
  std::optional<MemoryGroupPlace> look(const std::string &mountinfo, const std::string &directory,
                                       std::string_view whose) {
    const auto text = read_small_file(AT_FDCWD, root_ + mountinfo, max_mount_text);
    if (!text) {
      saw(whose, Error::from_errno(text.error(), "cannot be read").message());
      return std::nullopt;
    }
    auto mounts = parse_control_group_mounts(*text);
    std::erase_if(mounts, [&](const ControlGroupMount &mount) { return mount.version != group_.version; });
    // The mount that shows most of what is above the group comes first.
    std::ranges::stable_sort(mounts, {}, [](const ControlGroupMount &mount) { return mount.group.size(); });
    for (ControlGroupMount &mount : mounts) {
      auto names = names_below(mount, group_.path);
      if (!names) {
        saw(whose, fmt::format("show {} at {}", mount.group, mount.mount_point));
        continue;
      }
      std::string where = root_ + directory + mount.mount_point;
      MemoryGroupPlace place(group_.version, where, std::move(mount), std::move(*names));
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

  const MemoryGroup &group_;
  std::string root_;
  std::string seen_;
};

} // namespace

std::expected<std::string, int> read_small_file(int directory, const std::string &path, std::size_t most) {
  // Files that another process has mounted may be anything: O_NONBLOCK waits for no writer of a FIFO.
  const FileDescriptor file(::openat(directory, path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
  if (!file)
    return std::unexpected(errno);
  std::string text;
  constexpr std::size_t chunk = 4096;
  for (std::size_t used = 0;;) {
    if (text.size() - used < chunk)
      text.resize(text.size() + std::max(chunk, text.size()));
    const ssize_t count = ::read(file.get(), text.data() + used, text.size() - used);
    if (count < 0 && errno == EINTR)
      continue;
    if (count < 0)
      return std::unexpected(errno);
    used += static_cast<std::size_t>(count);
    if (count == 0 || used >= most) {
      text.resize(std::min(used, most));
      return text;
    }
  }
}

std::optional<MemoryGroup> parse_memory_group(std::string_view cgroup) {
  std::optional<MemoryGroup> unified;
  while (!cgroup.empty()) {
    std::string_view line = take_until(cgroup, '\n');
    const std::string_view number = take_until(line, ':');
    const std::string_view controllers = take_until(line, ':');
    MemoryGroup group;
    constexpr std::string_view mark = " (deleted)";
    group.removed = line.ends_with(mark);
    if (group.removed)
      line.remove_suffix(mark.size());
    group.path = line;
    if (!group.path.starts_with('/'))
      continue;
    if (lists(controllers, "memory")) {
      group.version = 1;
      return group;
    }
    if (number == "0" && controllers.empty() && !unified) {
      group.version = 2;
      unified = std::move(group);
    }
  }
  return unified;
}

std::vector<ControlGroupMount> parse_control_group_mounts(std::string_view mountinfo) {
  std::vector<ControlGroupMount> mounts;
  while (!mountinfo.empty()) {
    if (auto mount = parse_mount(take_until(mountinfo, '\n')))
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

std::string MemoryGroupPlace::path(std::size_t depth) const {
  std::string path = mount_.group == "/" ? "" : mount_.group;
  for (std::size_t i = 0; i < depth; ++i)
    path += "/" + names_[i];
  return path.empty() ? "/" : path;
}

FileDescriptor MemoryGroupPlace::open(std::size_t depth) const {
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

Result<MemoryGroupPlace> find_memory_group(const std::string &process_directory, const std::string &root) {
  const std::string list = root + process_directory + "/cgroup";
  const auto text = read_small_file(AT_FDCWD, list, max_group_text);
  if (!text)
    return std::unexpected(Error::from_errno(text.error(), fmt::format("reading {}", list)));
  const auto group = parse_memory_group(*text);
  if (!group)
    return std::unexpected(Error(ErrorKind::not_found, fmt::format("{} names no control group that accounts memory: "
                                                                   "this kernel has none, or none is mounted",
                                                                   list)));
  if (group->removed)
    return std::unexpected(Error(ErrorKind::not_found, fmt::format("the control group {} has been removed, though "
                                                                   "the process still is in it",
                                                                   group->path)));
  PlaceSearch search(*group, root);
  if (auto place = search.look("/proc/self/mountinfo", "", "our mounts"))
    return std::move(*place);
  if (auto place = search.look(process_directory + "/mountinfo", process_directory + "/root", "those of the process"))
    return std::move(*place);
  return std::unexpected(
      Error(ErrorKind::not_found,
            fmt::format("the control group {} (version {}) cannot be seen from here: {}", group->path, group->version,
                        search.seen()),
            "run inspect on the host, or in a container that sees the host's groups (--cgroupns=host and "
            "/sys/fs/cgroup mounted)"));
}

} // namespace inspect
