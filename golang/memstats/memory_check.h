// Whether there is one of the runtime's memory variables at an address: what is in it must be plausible with a layout,
// and with the other variables. Layouts of neighbouring versions differ in the sizes and places that are looked at
// here.
//
// Sources: as in golang/memstats/memory_variables.h.
#pragma once

#include "golang/image/go_image.h"
#include "golang/memstats/heap_totals.h"
#include "golang/memstats/memory_layout.h"

#include <string>

namespace inspect {

/// What the scheduler must know, counted elsewhere. The process goes on meanwhile: the numbers are of about the same
/// instant.
struct SchedulerWitness {
  std::uint64_t goroutines = 0; ///< in the list of all
  std::uint64_t runtime_ms = 0; ///< in the list of all; 0: not known
  std::vector<std::uint64_t> processors;
};

class MemoryCheck {
public:
  /// All must outlive the object.
  MemoryCheck(const MemoryLayout &layout, const GoImage &image, const MemoryView &memory)
      : layout_(layout), image_(image), memory_(memory) {}

  /// What speaks against a mheap there; empty: nothing.
  std::string problem_of_heap(RunAddress heap) const;
  /// memstats, which that heap's allocators count in.
  RunAddress stats_of(RunAddress heap) const;
  /// Nothing where it cannot be read.
  std::optional<HeapTotals> totals_of(RunAddress stats) const;
  bool is_controller(RunAddress controller, const HeapTotals &totals) const;
  /// 0: there is none; else how much speaks for one. Small numbers that are counters of something else get little.
  int likeness_of_scheduler(RunAddress scheduler, const SchedulerWitness &witness) const;
  /// The elements of the slice allp whose header lies there; empty where none can be there.
  std::vector<std::uint64_t> processors_of(RunAddress header) const;

private:
  bool in_data(RunAddress address) const;
  bool is_cache(RunAddress cache) const;

  const MemoryLayout &layout_;
  const GoImage &image_;
  const MemoryView &memory_;
};

} // namespace inspect
