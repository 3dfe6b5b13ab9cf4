// The calls that a goroutine has deferred and not yet made, newest first: those on the runtime's list, and the
// open-coded ones, which the compiler keeps in the frame of the function itself (a byte of bits, and slots).
//
// Source: runtime/panic.go: addOneOpenDeferFrame and runOpenDeferFrame (to Go 1.21), initOpenCodedDefers (since 1.22);
// runtime/runtime2.go, type _defer.
#pragma once

#include "golang/runtime/go_runtime.h"

#include <cstddef>
#include <span>
#include <string>
#include <vector>

namespace inspect {

struct GoDeferredCall {
  RunAddress function; ///< entry of what will be called
  RunAddress
      deferred_at;       ///< return address of the defer statement; 0 for open-coded ones: only their function is known
  std::size_t frame = 0; ///< index of the frame that will make the call
  bool open_coded = false;
};

/// A frame of the goroutine's walk: physical, innermost first.
struct GoPhysicalFrame {
  RunAddress pc; ///< to look up: of a return address minus one byte
  RunAddress cfa;
};

/// What memory does not give is left out, and said in `warnings`.
std::vector<GoDeferredCall> deferred_calls(const GoRuntime &runtime, const MemoryView &memory, RunAddress first_defer,
                                           std::span<const GoPhysicalFrame> frames, std::vector<std::string> &warnings);

} // namespace inspect
