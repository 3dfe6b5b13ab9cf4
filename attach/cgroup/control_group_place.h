// Where the files of a process' control group are: which hierarchy has the controller, which mount shows the group, and
// the directories from the group up to the one that is mounted.
//
//     auto place = find_memory_group("/proc/42", "");             // or find_group, of any controller
//     FileDescriptor group = place->open(place->depth());
//     FileDescriptor above = place->open(place->depth() - 1);
//
// The kernel writes the paths in /proc/PID/cgroup and the roots in mountinfo as the *reader's* control group namespace
// has them, even in the files of another process; so the two can be compared, and a group outside of our namespace
// begins with "/..".
//
// Sources: man pages cgroups(7), cgroup_namespaces(7), proc(5) "/proc/[pid]/mountinfo".
#pragma once

#include "attach/cgroup/control_groups.h"
#include "machine/error.h"
#include "machine/file_descriptor.h"

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace inspect {

/// The group of the version 1 hierarchy that has this controller.
std::optional<ControlGroup> group_of_controller(std::span<const ControlGroup> groups, std::string_view controller);
/// That of version 2.
std::optional<ControlGroup> group_of_version_2(std::span<const ControlGroup> groups);
/// The group that a process' memory is charged to: that of the version 1 hierarchy with the memory controller, if there
/// is one, else that of version 2.
std::optional<ControlGroup> memory_group(std::span<const ControlGroup> groups);

/// A mounted hierarchy.
struct ControlGroupMount {
  int version = 0;
  std::string controllers; ///< of version 1, among other options: "rw,cpu,cpuacct"
  std::string group;       ///< which group is mounted: "/", or in a container often that of the container
  std::string mount_point;
  std::uint64_t device = 0; ///< as makedev(3) packs it; it tells whether something else is mounted over it
};

/// Malformed lines are passed over.
std::vector<ControlGroupMount> parse_control_group_mounts(std::string_view mountinfo);

/// The names between the mounted group and `path`; nothing where the mount does not show it.
std::optional<std::vector<std::string>> names_below(const ControlGroupMount &mount, std::string_view path);

class ControlGroupPlace {
public:
  ControlGroupPlace(int version, std::string directory, ControlGroupMount mount, std::vector<std::string> names)
      : version_(version), directory_(std::move(directory)), mount_(std::move(mount)), names_(std::move(names)) {}

  int version() const { return version_; }
  /// How many groups the process' group lies below the one that is mounted.
  std::size_t depth() const { return names_.size(); }
  /// The path of the group `depth` below the mounted one, as /proc/PID/cgroup writes it.
  std::string path(std::size_t depth) const;
  /// Its directory; without one, errno says why (ENOENT also where something else is mounted over it).
  FileDescriptor open(std::size_t depth) const;

private:
  int version_;
  std::string directory_; ///< where the mounted group is
  ControlGroupMount mount_;
  std::vector<std::string> names_;
};

/// Looks through our own mounts and then through those of the process. `process_directory` is "/proc/PID" or that of a
/// thread; `root` stands before all paths, for tests. not_found says where it was looked for.
Result<ControlGroupPlace> find_group(const ControlGroup &group, const std::string &process_directory,
                                     const std::string &root);
/// The same for the group that the process' memory is charged to; not_permitted.
Result<ControlGroupPlace> find_memory_group(const std::string &process_directory, const std::string &root);
/// All groups of the process; an error as find_memory_group() gives it.
Result<std::vector<ControlGroup>> read_control_groups(const std::string &process_directory, const std::string &root);

/// The content of a small file, as far as `max_size` bytes; the error number on failure. It waits for nothing.
std::expected<std::string, int> read_small_file(int directory, const std::string &path, std::size_t max_size);

} // namespace inspect
