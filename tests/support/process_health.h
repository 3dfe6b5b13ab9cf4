// Whether a process is left as it was: nobody traces it, no thread of it is stopped.
#pragma once

#include <string>
#include <sys/types.h>

namespace inspect::test {

/// Empty when the process is there and no thread of it is traced or in a tracing stop (T counts only unless
/// `stopped_before`); else what is wrong.
std::string what_is_wrong_with(pid_t process, bool stopped_before = false);

/// One field of /proc/PID/status, without the tab.
std::string status_field(pid_t process, const std::string &name);

} // namespace inspect::test
