// The chunks of memory out of which a Go runtime hands out what it never frees: spans, caches, tables. Each is 256 KiB
// and begins with the address of the one before it; the variable runtime.persistentChunks has the last one's.
//
// It is found by its symbol, or by what it leads to: chunks in which the structures of known spans lie.
//
// Source: runtime/malloc.go, persistentalloc1 and inPersistentAlloc, Go 1.16 to 1.26.
#pragma once

#include "golang/go_image.h"

#include <span>
#include <vector>

namespace inspect {

/// Empty where they are not found. `inside` are addresses that lie in some of them.
std::vector<RunRange> find_persistent_chunks(const GoImage &image, std::span<const RunAddress> inside,
                                             const MemoryView &memory);

} // namespace inspect
