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
  StackPool(FrameNamer &namer, std::vector<GoroutineStack> &stacks) : namer_(namer), stacks_(stacks) {}

  /// The index of the stack in `stacks`, which grows by one where it is new.
  std::uint32_t number_of(const Stack &stack);

private:
  bool is_same(std::uint32_t number, const Stack &stack) const;
  /// What tells stacks apart beside their pcs.
  struct Key {
    std::vector<RunAddress> lookups;
    StackEnd end;
    RunAddress at;
  };
  FrameNamer &namer_;
  std::vector<GoroutineStack> &stacks_;
  std::vector<Key> keys_; ///< of each in `stacks`
  std::unordered_multimap<std::uint64_t, std::uint32_t> numbers_;
};

} // namespace inspect
