// Where the variables lie that a Go runtime keeps its memory statistics in: mheap_, memstats, gcController, sched,
// allp.
//
// By symbol where there is one. A stripped program has none, but what is in the variables tells them from everything
// else: mheap_ has an allocator for spans whose argument is the address of mheap_ itself, and whose counter lies in
// memstats; gcController has a GOGC and the least heap that follows from it; sched counts the Ms and has the list of
// idle Ps; allp leads to Ps that are numbered in its order. What was found by symbol is held to the same.
//
// Sources: runtime/mheap.go (mheap.init), mfixalloc.go (init), mgcpacer.go (setGCPercent; mgc.go in 1.16), proc.go
// (procresize, mcount, pidleput), Go 1.16 to 1.27.
#pragma once

#include "golang/memstats/memory_layout.h"
#include "golang/runtime/go_runtime.h"

#include <string>
#include <vector>

namespace inspect {

/// Addresses of variables; 0: not found. Without mheap_, memstats and allp there are no statistics.
struct MemoryVariables {
  const MemoryLayout *layout = nullptr; ///< that fits them; static
  const GoImage *image = nullptr;       ///< that they are in; owned by the runtime
  RunAddress heap;
  RunAddress stats;
  RunAddress controller;
  RunAddress scheduler;
  RunAddress processors; ///< the slice header
  RunAddress goroutines; ///< the slice header runtime.allgs
  RunAddress gc_percent; ///< a variable of its own in Go 1.16
  std::vector<std::string> warnings;
};

/// unsupported: no known layout fits what is in memory. not_found: there are no symbols, and nothing in the data is
/// such a variable. Runs while the process does, and takes several looks where things move.
Result<MemoryVariables> find_memory_variables(GoRuntime &runtime, const MemoryView &memory);

} // namespace inspect
