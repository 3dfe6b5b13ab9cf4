// What runs here: the data behind `inspect ps`.
#pragma once

#include "inspector/target/runtime_kind.h"
#include "machine/error.h"

#include <cstdint>
#include <optional>
#include <string>
#include <sys/types.h>
#include <vector>

namespace inspect {

struct ProcessRow {
  pid_t process = 0;
  pid_t parent = 0;
  std::string user;                 ///< a name, or the number where there is none
  std::string name;                 ///< the kernel's short name
  std::vector<std::string> command; ///< empty: kernel thread or zombie
  std::string executable;           ///< empty: unknown or not permitted
  bool executable_deleted = false;
  RuntimeInfo runtime;
  char state = '?';
  bool main_thread_ended = false; ///< the others live on; the state and the sizes are those of one of them
  std::int64_t threads = 0;
  std::uint64_t virtual_kb = 0;  ///< KiB
  std::uint64_t resident_kb = 0; ///< KiB
  double cpu_percent = 0;        ///< CPU time over elapsed time since its start, as ps has it; 100 = one core
  std::int64_t started_at = 0;   ///< seconds since the epoch
  std::string container;         ///< runtime and short id ("docker 3f2a9c81d0b1"), pod, or empty
  bool kernel_thread = false;
  bool not_permitted = false; ///< we may not inspect it: see not_seen
  std::string not_seen;       ///< why executable and runtime are missing; empty: nothing is missing
};

struct ProcessTable {
  std::vector<ProcessRow> rows; ///< ascending by process id
};

struct ProcessTableOptions {
  bool kernel_threads = false;
};

Result<ProcessTable> read_process_table(const ProcessTableOptions &options);

/// One of them, kernel thread or not; no_such_process.
Result<ProcessRow> read_process_row(pid_t process);

} // namespace inspect
