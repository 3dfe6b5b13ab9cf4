// Which processes and threads exist, and where the executable of one is. For lists of thousands of processes there is
// attach/procfs/process_directory.h.
#pragma once

#include "machine/error.h"

#include <cstdint>
#include <string>
#include <string_view>
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
/// "/proc/PID/" or "/proc/PID/task/TID/" of that thread.
Result<std::string> living_directory(pid_t process);
/// The path of the link `name` ("exe", "root") in there, or of the process' own where all of it has ended.
std::string living_link(pid_t process, std::string_view name);
/// The file `name` in there, looked for again where the thread ends or replaces the program meanwhile.
Result<std::string> read_living_file(pid_t process, std::string_view name);

/// What /proc/PID/exe points to, without the kernel's " (deleted)"; the program, where that is the dynamic loader which
/// was started with it (attach/procfs/loaded_program.h).
struct ExecutableLink {
  std::string path;
  bool deleted = false;
};
Result<ExecutableLink> read_executable_link(pid_t process);
/// When the machine was started, seconds since the epoch; from /proc/stat's btime.
Result<std::int64_t> boot_time();

} // namespace inspect
