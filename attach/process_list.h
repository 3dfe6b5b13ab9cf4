// Which processes and threads exist, and small facts about one: command line, executable, working directory, cgroup.
#pragma once

#include "machine/error.h"

#include <cstdint>
#include <string>
#include <sys/types.h>
#include <vector>

namespace inspect {

/// All process ids, ascending.
Result<std::vector<pid_t>> list_processes();
/// All thread ids of a process, ascending; no_such_process when it is gone. A zombie leader's live threads are listed.
Result<std::vector<pid_t>> list_threads(pid_t process);

/// A thread through which the process' memory and files can be seen: the process id itself, or, when its leader ended
/// before its other threads, one of these. no_such_process when all of it has ended.
Result<pid_t> living_thread(pid_t process);

/// The arguments, NUL-separated in the kernel, here one string each; empty for kernel threads and zombies.
Result<std::vector<std::string>> read_command_line(pid_t process);
/// What /proc/PID/exe points to, without the kernel's " (deleted)".
struct ExecutableLink {
  std::string path;
  bool deleted = false;
};
Result<ExecutableLink> read_executable_link(pid_t process);
/// The content of a small file of /proc/PID, as it is ("cgroup", "wchan", …).
Result<std::string> read_process_file(pid_t process, const std::string &name);

/// When the machine was started, seconds since the epoch; from /proc/stat's btime.
Result<std::int64_t> boot_time();

} // namespace inspect
