// Where the arenas' memory lies beside what is in lists: the size of each top chunk, and the heaps that an arena other
// than the main one is made of. A heap begins at a multiple of the size that is reserved for it, with words that say
// whose it is and which one was before it; the top chunk is in the last.
//
// Source: glibc 2.36 malloc/arena.c (struct _heap_info, heap_for_ptr, heap_max_size).
#pragma once

#include "allocators/malloc_arena.h"
#include "machine/memory_view.h"

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace inspect {

struct ArenaMemory {
  std::uint64_t top_bytes = 0;
  std::vector<RunRange> heaps; ///< each as reserved, the last made first; empty for the main arena
};

struct ArenaMemoryResult {
  std::vector<ArenaMemory> arenas; ///< as many as were given, in their order
  std::string why_incomplete;
};

/// `huge_page_size`: what malloc's parameters say; nothing where they are not known. The main arena is the first.
ArenaMemoryResult read_arena_memory(const MemoryView &memory, std::span<const ArenaCopy> arenas,
                                    std::optional<std::uint64_t> huge_page_size);

} // namespace inspect
