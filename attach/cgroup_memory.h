// The memory account of the control group that a process is in: how far it is from its limit, and what happened there
// before. Version 1 and version 2 hierarchies, and machines that mount both.
//
// A group's limit is that of the nearest of its ancestors: the least one counts. In a container the group's files may
// lie outside of what our mount namespace shows; the error then says so.
//
// Sources: the kernel's Documentation/admin-guide/cgroup-v2.rst ("Memory Interface Files") and cgroup-v1/memory.rst;
// man page cgroups(7), "/proc/[pid]/cgroup"; proc(5), "/proc/[pid]/mountinfo".
#pragma once

#include "machine/error.h"

#include <cstdint>
#include <optional>
#include <string>
#include <sys/types.h>
#include <utility>
#include <vector>

namespace inspect {

/// All sizes in bytes.
struct ControlGroupMemory {
  int version = 0;                    ///< 1 or 2
  std::string path;                   ///< as /proc/PID/cgroup has it
  std::uint64_t current = 0;          ///< memory.current, memory.usage_in_bytes: with page cache and kernel memory
  std::optional<std::uint64_t> limit; ///< the least of the group's own and its ancestors'; nothing: none is set
  std::string limit_path;             ///< the group that has that limit
  std::uint64_t limit_current = 0;    ///< what that group uses now
  std::optional<std::uint64_t> high;  ///< memory.high of v2: above it the kernel slows the group down
  std::optional<std::uint64_t> peak;
  std::optional<std::uint64_t> swap_current;
  std::optional<std::uint64_t> swap_limit;
  std::optional<std::uint64_t> anonymous;                    ///< memory.stat: anon, rss
  std::optional<std::uint64_t> file;                         ///< page cache
  std::optional<std::uint64_t> reclaimable;                  ///< inactive_file: the first to go under pressure
  std::optional<std::uint64_t> kernel;                       ///< kernel memory, slab and page tables included
  std::vector<std::pair<std::string, std::uint64_t>> events; ///< "oom_kill" 2, …; v1: "failcnt", "oom_kill"
};

/// not_found: the process is in no group whose memory is accounted, or its files are not to be seen from here.
Result<ControlGroupMemory> read_cgroup_memory(pid_t process);

/// The same, with the files below another root, for tests: `root`/proc/PID/cgroup, `root`/proc/PID/mountinfo, and the
/// mount points that it names.
Result<ControlGroupMemory> read_cgroup_memory(pid_t process, const std::string &root);

} // namespace inspect
