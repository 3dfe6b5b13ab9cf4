// gdb brings a process to a place, says all that it knows there, and leaves the process stopped just there.
//
//     ChildProcess lua({"lua", "-"});
//     const FullBacktrace theirs = gdb_full_backtrace(lua.pid(), {.function = "luaH_resize", .passes = 20, .steps = 3},
//                                                     [&] { lua.write(script); });
//     … inspect lua.pid(): no instruction of the program has run since …
#pragma once

#include "tests/commands/truth/full_backtrace.h"

#include <functional>
#include <string>
#include <string_view>
#include <sys/types.h>

namespace inspect::test {

struct SnapshotPlace {
  std::string function; ///< empty: where it is
  unsigned passes = 0;  ///< so often it comes by before
  unsigned steps = 0;   ///< instructions that it goes on from there
};

/// `start` sets going what leads to the place, once gdb waits there. Throws std::runtime_error where gdb gave no
/// frames, as when the program never came by.
FullBacktrace gdb_full_backtrace(pid_t process, const SnapshotPlace &place, const std::function<void()> &start);

/// The frames of one thread as `bt full` prints them: their arguments and locals, nothing else.
std::vector<FullFrame> parse_full_backtrace(std::string_view text);

} // namespace inspect::test
