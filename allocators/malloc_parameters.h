// glibc's malloc_par: what malloc counts beside its arenas, the chunks that it maps by themselves.
//
// Its fields are plain numbers, so that it is known by what they mean together: defaults that nobody changes, maxima
// that are not less than what they are maxima of, and the start of the heap, which must lead to one chunk after
// another.
//
// Source: glibc 2.36 malloc/malloc.c (struct malloc_par, sysmalloc_mmap, munmap_chunk).
#pragma once

#include "allocators/malloc_arena.h"
#include "allocators/malloc_layout.h"
#include "machine/memory_view.h"

#include <optional>

namespace inspect {

struct MallocParameters {
  std::uint64_t mapped_chunks = 0;  ///< n_mmaps: a count
  std::uint64_t mapped_bytes = 0;   ///< mmapped_mem
  std::uint64_t huge_page_size = 0; ///< 0: heaps are made of ordinary pages
  RunAddress heap_begin;            ///< sbrk_base; 0: nothing was taken with brk(2) yet
  std::uint64_t max_mapped_chunks = 0;
  std::uint64_t max_mapped_bytes = 0;
};

Result<MallocParameters> read_malloc_parameters(const MemoryView &memory, RunAddress address,
                                                const MallocParametersLayout &layout);

/// Whether the structure may be at a place that a symbol gives.
bool are_malloc_parameters(const MemoryView &memory, RunAddress address, const MallocParametersLayout &layout,
                           const ArenaCopy &main_arena);
/// The only place in the range where it may be; nothing where there are several or none. Asks for more than the above:
/// limits that are what they are unless the program has changed them with mallopt(3).
std::optional<RunAddress> search_malloc_parameters(const MemoryView &memory, RunRange range,
                                                   const MallocParametersLayout &layout, const ArenaCopy &main_arena);

} // namespace inspect
