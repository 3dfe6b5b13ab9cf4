// What confines a process and what shields it from others.
//
// Whether it is dumpable (prctl(2), PR_SET_DUMPABLE) is not said anywhere, but shows in who owns its files in /proc:
// the process' effective user and group, or root where it is not. Of a process of root itself that tells nothing.
//
// Sources: man pages proc(5), "/proc/[pid]" and "/proc/[pid]/status"; ptrace(2); seccomp(2); the kernel's
// Documentation/admin-guide/LSM.
#pragma once

#include "attach/procfs/process_directory.h"
#include "attach/procfs/process_status.h"

#include <cstdint>
#include <optional>
#include <string>
#include <sys/types.h>

namespace inspect {

struct SecurityState {
  std::optional<int> seccomp_mode;              ///< 0 none, 1 strict, 2 filter; nothing: a kernel without
  std::optional<std::uint64_t> seccomp_filters; ///< since Linux 5.9
  std::optional<bool> no_new_privileges;        ///< since Linux 4.10
  std::optional<bool> dumpable;                 ///< nothing: it cannot be told
  bool dumping_core = false;                    ///< right now
  pid_t tracer = 0;                             ///< the process that traces it; 0: nobody
  std::string tracer_name;
  std::optional<int> yama_scope; ///< kernel.yama.ptrace_scope of this machine; nothing: no Yama
  std::string label;             ///< SELinux context, AppArmor profile, Smack label; empty: none
};

/// `status` is that of the process; parts that cannot be had are left out.
SecurityState read_security_state(const ProcessDirectory &process, const ProcessStatus &status);

} // namespace inspect
