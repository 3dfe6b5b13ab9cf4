// The worker gives up what it does not need before it looks at a byte of a file that may be hostile: other descriptors,
// memory, processor time and file size without end, new privileges, core dumps, root's identity, and all system calls
// but those of reading, writing and memory. A file that takes over libdwarf then owns a process that can do nothing.
#pragma once

#include "machine/error.h"

#include <vector>

namespace inspect {

struct ConfinementLimits {
  int input_descriptor = -1;
  int output_descriptor = -1;
  std::vector<int> further_inputs = {};
  unsigned cpu_seconds = 60;
};

/// Call it once, first. What cannot be given up on this machine (the user namespace has no "nobody", the kernel no
/// seccomp) is kept, since the file must still be read; only a descriptor that is missing is an error.
Result<void> confine(const ConfinementLimits &limits);

} // namespace inspect
