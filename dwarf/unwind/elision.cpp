#include "dwarf/unwind/elision.h"

namespace inspect {
namespace {

void drop_until(Stack &stack, std::size_t first, std::size_t kept) {
  const std::size_t dropped = stack.frames.size() - first - kept;
  const auto begin = stack.frames.begin() + static_cast<std::ptrdiff_t>(first);
  stack.frames.erase(begin, begin + static_cast<std::ptrdiff_t>(dropped));
  stack.elided += dropped;
  stack.elided_at = first;
}

} // namespace

bool make_room_for_frame(Stack &stack, const UnwindLimits &limits) {
  constexpr std::size_t dropped_together = 4096;
  if (stack.frames.size() < limits.max_frames)
    return true;
  if (limits.outermost_frames == 0 || stack.elided >= limits.max_elided)
    return false;
  if (stack.frames.size() >= limits.max_frames + limits.outermost_frames + dropped_together)
    drop_until(stack, limits.max_frames, limits.outermost_frames);
  return true;
}

void finish_elision(Stack &stack, const UnwindLimits &limits) {
  if (stack.frames.size() <= limits.max_frames)
    return;
  const bool given_up = stack.end == StackEnd::depth_limit || stack.end == StackEnd::cancelled;
  if (given_up) {
    stack.frames.resize(limits.max_frames);
    stack.elided = stack.elided_at = 0;
  } else if (stack.elided > 0 || stack.frames.size() > limits.max_frames + limits.outermost_frames) {
    drop_until(stack, limits.max_frames, limits.outermost_frames);
  }
}

} // namespace inspect
