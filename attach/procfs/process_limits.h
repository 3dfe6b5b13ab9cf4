// The resource limits of a process, from /proc/PID/limits, which everybody may read.
//
//     auto limits = read_process_limits(directory);
//     if (const ProcessLimit *files = limits->find("Max open files")) …files->soft
//
// Sources: man page proc(5), "/proc/[pid]/limits"; getrlimit(2).
#pragma once

#include "attach/procfs/process_directory.h"
#include "machine/error.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace inspect {

struct ProcessLimit {
  std::string name;                  ///< the kernel's: "Max open files"
  std::optional<std::uint64_t> soft; ///< nothing: unlimited
  std::optional<std::uint64_t> hard; ///< nothing: unlimited
  std::string unit;                  ///< "bytes", "files", "seconds", …; empty without
};

struct ProcessLimits {
  std::vector<ProcessLimit> all; ///< in the kernel's order
  const ProcessLimit *find(std::string_view name) const;
};

/// corrupt: a line without its two values.
Result<ProcessLimits> parse_process_limits(std::string_view text);
Result<ProcessLimits> read_process_limits(const ProcessDirectory &process);

} // namespace inspect
