// The runtime's list of Ms, its view of threads: each with its system stack's and its signal stack's bounds.
//
// Source: runtime/runtime2.go, type m, and runtime/proc.go, allm (linked by alllink), Go 1.16 to 1.27.
#pragma once

#include "golang/runtime/goroutine.h"
#include "golang/runtime/runtime_layout.h"
#include "machine/memory_view.h"

#include <span>
#include <vector>

namespace inspect {

struct MList {
  std::vector<GoM> runtime_ms;
  std::size_t unreadable = 0; ///< an M that could not be read ends the list
  bool endless = false;       ///< the list leads back into itself, or is too long to be one
};

/// `head` is the address of the variable runtime.allm; 0: not known. `known` are Ms that goroutines point to: the list
/// is followed from them, too.
MList read_ms(const RuntimeLayout &layout, const MemoryView &memory, RunAddress head,
              std::span<const RunAddress> known);

} // namespace inspect
