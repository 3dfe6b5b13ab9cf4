// Waiting while a process runs, and no longer.
#pragma once

#include <chrono>
#include <sys/types.h>

namespace inspect {

/// Waits that long, or until the process has ended; whether it has. Without pidfd_open(2) (Linux 5.3) its end is seen
/// only when the time is over.
bool ends_within(pid_t process, std::chrono::milliseconds time);

} // namespace inspect
