// The memory figures of /proc/PID/status: cheap, and readable where smaps is not. A figure that the kernel does not
// give is absent.
//
// Source: man page proc(5), "/proc/[pid]/status"; the kernel's fs/proc/task_mmu.c, task_mem().
#pragma once

#include "machine/error.h"

#include <cstdint>
#include <optional>
#include <string_view>
#include <sys/types.h>

namespace inspect {

/// All in bytes.
struct MemoryStatus {
  std::optional<std::uint64_t> virtual_peak;       ///< VmPeak
  std::optional<std::uint64_t> virtual_size;       ///< VmSize
  std::optional<std::uint64_t> locked;             ///< VmLck
  std::optional<std::uint64_t> pinned;             ///< VmPin
  std::optional<std::uint64_t> resident_peak;      ///< VmHWM
  std::optional<std::uint64_t> resident;           ///< VmRSS: since Linux 6.2 it may lag by some pages for each thread
  std::optional<std::uint64_t> resident_anonymous; ///< RssAnon
  std::optional<std::uint64_t> resident_file;      ///< RssFile
  std::optional<std::uint64_t> resident_shared;    ///< RssShmem: shared memory, tmpfs, shared anonymous mappings
  std::optional<std::uint64_t> page_tables;        ///< VmPTE
  std::optional<std::uint64_t> swapped;            ///< VmSwap
  std::optional<std::uint64_t> hugetlb;            ///< HugetlbPages
};

/// corrupt: a figure is no number of kilobytes.
Result<MemoryStatus> parse_memory_status(std::string_view status);
/// Through a live thread where the leader is a zombie. A kernel thread has none of the figures. no_such_process.
Result<MemoryStatus> read_memory_status(pid_t process);

} // namespace inspect
