// Follows the lists of free chunks of all arenas together, one step of each with every read: many lists of many arenas
// take as many reads as the longest of them has chunks in different pages.
//
// Whole pages are read, because chunks that were freed together are found together; a list that goes from page to page
// in one direction gets the next ones with the same read.
//
// A list is not believed further than it holds: a chunk of a bin must point back to where one came from, one of a fast
// bin must have the bin's size, and all together no more bytes than the arena has. So damage and circles end a walk.
//
// Sources: glibc 2.36 malloc/malloc.c (int_mallinfo, unlink_chunk, REVEAL_PTR, fastbin_index, smallbin_index).
#pragma once

#include "allocators/malloc_arena.h"
#include "allocators/page_cache.h"

#include <chrono>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace inspect {

/// Bytes, and counts of chunks.
struct FreeChunks {
  std::uint64_t chunks = 0; ///< in bins
  std::uint64_t bytes = 0;
  std::uint64_t fast_chunks = 0; ///< in fast bins
  std::uint64_t fast_bytes = 0;
};

struct FreeListOptions {
  /// Whether the pointers of fast bins are kept combined with their place; nothing: the chunks tell.
  std::optional<bool> protected_links;
  std::size_t chunk_limit = 0;
  std::chrono::milliseconds time_limit{0};
  /// Pages that an earlier walk has touched, which are read first and at once: a list alone says only one step at a
  /// time where it goes.
  std::span<const std::uint64_t> expected_pages = {};
};

struct FreeListResult {
  std::vector<FreeChunks> arenas;   ///< as many as were given, in their order
  std::string why_incomplete;       ///< the first reason; empty: all lists were followed to their ends
  std::vector<std::uint64_t> pages; ///< that free chunks were on, some of them repeated
};

/// `pages`: of the memory that the arenas are in; what it has is read anew.
FreeListResult follow_free_lists(PageCache &pages, std::span<const ArenaCopy> arenas, const FreeListOptions &options);

} // namespace inspect
