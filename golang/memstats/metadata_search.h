// Memory of a Go runtime's own that no table lists, found by what leads to it: the chunks out of which it hands out
// what it never frees, the arenas of mark bits, the table of the memory profile.
//
// The first word of a chunk (256 KiB) is the address of the one before it, the variable runtime.persistentChunks has
// the last one's. The second word of an arena of mark bits (64 KiB) is that of the next, the variable
// runtime.gcBitsArenas has four lists of them. Both are known by the spans: by where their structures lie, and where
// their mark bits are. runtime.buckhash leads to a table of pointers into chunks.
//
// Source: runtime/malloc.go (persistentalloc1), mheap.go (gcBitsArena, newArenaMayUnlock), mprof.go (stkbucket),
// Go 1.16 to 1.27.
#pragma once

#include "golang/image/go_image.h"

#include <span>
#include <vector>

namespace inspect {

/// Empty where they are not found. `inside` are addresses that lie in some of them.
std::vector<RunRange> find_persistent_chunks(const GoImage &image, std::span<const RunAddress> inside,
                                             const MemoryView &memory);

/// `marks` are the addresses of the mark bits of some spans; those that lie elsewhere do no harm.
std::vector<RunRange> find_mark_bits(const GoImage &image, std::vector<RunAddress> marks, const MemoryView &memory);

/// Empty (begin == end) where there is none: it is made with the first sample.
RunRange find_profile_table(const GoImage &image, std::span<const RunRange> chunks, const MemoryView &memory);

} // namespace inspect
