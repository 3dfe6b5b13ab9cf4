// Whether a process is frozen by its control group, as `docker pause` and `systemctl freeze` do it. A frozen process
// does nothing, and cannot be stopped with ptrace either: what is asked of it waits until it is thawed.
//
//     if (const auto frozen = find_freezer(42)) … frozen->path …
//
// Sources: the kernel's Documentation/admin-guide/cgroup-v2.rst ("cgroup.freeze", "cgroup.events") and
// cgroup-v1/freezer-subsystem.rst.
#pragma once

#include <optional>
#include <string>
#include <sys/types.h>

namespace inspect {

struct FrozenGroup {
  int version = 0;  ///< 1 or 2
  std::string path; ///< as /proc/PID/cgroup writes it
};

/// The frozen group that the process is in: nothing where it is in none, or where its groups cannot be seen from here.
/// A group that is still freezing counts as frozen.
std::optional<FrozenGroup> find_freezer(pid_t process);
/// The same with the files below another root, for tests (attach/cgroup/cgroup_memory.h says which).
std::optional<FrozenGroup> find_freezer(pid_t process, const std::string &root);

} // namespace inspect
