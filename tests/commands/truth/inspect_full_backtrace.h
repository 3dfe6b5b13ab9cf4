// What inspect says of every thread of a process that a signal has stopped: its frames by `inspect stacks --json`,
// their arguments and locals by a session.
#pragma once

#include "tests/commands/truth/full_backtrace.h"

namespace inspect::test {

/// A value that is missing is its reason. Throws std::runtime_error where inspect fails.
FullBacktrace inspect_full_backtrace(pid_t process);

/// What `p` shows of a name in a frame; empty where it fails.
std::string inspect_print(pid_t process, pid_t thread, std::size_t frame, const std::string &name);

} // namespace inspect::test
