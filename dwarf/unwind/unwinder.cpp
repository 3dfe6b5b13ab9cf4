#include "dwarf/unwind/unwinder.h"

#include "dwarf/cfi/x86_64/abi.h"
#include "dwarf/unwind/code_lookup.h"
#include "dwarf/unwind/elision.h"
#include "dwarf/unwind/stack_progress.h"
#include "dwarf/unwind/unwind_extension.h"
#include "dwarf/unwind/unwind_step.h"
#include "dwarf/unwind/x86_64/heuristic_unwinder.h"
#include "dwarf/unwind/x86_64/signal_trampoline.h"

#include <fmt/format.h>
#include <utility>

namespace inspect {
namespace {

/// How often the walk looks whether it is to stop.
constexpr std::size_t frames_between_cancellation_checks = 1024;

/// How many steps in a row may find their return addresses elsewhere than in the frames they leave. Sound code needs
/// one (a function that keeps it in a register, a rule that leads to another stack), outlined code two or three.
constexpr unsigned max_steps_without_stack = 8;

/// A signal frame's rule finds the pc in the ucontext that the kernel put at the stack pointer, in its first words: the
/// state of vector registers, which may be large, comes behind it (arch/x86/include/uapi/asm/sigcontext.h).
constexpr std::uint64_t max_signal_context = 4096;

class Walk {
public:
  Walk(const RegisterSet &registers, const MemoryView &memory, ModuleMap &modules, const UnwindLimits &limits)
      : memory_(memory), limits_(limits), code_(modules, memory), heuristics_(code_, memory),
        progress_(RunAddress{registers.get(x86_64::rsp).value_or(0)}) {
    callers_[0].registers = registers;
  }

  Stack run();

private:
  const RegisterSet &registers() const { return callers_[current_].registers; }
  Caller &next() { return callers_[1 - current_]; }

  bool step();
  bool step_by_extension(const UnwindExtension::Step &found);
  bool step_by_row(const CodePlace &place);
  std::string why_endless(const CfiRow &row);
  bool step_over_signal();
  bool step_by_heuristics(const CodePlace &place);
  bool accept(RunAddress pc, FrameOrigin origin);
  bool accept(RunAddress pc, FrameOrigin origin, StackProgress::Step kind);
  void add_frame(RunAddress pc, FrameOrigin origin);
  /// Always false, so that a step can end with it.
  bool end(StackEnd why, RunAddress at, std::string reason);

  const MemoryView &memory_;
  const UnwindLimits &limits_;
  CodeLookup code_;
  x86_64::HeuristicUnwinder heuristics_;
  StackProgress progress_;
  Caller callers_[2]; ///< the registers of the last frame, and room for its caller's
  unsigned current_ = 0;
  unsigned steps_without_stack_ = 0; ///< in a row
  Stack stack_;
};

Stack Walk::run() {
  const auto pc = registers().get(x86_64::return_address);
  if (!pc || !registers().knows(x86_64::rsp)) {
    end(StackEnd::bad_rule, {}, "the thread's pc or stack pointer is not known");
    return std::move(stack_);
  }
  add_frame(RunAddress{*pc}, FrameOrigin::registers);
  stack_.frames.back().pc_is_return_address = limits_.starts_at_return_address;
  for (std::size_t steps = 1; step(); ++steps) {
    const bool look = steps % frames_between_cancellation_checks == 0;
    if (look && limits_.cancellation != nullptr && limits_.cancellation->requested()) {
      end(StackEnd::cancelled, stack_.frames.back().pc, "cancelled");
      break;
    }
  }
  finish_elision(stack_, limits_);
  return std::move(stack_);
}

void Walk::add_frame(RunAddress pc, FrameOrigin origin) {
  Frame &frame = stack_.frames.emplace_back();
  frame.pc = pc;
  frame.origin = origin;
  frame.pc_is_return_address = origin != FrameOrigin::registers && origin != FrameOrigin::signal_frame;
  if (limits_.keep_registers)
    frame.registers = std::make_shared<const RegisterSet>(registers());
}

bool Walk::end(StackEnd why, RunAddress at, std::string reason) {
  stack_.end = why;
  stack_.at = at;
  stack_.end_reason = std::move(reason);
  return false;
}

/// Makes `next()` the last frame.
bool Walk::accept(RunAddress pc, FrameOrigin origin) {
  const auto kind = origin == FrameOrigin::signal_frame      ? StackProgress::Step::signal_frame
                    : origin == FrameOrigin::call_frame_info ? StackProgress::Step::rule
                                                             : StackProgress::Step::guess;
  return accept(pc, origin, kind);
}

bool Walk::accept(RunAddress pc, FrameOrigin origin, StackProgress::Step kind) {
  const bool over_signal = origin == FrameOrigin::signal_frame;
  // A thread's first function finds a 0 where its return address would be; but a call to 0 may end in a signal.
  if (pc.value == 0 && !over_signal)
    return end(StackEnd::complete, {}, {});
  const auto stack_pointer = next().registers.get(x86_64::rsp);
  if (!stack_pointer)
    return end(StackEnd::bad_rule, stack_.frames.back().pc, "the rule leaves no stack pointer");
  if (!progress_.advance(RunAddress{*stack_pointer}, kind))
    return end(StackEnd::no_progress, stack_.frames.back().pc,
               fmt::format("the caller's stack pointer, {:#x}, is not above its callee's", *stack_pointer));
  if (!make_room_for_frame(stack_, limits_))
    return end(StackEnd::depth_limit, pc, fmt::format("more than {} frames", limits_.max_frames));
  current_ = 1 - current_;
  callers_[current_].registers.set(x86_64::return_address, pc.value);
  add_frame(pc, origin);
  return true;
}

bool Walk::step() {
  Frame &frame = stack_.frames.back();
  if (limits_.extension != nullptr)
    if (const auto found = limits_.extension->step(frame, registers(), memory_))
      return step_by_extension(*found);
  const CodePlace place = code_.at(frame.pc, !frame.pc_is_return_address);
  if (place.starts_here)
    frame.pc_is_return_address = false;
  if (place.trampoline)
    return step_over_signal();
  return place.row != nullptr ? step_by_row(place) : step_by_heuristics(place);
}

bool Walk::step_by_extension(const UnwindExtension::Step &found) {
  if (std::holds_alternative<UnwindExtension::Outermost>(found))
    return end(StackEnd::complete, {}, {});
  if (const auto *failure = std::get_if<StepFailure>(&found))
    return end(failure->end, failure->at, failure->reason);
  const auto &caller = std::get<UnwindExtension::ToCaller>(found);
  next() = caller.caller;
  stack_.frames.back().cfa = next().cfa;
  if (!next().pc)
    return end(StackEnd::complete, {}, {});
  const auto kind = caller.switches_stack ? StackProgress::Step::signal_frame : StackProgress::Step::rule;
  if (!accept(*next().pc, caller.origin, kind))
    return false;
  stack_.frames.back().pc_is_return_address = !caller.exact_pc;
  return true;
}

bool Walk::step_by_row(const CodePlace &place) {
  auto failure = apply_row(*place.row, place.bias, registers(), memory_, next());
  Frame &frame = stack_.frames.back();
  frame.cfa = next().cfa;
  if (failure)
    return end(failure->end, failure->end == StackEnd::bad_rule ? frame.pc : failure->at, std::move(failure->reason));
  // A function that is entered by a return which nobody called for has a caller only if the stack says so plausibly:
  // makecontext(3) leaves none to its last one (test: "A coroutine's stack ends where makecontext(3) began it").
  const bool made_by_hand = place.starts_here && !place.row->signal_frame;
  if (!next().pc || (made_by_hand && !code_.may_be_return_address(*next().pc)))
    return end(StackEnd::complete, {}, {});
  if (std::string why = why_endless(*place.row); !why.empty())
    return end(StackEnd::no_progress, frame.pc, std::move(why));
  return accept(*next().pc, place.row->signal_frame ? FrameOrigin::signal_frame : FrameOrigin::call_frame_info);
}

/// A step consumes a piece of the stack when the return address is in the frame that it leaves, and a stack has an end.
/// Rules that take it from elsewhere may go on for ever, however the stack pointer climbs: few such steps are allowed
/// in a row, none from a frame to itself, and none to a stack pointer below which there is no memory.
std::string Walk::why_endless(const CfiRow &row) {
  const RunAddress saved_at = next().pc_saved_at;
  const std::uint64_t callee = registers().get(x86_64::rsp).value_or(0);
  const std::uint64_t caller = next().registers.get(x86_64::rsp).value_or(0);
  const bool inside = saved_at.value >= callee &&
                      (saved_at.value < caller || (row.signal_frame && saved_at.value - callee < max_signal_context));
  if (saved_at.value != 0 && inside) {
    steps_without_stack_ = 0;
    return {};
  }
  if (saved_at.value == 0 && *next().pc == stack_.frames.back().pc)
    return "the rule reads no memory and makes the frame its own caller";
  if (++steps_without_stack_ > max_steps_without_stack)
    return fmt::format("{} frames in a row have no return address on the stack", max_steps_without_stack);
  if (caller != callee && !read_word(memory_, RunAddress{caller - sizeof(std::uint64_t)}))
    return fmt::format("the caller's stack pointer, {:#x}, is outside of the stack", caller);
  return {};
}

bool Walk::step_over_signal() {
  const auto interrupted = x86_64::interrupted_registers(memory_, registers());
  if (!interrupted)
    return end(StackEnd::unreadable_memory, RunAddress{registers().get(x86_64::rsp).value_or(0)},
               interrupted.error().message());
  next().registers = *interrupted;
  stack_.frames.back().cfa = RunAddress{interrupted->get(x86_64::rsp).value_or(0)};
  return accept(RunAddress{interrupted->get(x86_64::return_address).value_or(0)}, FrameOrigin::signal_frame);
}

bool Walk::step_by_heuristics(const CodePlace &place) {
  Frame &frame = stack_.frames.back();
  const bool exact = !frame.pc_is_return_address;
  if (!exact && code_.is_outermost(place, frame.pc))
    return end(StackEnd::complete, {}, {});
  // What a runtime's exact tables lead to is code that is mapped; else the stack is damaged, and a guess would hide it.
  if (place.module == nullptr && frame.origin == FrameOrigin::runtime_table)
    return end(StackEnd::no_unwind_rule, frame.pc, "the return address is in no module");
  const auto caller = heuristics_.caller(registers(), place, frame.pc, exact, next().registers);
  if (!caller)
    return end(StackEnd::no_unwind_rule, frame.pc,
               place.module == nullptr ? "the pc is in no module, and the stack holds no plausible return address"
                                       : "no unwind table covers the pc, and the stack holds no plausible caller");
  frame.cfa = caller->cfa;
  return accept(caller->return_address, caller->origin);
}

} // namespace

Stack unwind(const RegisterSet &registers, const MemoryView &memory, ModuleMap &modules, const UnwindLimits &limits) {
  return Walk(registers, memory, modules, limits).run();
}

} // namespace inspect
