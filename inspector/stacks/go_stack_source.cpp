#include "inspector/stacks/go_stack_source.h"

#include "golang/goroutines/live_stacks.h"

#include <algorithm>
#include <iterator>

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

void JoinedStackSource::prepare() {
  for (const auto &one : all_)
    one->prepare();
}

std::vector<RunRange> JoinedStackSource::stacks(std::span<const RunAddress> stack_pointers) {
  std::vector<RunRange> joined;
  for (const auto &one : all_)
    joined = join_stacks(std::move(joined), one->stacks(stack_pointers));
  return joined;
}

std::uint64_t JoinedStackSource::expected_bytes() const {
  std::uint64_t bytes = 0;
  for (const auto &one : all_)
    bytes += one->expected_bytes();
  return bytes;
}

std::vector<RunAddress> JoinedStackSource::further_stack_pointers() const {
  std::vector<RunAddress> further;
  for (const auto &one : all_)
    std::ranges::copy(one->further_stack_pointers(), std::back_inserter(further));
  return further;
}

void JoinedStackSource::list() {
  for (const auto &one : all_)
    one->list();
}

std::optional<RunRange> JoinedStackSource::stack_at(RunAddress stack_pointer) const {
  for (const auto &one : all_)
    if (const auto stack = one->stack_at(stack_pointer))
      return stack;
  return std::nullopt;
}

std::vector<SnapshotMemory::Range> JoinedStackSource::copy_running(std::span<const Held> held,
                                                                   std::uint64_t limit_bytes, const Room &room) {
  std::vector<SnapshotMemory::Range> ranges;
  for (const auto &one : all_) {
    for (SnapshotMemory::Range &range : one->copy_running(held, limit_bytes, room)) {
      limit_bytes -= std::min(limit_bytes, range.range.size());
      ranges.push_back(range);
    }
  }
  std::ranges::sort(ranges, {}, [](const SnapshotMemory::Range &one) { return one.range.begin; });
  return ranges;
}

} // namespace inspect
