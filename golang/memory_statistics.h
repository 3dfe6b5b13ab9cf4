// runtime.MemStats from a copy of the structures that it is made of.
//
// Source: runtime/mstats.go, readmemstats_m (with updatememstats until Go 1.18), and proc.go, gcount, Go 1.16 to 1.26.
#pragma once

#include "golang/go_memory_books.h"
#include "golang/memory_copy.h"

namespace inspect {

/// corrupt: figures contradict each other. Seldom the reason is a thread that was stopped between two of its counters;
/// then another copy is sound.
Result<GoMemoryStatistics> memory_statistics(const MemoryLayout &layout, const MemoryCopy &copy);

} // namespace inspect
