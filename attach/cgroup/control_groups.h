// The control groups of a process, from /proc/PID/cgroup: one of version 2, one for each hierarchy of version 1, or
// both.
//
//     for (const ControlGroup &group : parse_control_groups("7:cpu,memory:/a\n0::/b (deleted)\n"))
//       … group.version(), group.controls("memory"), group.path …
//
// Source: man page cgroups(7), "/proc/[pid]/cgroup".
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace inspect {

struct ControlGroup {
  std::string controllers; ///< "memory", "cpu,cpuacct", "name=systemd"; empty: version 2
  std::string path;        ///< absolute, from the root of our cgroup namespace; "/.." where it lies outside of that
  bool removed = false;    ///< the group is gone, though the process still is in it; " (deleted)" is taken off the path

  int version() const { return controllers.empty() ? 2 : 1; }
  /// Whether its hierarchy, of version 1, has this controller.
  bool controls(std::string_view controller) const;
  /// The path as the kernel writes it: with " (deleted)" where it was removed.
  std::string path_with_mark() const;
};

/// In the kernel's order; malformed lines are left out.
std::vector<ControlGroup> parse_control_groups(std::string_view text);

/// Whether "cpu,memory" lists "memory".
bool lists_name(std::string_view names, std::string_view wanted);

} // namespace inspect
