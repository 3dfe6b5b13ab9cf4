// What glibc's malloc knows of its own memory: its arenas with what is in use and what is free, as mallinfo2(3) sums it
// up, read from outside.
//
// The layout of malloc_state comes from a table of the known glibc versions, for newer ones from libc's debug
// information where it is installed; either is believed only where the arena's bins point back at themselves, as empty
// ones do. Neither symbols nor debug information are needed: allocators/malloc_search.h finds the arenas by what they
// contain.
//
//     auto reader = MallocReader::open(modules, memory);      // finds main_arena; the target runs
//     (*reader)->prepare();                                  // before a stop, each time
//     Result<void> copied = (*reader)->copy();               // inside the stop
//     MallocStatistics statistics = (*reader)->statistics(); // the target runs again
//
// Sources: glibc malloc/malloc.c (struct malloc_state, struct malloc_par, int_mallinfo) and malloc/arena.c
// (struct _heap_info); man pages mallinfo(3), mallopt(3).
#pragma once

#include "allocators/other_allocators.h"
#include "dwarf/module/module_map.h"

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace inspect {

/// All sizes in bytes.
struct MallocArena {
  RunAddress address;             ///< of its malloc_state
  bool is_main = false;           ///< grows with brk(2); the others are made of heaps
  std::uint64_t system_bytes = 0; ///< taken from the system
  std::uint64_t in_use = 0;       ///< system_bytes less free
  std::uint64_t free = 0;         ///< in bins, fast bins and the top chunk
  std::uint64_t top = 0;          ///< the top chunk: what could be trimmed
  std::uint64_t fast_bins = 0;    ///< part of free
  std::uint64_t free_chunks = 0;  ///< a count, with fast bins
  std::uint64_t attached_threads = 0;
  std::vector<RunRange> heaps; ///< of an arena that is not the main one: each as reserved (HEAP_MAX_SIZE)
};

/// As mallinfo2(3) of the process would give it: the names are those of struct mallinfo2. Of a walk that was not
/// complete, ordblks, smblks, fsmblks and fordblks are what was seen, and uordblks is what is left of `arena`.
struct MallocTotals {
  std::uint64_t arena = 0, ordblks = 0, smblks = 0, fsmblks = 0, uordblks = 0, fordblks = 0, keepcost = 0;
  /// Chunks that malloc mapped by themselves: how many, and their bytes. Absent where libc has no symbols and nothing
  /// in its data was beyond doubt the structure that counts them.
  std::optional<std::uint64_t> hblks, hblkhd;
};

struct MallocStatistics {
  std::string version;             ///< of glibc, "2.36"; empty: not known, as of programs linked statically
  std::vector<MallocArena> arenas; ///< the main one first
  MallocTotals totals;
  bool complete = true; ///< false: the walk of the free lists ended early
  std::string why_incomplete;
};

class MallocReader {
public:
  /// not_found: no glibc, or it holds no arena that is valid. unsupported: its layout is not known.
  static Result<std::unique_ptr<MallocReader>> open(ModuleMap &modules, const MemoryView &memory);
  ~MallocReader();
  MallocReader(const MallocReader &) = delete;
  MallocReader &operator=(const MallocReader &) = delete;

  /// Follows the free lists while the target runs, for about a second at most. The copy then knows where they lead, and
  /// the stop is shorter by far where there are many free chunks; what it finds is the same.
  void prepare();
  /// Copies arenas and follows the free lists, within `chunk_limit` chunks and about `time_limit`; beyond these the
  /// statistics are incomplete. An error: the arenas cannot be read, or are none any more.
  Result<void> copy(std::size_t chunk_limit = 2'000'000,
                    std::chrono::milliseconds time_limit = std::chrono::milliseconds(50));
  /// Of the last copy.
  MallocStatistics statistics() const;
  /// Whether most of a private anonymous mapping is chunks that malloc mapped by themselves (above M_MMAP_THRESHOLD):
  /// one after another from its beginning, as the kernel joins mappings that adjoin. Reads the memory as it is now.
  bool is_mapped_chunk(RunRange mapping) const;

private:
  struct State;
  explicit MallocReader(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

} // namespace inspect
