// One look at a process: what is stopped for it is a choice, and what cannot be stopped is read without.
//
//     auto snapshot = take_look(pid, memory, maps, {.stop = StopChoice::none});
//
// Everything in one stop is a picture of one instant. What sleeps can be read as exactly without a stop, each thread
// for itself; docs/harmless.md compares the two.
#pragma once

#include "attach/snapshot/snapshot.h"
#include "machine/cancellation.h"

#include <cstdint>
#include <string>
#include <sys/types.h>

namespace inspect {

enum class StopChoice : std::uint8_t {
  all,       ///< all threads at once; those that cannot be stopped are read without
  automatic, ///< threads that sleep are read without a stop, and only those that run are stopped
  none,      ///< no call of ptrace at all
};

struct LookOptions {
  StopChoice stop = StopChoice::all;
  SnapshotOptions snapshot;
  const Cancellation *cancellation = nullptr; ///< may be null; for what is read without a stop
};

/// As take_snapshot() of attach/snapshot/snapshot.h. A process that is traced by another program or frozen is read
/// without a stop, whatever the choice; Snapshot::why_not_stopped then says so.
Result<Snapshot> take_look(pid_t process, const LiveMemory &memory, const std::vector<Mapping> &maps,
                           const LookOptions &options);

/// Why no thread of a process could be stopped, as a clause: "frozen by its control group, as docker pause does",
/// "traced by strace (4711)". Empty: nothing is known against it.
std::string why_not_stoppable(pid_t process);

} // namespace inspect
