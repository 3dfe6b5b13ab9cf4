#include "golang/unwind/go_unwind.h"

#include "golang/unwind/frame_rules.h"
#include "golang/unwind/x86_64/stack_switches.h"
#include "machine/x86_64/registers.h"

namespace inspect {
namespace {

/// A signal handler that is about to inject a call has pushed the interrupted pc, and the new pc is not set yet
/// (runtime/signal_amd64.go, pushCall): then the word at the stack pointer does not belong to the frame.
bool call_half_injected(const Frame &frame, RunAddress sp, const MemoryView &memory) {
  if (frame.origin != FrameOrigin::signal_frame)
    return false;
  const auto pushed = read_word(memory, sp);
  return pushed && *pushed == frame.pc.value;
}

} // namespace

struct GoUnwind::State {
  explicit State(const GoRuntime &runtime) : rules(runtime), switches(runtime) {}

  GoFrameRules rules;
  x86_64::StackSwitches switches;
  bool innermost = true; ///< the next frame is the first of its walk
};

GoUnwind::GoUnwind(const GoRuntime &runtime) : state_(std::make_unique<State>(runtime)) {}
GoUnwind::~GoUnwind() = default;

void GoUnwind::begin(GoWalkContext context) {
  state_->switches.begin(context);
  state_->innermost = true;
}

std::optional<UnwindExtension::Step> GoUnwind::step(Frame &frame, const RegisterSet &registers,
                                                    const MemoryView &memory) {
  const bool innermost = std::exchange(state_->innermost, false);
  const GoFrameRule &rule = state_->rules.at(frame.pc, !frame.pc_is_return_address, memory);
  if (rule.way == GoFrameWay::not_go)
    return std::nullopt;
  if (rule.at_entry)
    frame.pc_is_return_address = false;
  if (rule.way == GoFrameWay::outermost)
    return Outermost{};
  const auto sp = registers.get(x86_64::rsp);
  if (!sp)
    return StepFailure{StackEnd::bad_rule, frame.pc, "the stack pointer is not known"};
  const RunAddress top = call_half_injected(frame, {*sp}, memory) ? RunAddress{*sp + 8} : RunAddress{*sp};
  const x86_64::GoCallee callee{rule, !frame.pc_is_return_address, top, registers, memory};
  if (rule.way == GoFrameWay::plain)
    return x86_64::go_caller(callee, callee.sp + static_cast<std::uint64_t>(rule.cfa_offset));
  Step step = state_->switches.step(callee, innermost);
  if (auto *failure = std::get_if<StepFailure>(&step); failure != nullptr && failure->at.value == 0)
    failure->at = frame.pc;
  return step;
}

ParkedPlace parked_place(const Goroutine &goroutine) {
  // As runtime/traceback.go (initAt) does: in a system call sched may be older.
  if (goroutine.syscall_sp.value != 0)
    return {goroutine.syscall_pc, goroutine.syscall_sp, goroutine.syscall_bp};
  return {goroutine.pc, goroutine.sp, goroutine.bp};
}

RegisterSet parked_registers(const Goroutine &goroutine) {
  const ParkedPlace place = parked_place(goroutine);
  RegisterSet registers;
  registers.set(x86_64::return_address, place.pc.value);
  registers.set(x86_64::rsp, place.sp.value);
  if (place.bp.value != 0)
    registers.set(x86_64::rbp, place.bp.value);
  return registers;
}

} // namespace inspect
