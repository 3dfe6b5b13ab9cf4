// The mappings of a process: man page proc(5), "/proc/[pid]/maps".
#pragma once

#include "machine/address.h"
#include "machine/error.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <sys/types.h>
#include <vector>

namespace inspect {

struct Mapping {
  RunRange range;
  bool readable = false;
  bool writable = false;
  bool executable = false;
  bool shared = false;
  FileOffset offset;        ///< of range.begin in the file
  std::uint64_t device = 0; ///< as makedev(3) packs it
  std::uint64_t inode = 0;  ///< 0: no file
  std::string path;         ///< the file as the target's root shows it, or "[stack]", "[vdso]", …; empty: anonymous
  bool deleted = false;     ///< the path no longer leads to this file; " (deleted)" is taken off it
};

/// Parses the whole text of a maps file; octal escapes in paths (\012) are undone.
Result<std::vector<Mapping>> parse_memory_map(std::string_view text);

/// One line of maps, without its newline; smaps begins its entries with the same. False where it is malformed.
bool parse_mapping_line(std::string_view line, Mapping &mapping);

/// Sorted by address, as the kernel lists them. A zombie leader's map is read through a live thread.
Result<std::vector<Mapping>> read_memory_map(pid_t process);

/// The mapping that holds `address`, or null.
const Mapping *find_mapping(const std::vector<Mapping> &sorted, RunAddress address);

} // namespace inspect
