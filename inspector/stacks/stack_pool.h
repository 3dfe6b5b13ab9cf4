// Keeps one reported stack for all goroutines whose frames have the same pcs: naming a stack costs far more than
// walking it, and a leak of a million goroutines has one.
#pragma once

#include "inspector/stacks/frame_namer.h"
#include "inspector/stacks/goroutine_report.h"

#include <unordered_map>
#include <vector>

namespace inspect {

class StackPool {
public:
  /// What is in `stacks` already stays, and is not compared with.
  StackPool(FrameNamer &namer, std::vector<GoroutineStack> &stacks)
      : namer_(namer), stacks_(stacks), first_(static_cast<std::uint32_t>(stacks.size())) {}

  /// The index of the stack in `stacks`, which grows by one where it is new.
  std::uint32_t number_of(const Stack &stack);

private:
  bool is_same(std::uint32_t number, const Stack &stack) const;
  /// What tells stacks apart beside their pcs.
  struct Key {
    std::vector<RunAddress> lookups;
    StackEnd end;
    RunAddress at;
    std::size_t elided = 0;
  };
  FrameNamer &namer_;
  std::vector<GoroutineStack> &stacks_;
  std::uint32_t first_;
  std::vector<Key> keys_; ///< of each in `stacks` from `first_` on
  std::unordered_multimap<std::uint64_t, std::uint32_t> numbers_;
};

} // namespace inspect
