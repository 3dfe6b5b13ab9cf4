// How much of each mapping of a process is really there: what the kernel's smaps says, read once and in one pass.
//
// smaps is dear for the kernel (it walks every page table), so nothing here reads it twice. Where it may not be read,
// or the kernel has none, the mappings come from maps, `measured` is false and `why_not_measured` says why.
//
// The kernel rounds what it divides (Pss, SwapPss, Locked) down to kilobytes, in every mapping: the sum over N mappings
// is up to N kilobytes below smaps_rollup, which rounds once. Everything else adds up exactly.
//
//     auto usage = read_memory_usage(42);
//     for (const MappingUsage &one : usage->mappings) total += one.amounts;
//
// Sources: man page proc(5), "/proc/[pid]/smaps"; the kernel's Documentation/filesystems/proc.rst.
#pragma once

#include "attach/procfs/memory_map.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace inspect {

/// All in bytes.
struct MemoryAmounts {
  std::uint64_t reserved = 0;     ///< address space: "Size", the length of the mapping
  std::uint64_t resident = 0;     ///< "Rss"
  std::uint64_t proportional = 0; ///< "Pss": each resident page divided by the number of processes that map it
  std::uint64_t shared_clean = 0;
  std::uint64_t shared_dirty = 0;
  std::uint64_t private_clean = 0; ///< with private_dirty: what would be free if the process ended (USS)
  std::uint64_t private_dirty = 0;
  std::uint64_t referenced = 0;
  std::uint64_t anonymous = 0;
  std::uint64_t lazily_freed = 0; ///< "LazyFree": given back with MADV_FREE, resident until memory is short
  std::uint64_t huge = 0;         ///< in transparent huge pages: "AnonHugePages", "ShmemPmdMapped", "FilePmdMapped"
  std::uint64_t hugetlb = 0;      ///< from hugetlbfs, which the kernel does not count as resident
  std::uint64_t swapped = 0;
  std::uint64_t swapped_proportional = 0;
  std::uint64_t locked = 0; ///< of the resident part, divided as `proportional` is

  std::uint64_t dirty() const { return shared_dirty + private_dirty; }
  std::uint64_t unique() const { return private_clean + private_dirty; }
  MemoryAmounts &operator+=(const MemoryAmounts &other);
  friend bool operator==(const MemoryAmounts &, const MemoryAmounts &) = default;
};

struct MappingUsage {
  Mapping mapping;
  MemoryAmounts amounts;   ///< only `reserved` is known where the usage was not measured
  bool grows_down = false; ///< VmFlags "gd": a stack that the kernel extends
  bool counted = true;     ///< in VmSize; false: [vsyscall], which is not memory of the process
};

struct MemoryUsage {
  std::vector<MappingUsage> mappings; ///< ascending by address
  bool measured = false;
  std::string why_not_measured; ///< one sentence without full stop; empty where it was measured

  /// Of the mappings that are counted.
  MemoryAmounts total() const;
};

/// Parses the whole text of a smaps file; a field that the kernel does not have stays 0, unknown ones are passed over.
/// `reserved` is the length of the mapping.
Result<std::vector<MappingUsage>> parse_memory_usage(std::string_view text);

/// no_such_process, not_permitted (where maps is closed, too). A process that changes its mappings during the read may
/// show a mapping in two states: they are sorted, and one that overlaps its predecessor is left out. A kernel thread
/// has no mappings.
Result<MemoryUsage> read_memory_usage(pid_t process);

/// The same with another file in place of smaps, for tests of what happens where it cannot be read.
Result<MemoryUsage> read_memory_usage(pid_t process, const std::string &smaps);

/// The kernel's own sum, smaps_rollup: for those who need no more, and for the tests; much cheaper where there are many
/// mappings. `reserved` stays 0. unsupported before Linux 4.14, and for a kernel thread.
Result<MemoryAmounts> read_memory_rollup(pid_t process);

} // namespace inspect
