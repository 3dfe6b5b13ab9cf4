// Where the stack pointers of a process' threads are, without stopping one of them.
//
// The kernel tells the stack pointer of a thread that sleeps (/proc/PID/task/TID/syscall), and that of one that is just
// ending (kstkesp in its stat). Of a thread that runs it tells none; it is looked at several times, for most threads
// sleep now and then. What cannot be told is absent.
//
//     for (const ThreadStackPointer &one : *read_thread_stack_pointers(42))
//       if (one.stack_pointer) …
//
// Source: man page proc(5), "/proc/[pid]/syscall" and "/proc/[pid]/stat"; the kernel's fs/proc/base.c.
#pragma once

#include "machine/address.h"
#include "machine/error.h"

#include <optional>
#include <string>
#include <string_view>
#include <sys/types.h>
#include <vector>

namespace inspect {

struct ThreadStackPointer {
  pid_t thread = 0;
  pid_t id_in_namespace = 0; ///< what the thread itself takes for its id; the same as `thread` outside of containers
  std::string name;
  std::optional<RunAddress> stack_pointer;
};

/// Of a syscall file: "running" has none, and neither has a malformed text.
std::optional<RunAddress> parse_stack_pointer(std::string_view system_call);

/// All threads, ascending. no_such_process, not_permitted. Where only the syscall files may not be read the threads
/// come without stack pointers.
Result<std::vector<ThreadStackPointer>> read_thread_stack_pointers(pid_t process);

} // namespace inspect
