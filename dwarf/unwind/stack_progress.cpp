#include "dwarf/unwind/stack_progress.h"

#include <algorithm>

namespace inspect {
namespace {

/// More stacks than any sound chain of handlers, coroutines and calls between Go and C crosses.
constexpr std::size_t max_stacks = 256;
/// A rule that goes down by less than a page is taken for a damaged frame, not for a switch to another stack.
constexpr std::uint64_t least_distance = 4096;
/// A function that holds its return address in a register (vfork in glibc) has a frame of no bytes.
constexpr unsigned max_stays = 2;

} // namespace

bool StackProgress::visited(RunAddress address) const {
  return std::ranges::any_of(left_, [&](const Extent &extent) { return extent.contains(address); });
}

bool StackProgress::leave_for(RunAddress stack_pointer) {
  if (left_.size() == max_stacks)
    return false;
  left_.push_back(current_);
  current_ = {stack_pointer, stack_pointer};
  stays_ = 0;
  return true;
}

bool StackProgress::advance(RunAddress stack_pointer, Step step) {
  if (stack_pointer == current_.highest)
    return step != Step::guess && ++stays_ <= max_stays;
  if (visited(stack_pointer))
    return false;
  if (stack_pointer > current_.highest) {
    // Behind a signal frame may be another stack: what lies between the two must not count as walked.
    if (step == Step::signal_frame && left_.size() < max_stacks)
      return leave_for(stack_pointer);
    current_.highest = stack_pointer;
    stays_ = 0;
    return true;
  }
  if (current_.contains(stack_pointer))
    return false;
  const bool far_away = current_.lowest - stack_pointer >= least_distance;
  return (step == Step::signal_frame || (step == Step::rule && far_away)) && leave_for(stack_pointer);
}

} // namespace inspect
