// Guards a stack walk against corrupt or hostile stacks: every step must leave the stack pointer higher than before.
//
// Two things may lower it on sound stacks. A signal handler on an alternate stack interrupts code on any other; and
// code that switches stacks (coroutines, split stacks) can have exact rules that lead from one stack to another. Either
// must arrive where the walk has not been yet, and may happen a bounded number of times, so that no walk goes in
// circles and each one ends.
#pragma once

#include "machine/address.h"

#include <vector>

namespace inspect {

class StackProgress {
public:
  enum class Step : std::uint8_t {
    guess,        ///< must go up
    rule,         ///< up; or down to another stack
    signal_frame, ///< to anywhere
  };

  /// A walk that starts with this stack pointer.
  explicit StackProgress(RunAddress stack_pointer) : current_{stack_pointer, stack_pointer} {}

  /// Whether it is progress to go on with this stack pointer; if not, the walk is to end.
  bool advance(RunAddress stack_pointer, Step step);

private:
  struct Extent {
    RunAddress lowest;
    RunAddress highest;
    bool contains(RunAddress address) const { return lowest <= address && address <= highest; }
  };
  bool visited(RunAddress address) const;
  bool leave_for(RunAddress stack_pointer);

  Extent current_;
  std::vector<Extent> left_; ///< the stacks walked before the current one
  unsigned stays_ = 0;       ///< steps in a row that did not move the stack pointer
};

} // namespace inspect
