// A copy of the structures that a Go runtime keeps its memory statistics in, taken in five calls for reading: the
// variables; the list of Ps; the Ps; their caches; the spans in the caches. Nothing is decoded meanwhile, for the
// target is stopped.
#pragma once

#include "golang/memstats/memory_variables.h"

#include <optional>
#include <vector>

namespace inspect {

struct CopiedSpan {
  std::size_t class_index = 0; ///< its place in mcache.alloc: twice the size class, plus one where it has no pointers
  std::vector<std::byte> bytes;
};

struct CopiedProcessor {
  std::vector<std::byte> bytes; ///< of the p, up to the last field that is needed
  std::vector<std::byte> cache; ///< empty: it has none
  std::vector<CopiedSpan> spans;
};

struct MemoryCopy {
  std::vector<std::byte> heap, stats;
  std::vector<std::byte> controller, scheduler; ///< empty: not found, or not readable
  std::optional<std::int32_t> gc_percent;       ///< the variable of Go 1.16
  std::optional<std::uint64_t> goroutines;      ///< how many the list of all has
  std::vector<CopiedProcessor> processors;
  std::size_t unreadable = 0; ///< Ps, caches and spans of which nothing was copied
};

/// unreadable: the heap's variable, memstats or the list of Ps cannot be read. corrupt: there are more Ps than any
/// machine has.
Result<MemoryCopy> copy_memory_structures(const MemoryVariables &variables, const MemoryView &memory);

} // namespace inspect
