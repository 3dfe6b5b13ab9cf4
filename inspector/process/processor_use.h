// How much processor time a process and its threads took over a stretch of time.
//
//     auto before = take_processor_sample(42);
//     …
//     auto after = take_processor_sample(42);
//     ProcessorUse use = processor_use(*before, *after);
//
// The kernel counts in clock ticks, a hundredth of a second as a rule: over half a second a percentage is good to two.
// Source: man page proc(5), "/proc/[pid]/stat", utime and stime.
#pragma once

#include "machine/error.h"

#include <chrono>
#include <cstdint>
#include <string>
#include <sys/types.h>
#include <vector>

namespace inspect {

/// Clock ticks taken so far.
struct ThreadTicks {
  pid_t thread = 0;
  std::string name;
  char state = '?';
  std::uint64_t start = 0; ///< ticks after boot: tells a thread from one that was given its number later
  std::uint64_t user = 0;
  std::uint64_t system = 0;
};

struct ProcessorSample {
  std::chrono::steady_clock::time_point taken;
  std::uint64_t user = 0;   ///< ticks of the whole process, threads that have ended included
  std::uint64_t system = 0; ///< ticks
  std::uint64_t start = 0;  ///< ticks after boot
  std::vector<ThreadTicks> threads;
};

/// In percent of one processor.
struct ThreadUse {
  pid_t thread = 0;
  std::string name;
  double user = 0;
  double system = 0;
};

struct ProcessorUse {
  std::chrono::milliseconds over{0};
  double user = 0;                ///< percent of one processor
  double system = 0;              ///< percent of one processor
  std::vector<ThreadUse> threads; ///< those that took any, most first; threads that ended meanwhile are not among them
};

/// no_such_process.
Result<ProcessorSample> take_processor_sample(pid_t process);
ProcessorUse processor_use(const ProcessorSample &before, const ProcessorSample &after);

} // namespace inspect
