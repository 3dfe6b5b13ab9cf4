// runtime.MemStats from a copy of the structures that it is made of.
//
// Source: runtime/mstats.go, readmemstats_m (with updatememstats until Go 1.18), and proc.go, gcount, Go 1.16 to 1.27.
#pragma once

#include "golang/memstats/go_memory_reader.h"
#include "golang/memstats/memory_copy.h"

namespace inspect {

/// The runtime counts the heap's bytes twice. Where a thread was stopped between the two (it may be in the middle of
/// mmap(2) there), they are apart by what it was at: then the sums are taken that are changed together, and a warning
/// says how far apart they are. corrupt: they are further apart than the heap grows at once, or other figures
/// contradict each other.
Result<GoMemoryStatistics> memory_statistics(const MemoryLayout &layout, const MemoryCopy &copy,
                                             std::vector<std::string> &warnings);

} // namespace inspect
