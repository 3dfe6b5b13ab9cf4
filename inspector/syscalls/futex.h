// The futex calls behind mutexes, condition variables and joins: what a thread waits for, and who holds it.
// Sources: man page futex(2); linux/futex.h; glibc's struct __pthread_mutex_s for the owner's place.
#pragma once

#include "inspector/syscalls/system_call_text.h"

#include <optional>
#include <span>
#include <sys/types.h>

namespace inspect {

/// Fills in `futex(0x7f…, FUTEX_WAIT_PRIVATE, 2), no timeout`.
void describe_futex(SystemCallText &call);

struct FutexOwner {
  pid_t thread = 0;
  bool certain = false; ///< the kernel's own protocol names the owner; else it looks like a glibc mutex, a good guess
};

/// Who holds what the thread waits for: for priority-inheriting locks the futex word names the owner; for others when
/// the word lies in what looks in every field like a locked glibc pthread_mutex_t whose owner is one of `threads`.
/// Nothing for condition variables, semaphores, joins, and when in doubt.
std::optional<FutexOwner> futex_owner(const StoppedThread &thread, const MemoryView &memory,
                                      std::span<const pid_t> threads);

} // namespace inspect
