// The system calls that read another process's memory, as plain calls or through something that limits their time.
//
//     RangeReads source{pid, mem_file, fallback};
//     source.read(reads, [](std::int64_t number, const auto &arguments) { … return result or -errno; });
//
// Sources: man pages process_vm_readv(2), proc(5) (/proc/PID/mem).
#pragma once

#include "machine/memory_view.h"

#include <array>
#include <atomic>
#include <functional>
#include <optional>
#include <span>
#include <sys/types.h>

namespace inspect {

/// Makes one system call: its result, a negated error number, or nothing where it did not return in time.
using SystemCaller =
    std::function<std::optional<std::int64_t>(std::int64_t number, const std::array<std::uint64_t, 6> &arguments)>;

/// The plain call.
std::optional<std::int64_t> call_directly(std::int64_t number, const std::array<std::uint64_t, 6> &arguments);

struct RangeReads {
  pid_t thread;                ///< whose memory it is; a living thread
  int mem_file;                ///< its /proc/PID/mem, or negative
  std::atomic<bool> &fallback; ///< read through the file; set where process_vm_readv is forbidden

  /// Reads each range and marks those that arrived; after a call that did not return in time the others are not tried.
  void read_many(std::span<MemoryRead> reads, const SystemCaller &call) const;
  /// One range: 0, or the error number; ETIMEDOUT where a call did not return in time.
  int read_file(RunAddress address, std::span<std::byte> into, const SystemCaller &call) const;
};

} // namespace inspect
