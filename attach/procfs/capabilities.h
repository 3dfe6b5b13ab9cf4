// The capabilities of a process: the five sets of /proc/PID/status (attach/procfs/process_status.h), and their names.
//
// Sources: man pages capabilities(7), proc(5) "/proc/[pid]/status"; the kernel's include/uapi/linux/capability.h.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace inspect {

/// Bit N of a set is capability N.
struct Capabilities {
  std::uint64_t effective = 0;   ///< what it may do now
  std::uint64_t permitted = 0;   ///< what it may take up
  std::uint64_t inheritable = 0; ///< what a program with file capabilities keeps over execve
  std::uint64_t ambient = 0;     ///< what every program keeps over execve
  std::uint64_t bounding = 0;    ///< what no execve gets beyond
  std::uint64_t known = 0;       ///< all that this kernel has; no status says it
};

/// All that this kernel has; every one of 64 where it does not say.
std::uint64_t known_capabilities();
/// "cap_net_admin", …, ascending by number; "cap_41" for one that is newer than this program.
std::vector<std::string> capability_names(std::uint64_t set);

} // namespace inspect
