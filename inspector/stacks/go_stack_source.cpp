#include "inspector/stacks/go_stack_source.h"

namespace inspect {

std::vector<SnapshotMemory::Range> GoStackSource::copy_running(std::span<const Held> held, std::uint64_t limit_bytes,
                                                               const Room &room) {
  if (!prepared_)
    return {};
  std::vector<HeldStack> held_stacks;
  held_stacks.reserve(held.size());
  for (const Held &one : held)
    held_stacks.push_back({one.range, one.slept_since_list});
  std::vector<SnapshotMemory::Range> ranges;
  for (const UnstoppedStack &one : copy_.copy_running(held_stacks, limit_bytes, room))
    ranges.push_back({one.range, one.bytes});
  return ranges;
}

} // namespace inspect
