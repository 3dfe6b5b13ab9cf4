// The memory account of the control group that a process is in: how far it is from its limit, and what happened there
// before. Version 1 and version 2 hierarchies, and machines that mount both.
//
//     auto group = read_cgroup_memory(42);
//     if (const MemoryLimit *next = group->nearest_limit()) … next->room() bytes are left there
//
// A group is held to the limits of all groups above it, too; the least one is `limit`, but the one that is reached
// first may be a larger one, of a group that holds others as well. In a container the files of the groups above may
// lie outside of what any mount shows; `limits_may_be_hidden` then says so.
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

/// In bytes.
struct MemoryLimit {
  std::string path; ///< the group that has it; empty: one above those that can be seen
  std::uint64_t limit = 0;
  std::uint64_t current = 0; ///< what that group uses now; 0 where the group cannot be seen

  /// What is left; a limit that was lowered below what is in use leaves nothing.
  std::uint64_t room() const { return limit > current ? limit - current : 0; }
};

/// All sizes in bytes.
struct ControlGroupMemory {
  int version = 0;  ///< 1 or 2
  std::string path; ///< of the group whose account this is, as /proc/PID/cgroup writes it: that of the process, or the
                    ///< nearest above it that has an account of its own
  std::uint64_t current = 0;          ///< memory.current, memory.usage_in_bytes: with page cache and kernel memory
  std::optional<std::uint64_t> limit; ///< the least of the group's own and its ancestors'; nothing: none is set
  std::string limit_path;             ///< as MemoryLimit::path
  std::uint64_t limit_current = 0;    ///< as MemoryLimit::current
  std::vector<MemoryLimit> limits;    ///< every limit that is set, from the group upwards
  bool limits_may_be_hidden = false;  ///< v2: there are groups above those that can be seen
  std::optional<std::uint64_t> high;  ///< memory.high of v2, of the group itself: above it the kernel slows it down
  std::optional<std::uint64_t> peak;  ///< memory.peak (since Linux 5.19), memory.max_usage_in_bytes
  std::optional<std::uint64_t> swap_current;
  std::optional<std::uint64_t> swap_limit;  ///< of the group itself; v1 limits only the sum of memory and swap
  std::optional<std::uint64_t> anonymous;   ///< memory.stat: anon, total_rss
  std::optional<std::uint64_t> file;        ///< page cache, tmpfs and shared memory included: file, total_cache
  std::optional<std::uint64_t> reclaimable; ///< inactive_file: the first to go under pressure
  std::optional<std::uint64_t> kernel;      ///< kernel memory, slab and page tables included; v2: since Linux 5.18
  std::vector<std::pair<std::string, std::uint64_t>> events; ///< "oom_kill" 2, …; v1: "failcnt", "oom_kill"

  /// The one with the least room; null where none is set, or none of a group that can be seen.
  const MemoryLimit *nearest_limit() const;
};

/// not_found: the process is in no group whose memory is accounted, or its files are not to be seen from here; the
/// error says where they were looked for. no_such_process.
Result<ControlGroupMemory> read_cgroup_memory(pid_t process);

/// The same with the files below another root, for tests: `root`/proc/PID/cgroup, `root`/proc/self/mountinfo and the
/// mount points that it names, `root`/proc/PID/mountinfo and the mount points that it names in `root`/proc/PID/root.
Result<ControlGroupMemory> read_cgroup_memory(pid_t process, const std::string &root);

} // namespace inspect
