// Runs `inspect-dwarfindex` on one descriptor, bounded in time, and says in its own words why it failed.
//
// posix_spawn, because a fork of a process with threads may do nothing but exec; every descriptor the worker shall have
// is named, all others are close-on-exec. Only our own child is waited for, by its id, so that the ptrace waits of the
// same thread are never disturbed.
#pragma once

#include "machine/cancellation.h"
#include "machine/error.h"

#include <chrono>
#include <cstdint>
#include <span>
#include <string>

namespace inspect {

struct UnitIndexJob {
  std::string worker;   ///< path of the executable
  int input = -1;       ///< the ELF file
  int output = -1;      ///< an empty file open for writing
  std::string build_id; ///< hex; empty: none
  std::chrono::milliseconds deadline{};
  bool names = false;            ///< a table of names instead of the index by address
  int common = -1;               ///< for names: the file that .gnu_debugaltlink names
  int package = -1;              ///< for names: the .dwp package
  std::uint64_t other_files = 0; ///< for names: NameTableHeader::other_files
  const Cancellation *cancellation = nullptr;
};

/// Returns when the worker is gone, whatever it did. unsupported: units are in files that it was not given.
Result<void> run_unit_index_worker(const UnitIndexJob &job);

} // namespace inspect
