// Says what a blocked thread waits in: the system call's name and those of its arguments that tell something: file
// descriptor → path or socket, futex → address and operation, timeouts in seconds. Arguments in memory are read through
// the view given.
#pragma once

#include "attach/files/file_table.h"
#include "attach/ptrace/stopped_process.h"
#include "machine/memory_view.h"

#include <string>

namespace inspect {

/// "futex", or "system call 999". From a table generated from the kernel's headers (machine/x86_64/system_calls.h).
std::string system_call_name(std::int64_t number);

/// Empty when the thread is in no system call. `files` may be null. Recovers the call behind restart_syscall from the
/// instruction before the pc.
std::string describe_system_call(const StoppedThread &thread, const MemoryView &memory, FileTable *files);

} // namespace inspect
