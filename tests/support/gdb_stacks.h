// What gdb says of every thread's stack in a live process: the ground truth for ours.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <sys/types.h>
#include <vector>

namespace inspect::test {

struct PeerFrame {
  std::uint64_t pc = 0;
  std::string function; ///< empty: unknown
};

using PeerStacks = std::map<pid_t, std::vector<PeerFrame>>; ///< by thread, innermost frame first

/// Attaches gdb, walks every thread beyond main to the program's entry, detaches. `debug_directory` empty: gdb's own
/// default.
PeerStacks gdb_stacks(pid_t process, const std::string &debug_directory);

/// The same of `inspect stacks --json`; throws when it fails.
PeerStacks inspect_stacks(pid_t process, const std::string &debug_directory);

/// A function's name without what peers print differently: parameters, template arguments, return type, clone
/// suffixes, and the aliases a C library gives one function ("__GI___poll", "__poll", "poll").
std::string canonical_function(std::string_view name);
/// Whether two peers' names mean one function, as far as names can tell.
bool same_function(std::string_view left, std::string_view right);

} // namespace inspect::test
