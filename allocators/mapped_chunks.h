// Chunks that malloc mapped by themselves, because they are large: which part of a mapping they are. The kernel joins
// mappings that adjoin, so that one mapping may be several such chunks, and something else behind them.
//
// Up to glibc 2.42 the size in a chunk's header is that of the mapping; one that had to be aligned begins further on
// and has less, and the header that it had at first is still there. Since 2.43 the size leaves a header's worth out,
// and a chunk that had to be aligned has a header only where it begins, which says how far that is from the mapping's
// begin.
//
// Source: glibc 2.36 malloc/malloc.c (sysmalloc_mmap, _int_memalign), 2.43 malloc/malloc.c (mmap_set_chunk, mmap_size).
#pragma once

#include "machine/memory_view.h"

#include <cstdint>

namespace inspect {

/// How many bytes from the mapping's begin on are such chunks, read from memory as it is now. `size_left_out`: the
/// layout's mapped_size_left_out.
std::uint64_t mapped_chunk_bytes(const MemoryView &memory, RunRange mapping, std::uint64_t size_left_out);

} // namespace inspect
