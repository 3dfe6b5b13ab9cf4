// What the kernel says of one process or thread in /proc/…/stat and /proc/…/status, parsed robustly: a name may hold
// spaces, parentheses and newlines.
//
// Sources: man page proc(5), "/proc/[pid]/stat" and "/proc/[pid]/status".
#pragma once

#include "attach/procfs/capabilities.h"
#include "machine/error.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <sys/types.h>
#include <vector>

namespace inspect {

/// From stat, which is one read and the same for processes and threads.
struct ProcessStat {
  pid_t id = 0;
  std::string name; ///< at most 15 bytes, any but NUL (kernel threads: up to 63)
  char state = '?'; ///< R S D T t Z X I, as in proc(5)
  pid_t parent = 0;
  pid_t process_group = 0;
  pid_t session = 0;
  std::uint64_t flags = 0;        ///< PF_…; PF_KTHREAD is 0x00200000
  std::uint64_t user_ticks = 0;   ///< clock ticks, sysconf(_SC_CLK_TCK)
  std::uint64_t system_ticks = 0; ///< clock ticks
  std::int64_t threads = 0;
  std::uint64_t start_ticks = 0; ///< clock ticks after boot
  std::uint64_t virtual_bytes = 0;
  std::uint64_t resident_bytes = 0;
  int processor = -1; ///< it runs on, or ran on last; -1: the kernel does not say

  bool is_kernel_thread() const { return (flags & 0x00200000U) != 0; }
};

/// Whether a thread in this state has ended: only its number is left, until somebody takes note of its end.
bool has_ended(char state);
/// "running", "sleeping", "stopped by a signal", …; "in an unknown state".
std::string_view state_in_words(char state);

/// The memory figures of status: cheap, and readable where smaps is not. In bytes; a figure that the kernel does not
/// give is absent, as all are of a kernel thread. Source: the kernel's fs/proc/task_mmu.c, task_mem().
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

/// From status, what stat lacks. What is optional depends on the kernel's version and configuration.
struct ProcessStatus {
  pid_t thread_group = 0;
  pid_t tracer = 0; ///< 0: nobody traces it
  uid_t real_user = 0;
  uid_t effective_user = 0;
  gid_t real_group = 0;
  gid_t effective_group = 0;
  pid_t id_in_namespace = 0; ///< its own number of itself, in the innermost pid namespace; 0: the kernel does not say
  std::optional<int> seccomp_mode;              ///< 0 none, 1 strict, 2 filter
  std::optional<std::uint64_t> seccomp_filters; ///< since Linux 5.9
  std::optional<bool> no_new_privileges;        ///< since Linux 4.10
  bool dumping_core = false;                    ///< right now
  std::optional<Capabilities> capabilities;
  MemoryStatus memory;
};

/// corrupt: a text that is truncated or malformed.
Result<ProcessStat> parse_process_stat(std::string_view text);
Result<ProcessStatus> parse_process_status(std::string_view text);

/// no_such_process when it does not exist (any more).
Result<ProcessStat> read_process_stat(pid_t process);
Result<ProcessStatus> read_process_status(pid_t process);
/// Through a live thread where the leader is a zombie, which has no memory.
Result<ProcessStatus> read_living_status(pid_t process);
/// Of one thread of a process.
Result<ProcessStat> read_thread_stat(pid_t process, pid_t thread);
Result<ProcessStatus> read_thread_status(pid_t process, pid_t thread);
/// Of all its threads, ascending by id; threads that end meanwhile are left out. no_such_process when none is left.
Result<std::vector<ProcessStat>> read_thread_stats(pid_t process);

} // namespace inspect
