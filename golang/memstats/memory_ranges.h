// Which address ranges a Go runtime uses, and what for: the arenas of its heap, the spans in them that are goroutine
// stacks, and its tables outside.
//
// A span that the runtime manages by hand has an element size if it is for stacks, and none if it is for anything else
// (buffers of the collector, bits of types): mspan.init clears it, and only stackalloc and stackpoolalloc set it.
//
// Sources: runtime/mheap.go (arenas, allspans, mspan.init), stack.go (stackalloc, stackpoolalloc), malloc.go
// (persistentChunks, arenaBaseOffset), mpagealloc.go, mpagealloc_64bit.go, mgcscavenge.go (scavengeIndex), Go 1.16 to
// 1.27.
#pragma once

#include "golang/memstats/go_memory_reader.h"
#include "golang/memstats/memory_variables.h"

#include <string>
#include <vector>

namespace inspect {

/// Sorted by use and address; those of one use do not overlap. The process may run: what changes meanwhile may be
/// missing. unreadable: the heap's variable cannot be read.
Result<std::vector<GoMemoryRange>> read_memory_ranges(const MemoryVariables &variables, const MemoryView &memory);

} // namespace inspect
