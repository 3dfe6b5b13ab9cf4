// Why the kernel refused us a process, in words, and what would help.
//
// Source: man page ptrace(2), "Ptrace access mode checking".
#pragma once

#include "machine/error.h"

#include <optional>
#include <string>
#include <string_view>
#include <sys/types.h>

namespace inspect {

/// not_permitted: the sentence says whose process it is, the remedy names the missing right, the safest one first.
Error explain_not_permitted(pid_t process, int error_number, std::string_view what_was_tried);

/// The same for what /proc shows of it (descriptors, links): reading needs less than tracing does.
Error explain_not_readable(pid_t process, int error_number, std::string_view what_was_tried);

/// What a refusal says is missing: "missing CAP_SYS_PTRACE"; "permission denied" where this thread has that capability
/// and it does not help.
std::string_view missing_right();

/// Whether this thread has a capability (number of capabilities(7)) in its effective set.
bool has_capability(int capability);

/// kernel.yama.ptrace_scope; nothing where the kernel has no Yama.
std::optional<int> yama_ptrace_scope();

/// The process that a thread belongs to; `thread` itself where that is not to be had. The kernel names as a tracer the
/// thread that traces, which need not be the first of its process.
pid_t process_of_thread(pid_t thread);

/// "process 42 (name)", or "process 42" where the name is not to be had.
std::string describe_process(pid_t process);

} // namespace inspect
