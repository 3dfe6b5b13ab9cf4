// The namespaces that a process is in, and which of them are not ours.
//
// Source: man page namespaces(7), "The /proc/[pid]/ns/ directory".
#pragma once

#include "attach/procfs/process_directory.h"
#include "machine/error.h"

#include <cstdint>
#include <string>
#include <vector>

namespace inspect {

struct NamespaceMembership {
  std::string name;        ///< "mnt", "net", "pid", "user", "uts", "ipc", "cgroup", "time"
  std::uint64_t inode = 0; ///< the number that tells one from another
  bool ours = false;       ///< the same as that of this program
};

/// Those that the kernel has, in the order above. not_permitted, no_such_process.
Result<std::vector<NamespaceMembership>> read_namespaces(const ProcessDirectory &process);

} // namespace inspect
