// Finds the runtime's lists in a binary without symbols: the variables runtime.allgs and runtime.allm are somewhere in
// the data that moduledata names, and what they point to tells them from everything else.
#pragma once

#include "golang/runtime/layout_check.h"

namespace inspect {

/// Some hundreds of the goroutines of the list whose slice header lies there, spread over it; empty where no list can
/// be there.
std::vector<RunAddress> sample_goroutines(RunAddress slice_header, const MemoryView &memory);

struct FoundGoroutineList {
  RunAddress header; ///< of the slice
  /// A second variable points to its elements, as runtime.allgptr does.
  bool mirrored = false;
  LayoutCheck check;
};

/// Slices of pointers to goroutines that are plausible with this layout, best first. There is none in an image without
/// a runtime, and one in others; but while Go 1.26 collects garbage, it keeps a copy of the slice, or of what it points
/// to, in a structure (runtime/mgc.go, work.stackRoots).
std::vector<FoundGoroutineList> search_goroutine_list(const GoImage &image, const RuntimeLayout &layout,
                                                      const std::vector<GoImage> &images, const MemoryView &memory);

/// Where the variable runtime.allm lies: the pointer to an M that the code of runtime.mcommoninit names, or, where that
/// function's name was changed, the one in the image's data from which most Ms are reached. 0: not found.
RunAddress search_m_list(const GoImage &image, const RuntimeLayout &layout, const std::vector<GoImage> &images,
                         const MemoryView &memory);

} // namespace inspect
