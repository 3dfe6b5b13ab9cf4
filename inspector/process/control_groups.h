// The control groups of a process, from /proc/PID/cgroup: one of version 2, or one for each hierarchy of version 1.
//
// Source: man page cgroups(7), "/proc/[pid]/cgroup".
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace inspect {

struct ControlGroup {
  std::string controllers; ///< "memory", "cpu,cpuacct", "name=systemd"; empty: version 2
  std::string path;        ///< from the root of our cgroup namespace
};

/// In the kernel's order; lines that make no sense are left out.
std::vector<ControlGroup> parse_control_groups(std::string_view text);

} // namespace inspect
