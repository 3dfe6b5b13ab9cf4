// Says what a blocked thread waits in, and who holds what it waits for.
//
//     const SystemCall call = x86_64::decode_system_call(thread.system_call, thread.registers, memory);
//     describe_system_call(call, memory, &files);   // "futex(0x7f…, FUTEX_WAIT_PRIVATE, 2), no timeout"
//     futex_owner(call, thread.thread, memory, threads);
//
// The text is the system call's name and those of its arguments that tell something: file descriptor → path or socket,
// futex → address and operation, timeouts in seconds. Arguments in memory are read through the view given.
#pragma once

#include "attach/files/file_table.h"
#include "machine/x86_64/system_call.h"

#include <optional>
#include <span>
#include <string>
#include <sys/types.h>

namespace inspect {

/// "futex", or "system call 999". From a table generated from the kernel's headers (machine/x86_64/system_calls.h).
std::string system_call_name(std::int64_t number);

/// Empty when the thread is in no system call. `files` may be null.
std::string describe_system_call(const SystemCall &call, const MemoryView &memory, FileTable *files);

struct FutexOwner {
  pid_t thread = 0;
  bool certain = false; ///< the kernel's own protocol names the owner; else it looks like a glibc mutex, a good guess
};

/// Who holds what `waiter` waits for: for priority-inheriting locks the futex word names the owner; for others when
/// the word lies in what looks in every field like a locked glibc pthread_mutex_t whose owner is one of `threads`
/// (struct __pthread_mutex_s). Nothing for condition variables, semaphores, joins, and when in doubt.
std::optional<FutexOwner> futex_owner(const SystemCall &call, pid_t waiter, const MemoryView &memory,
                                      std::span<const pid_t> threads);

} // namespace inspect
