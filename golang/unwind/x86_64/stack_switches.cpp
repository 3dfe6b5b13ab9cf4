#include "golang/unwind/x86_64/stack_switches.h"

#include "dwarf/unwind/x86_64/signal_trampoline.h"
#include "machine/x86_64/registers.h"

#include <array>
#include <fmt/format.h>

namespace inspect::x86_64 {
namespace {

using Step = UnwindExtension::Step;
using ToCaller = UnwindExtension::ToCaller;

constexpr std::uint64_t word = 8;
/// How far assembly on one stack moves the stack pointer to align it and to make room.
constexpr std::uint64_t max_move = 65536;
/// A frame pointer chain inside one frame: what the function was called with, what its prologue set up, what
/// PUSH_REGS_HOST_TO_ABI0 sets up.
constexpr int max_frame_pointers = 3;

/// crosscall2 keeps rbx, r12 … r15 above its 24 bytes of arguments: runtime/cgo/asm_amd64.s; 1.16 leaves a gap.
constexpr auto kept_by_crosscall2 = std::to_array<std::pair<Register, std::uint64_t>>(
    {{rbx, 0x18}, {r12, 0x20}, {r13, 0x28}, {r14, 0x30}, {r15, 0x38}});
constexpr auto kept_by_crosscall2_in_1_16 = std::to_array<std::pair<Register, std::uint64_t>>(
    {{rbx, 0x18}, {r12, 0x28}, {r13, 0x30}, {r14, 0x38}, {r15, 0x40}});

Step unreadable(RunAddress at, const Error &error) {
  return StepFailure{StackEnd::unreadable_memory, at, error.message()};
}

Step no_rule(std::string reason) {
  return StepFailure{StackEnd::no_unwind_rule, {}, std::move(reason)};
}

/// The caller's frame pointer. Go's functions keep it where C's do; a leaf without a frame leaves it in its register.
std::optional<std::uint64_t> callers_frame_pointer(const GoCallee &callee, RunAddress cfa, std::uint64_t kept) {
  const bool has_frame = cfa - callee.sp >= 2 * word;
  if (!callee.exact)
    return has_frame ? std::optional(kept) : std::nullopt;
  std::optional<std::uint64_t> pointer = callee.registers.get(rbp);
  for (int i = 0; pointer && i < max_frame_pointers; ++i) {
    if (*pointer < callee.sp.value || *pointer > cfa.value - 2 * word)
      return pointer;
    const auto next = read_word(callee.memory, RunAddress{*pointer});
    pointer = next ? std::optional(*next) : std::nullopt;
  }
  return std::nullopt;
}

} // namespace

Step go_caller(const GoCallee &callee, RunAddress cfa) {
  // In front of the slot with the return address is the one with the frame pointer, if it belongs to the frame.
  const bool both = cfa.value >= callee.sp.value + 2 * word;
  std::array<std::uint64_t, 2> words{};
  const auto wanted = std::as_writable_bytes(std::span(words)).subspan(both ? 0 : word);
  const RunAddress at = cfa - wanted.size();
  if (auto done = callee.memory.read(at, wanted); !done)
    return unreadable(at, done.error());
  // Go's stacks end in functions that are known to be outermost.
  if (words[1] == 0)
    return StepFailure{StackEnd::bad_rule, at, "the return address is 0"};
  ToCaller step;
  step.caller.cfa = cfa;
  step.caller.pc = RunAddress{words[1]};
  step.exact_pc = callee.rule.injects_call;
  RegisterSet &registers = step.caller.registers;
  registers.set(rsp, cfa.value);
  for (const Register number : {fs_base, gs_base})
    if (const auto value = callee.registers.get(number))
      registers.set(number, *value);
  if (callee.rule.frame_pointer)
    if (const auto pointer = callers_frame_pointer(callee, cfa, words[0]))
      registers.set(rbp, *pointer);
  return step;
}

namespace {

/// The caller is C code, which counts on the registers that it owns.
Step enter_from_c(const GoCallee &callee, GoVersion version) {
  const RunAddress cfa = callee.sp + static_cast<std::uint64_t>(callee.rule.cfa_offset);
  Step step = go_caller(callee, cfa);
  auto *caller = std::get_if<ToCaller>(&step);
  if (caller == nullptr)
    return step;
  RegisterSet &registers = caller->caller.registers;
  const auto &kept = version < GoVersion{1, 17} ? kept_by_crosscall2_in_1_16 : kept_by_crosscall2;
  for (const auto &[number, offset] : kept) {
    const auto value = callee.exact ? callee.registers.get(number) : std::nullopt;
    if (value)
      registers.set(number, *value); // it changes none of them by itself
    else if (!callee.exact)
      if (const auto read = read_word(callee.memory, callee.sp + offset))
        registers.set(number, *read);
  }
  std::uint64_t below = 0;
  if (const auto read = read_word(callee.memory, cfa - 2 * word))
    below = *read;
  if (const auto pointer = callers_frame_pointer(callee, cfa, below))
    registers.set(rbp, *pointer);
  return step;
}

Step leave_signal(const GoCallee &callee) {
  const auto interrupted = interrupted_registers(callee.memory, callee.registers);
  if (!interrupted)
    return unreadable(callee.sp, interrupted.error());
  ToCaller step;
  step.caller.registers = *interrupted;
  step.caller.cfa = RunAddress{interrupted->get(rsp).value_or(0)};
  step.caller.pc = RunAddress{interrupted->get(return_address).value_or(0)};
  step.switches_stack = true;
  step.exact_pc = true;
  step.origin = FrameOrigin::signal_frame;
  return step;
}

} // namespace

void StackSwitches::begin(GoWalkContext context) {
  context_ = context;
  system_sp_ = context.runtime_m != nullptr ? context.runtime_m->g0_sp : RunAddress{};
}

Step StackSwitches::step(const GoCallee &callee, bool innermost) {
  switch (callee.rule.way) {
  case GoFrameWay::system_stack:
    return leave_system_stack(callee);
  case GoFrameWay::switch_call:
    return leave_switch(callee);
  case GoFrameWay::resume:
    return leave_resume(callee);
  case GoFrameWay::call_c:
  case GoFrameWay::call_c_no_g:
    return leave_c(callee);
  case GoFrameWay::callback:
    return leave_callback(callee);
  case GoFrameWay::enter_from_c:
    return enter_from_c(callee, runtime_.version());
  case GoFrameWay::signal_return:
    return leave_signal(callee);
  case GoFrameWay::new_thread:
    return leave_new_thread(callee);
  case GoFrameWay::crash_stack:
    return no_rule("the runtime left the stack for the one it crashes on");
  case GoFrameWay::saved_sp:
    return leave_saved(callee);
  case GoFrameWay::moved_sp:
    return leave_moved(callee, innermost);
  case GoFrameWay::not_go:
  case GoFrameWay::plain:
  case GoFrameWay::outermost:
    break;
  }
  return from_base(callee, callee.sp, callee.rule.cfa_offset);
}

bool StackSwitches::on_goroutine(RunAddress sp) const {
  return context_.goroutine != nullptr && context_.goroutine->stack.contains(sp);
}

bool StackSwitches::goroutine_saved() const {
  const Goroutine *goroutine = context_.goroutine;
  const GoM *runtime_m = context_.runtime_m;
  return goroutine != nullptr && runtime_m != nullptr && runtime_m->current_g == goroutine->address &&
         goroutine->m == runtime_m->address && on_goroutine(goroutine->sp);
}

/// Whether the frame with this CFA could be: its return address is in Go's text.
bool StackSwitches::returns_to_go(const GoCallee &callee, RunAddress cfa) const {
  const auto pc = read_word(callee.memory, cfa - word);
  return pc && *pc != 0 && runtime_.find(RunAddress{*pc - 1}) != nullptr;
}

/// Whether the return address follows a `call` of this very function.
bool StackSwitches::called_directly(const GoCallee &callee, RunAddress cfa) const {
  constexpr std::uint64_t call_size = 5;
  constexpr std::byte call_opcode{0xe8};
  const auto pc = read_word(callee.memory, cfa - word);
  std::array<std::byte, call_size> code;
  if (!pc || !callee.memory.read(RunAddress{*pc} - call_size, code) || code[0] != call_opcode)
    return false;
  std::int32_t distance = 0;
  std::memcpy(&distance, &code[1], sizeof distance);
  return *pc + static_cast<std::uint64_t>(std::int64_t{distance}) == callee.rule.entry.value;
}

Step StackSwitches::from_base(const GoCallee &callee, RunAddress sp, std::int32_t offset) const {
  Step step = go_caller({callee.rule, callee.exact, sp, callee.registers, callee.memory},
                        sp + static_cast<std::uint64_t>(offset));
  if (auto *caller = std::get_if<ToCaller>(&step))
    caller->switches_stack = sp < callee.sp || sp - callee.sp > max_move;
  return step;
}

Step StackSwitches::resume_goroutine(const GoCallee &callee) const {
  ToCaller step;
  step.caller.pc = context_.goroutine->pc;
  step.caller.cfa = context_.goroutine->sp;
  step.switches_stack = true;
  RegisterSet &registers = step.caller.registers;
  registers.set(rsp, context_.goroutine->sp.value);
  if (const auto base = callee.registers.get(fs_base))
    registers.set(fs_base, *base);
  return step;
}

/// systemstack returns to its caller: its frame goes on on the goroutine's stack, where it saved the stack pointer.
Step StackSwitches::leave_system_stack(const GoCallee &callee) const {
  const RunAddress here = callee.sp + static_cast<std::uint64_t>(callee.rule.cfa_offset);
  // On the system stack already, it jumps to its argument and never is a caller.
  if (on_goroutine(callee.sp) || (callee.exact && called_directly(callee, here)))
    return from_base(callee, callee.sp, callee.rule.cfa_offset);
  if (!goroutine_saved())
    return no_rule("the thread works for a goroutine that is not known");
  return from_base(callee, context_.goroutine->sp, callee.rule.cfa_offset);
}

/// mcall and morestack do not return: the goroutine will go on where it was saved. Without one the thread has given it
/// up meanwhile, and they are where its own work begins.
Step StackSwitches::leave_switch(const GoCallee &callee) const {
  if (on_goroutine(callee.sp) || (callee.exact && context_.goroutine == nullptr))
    return from_base(callee, callee.sp, callee.rule.cfa_offset);
  if (!goroutine_saved())
    return UnwindExtension::Outermost{};
  return resume_goroutine(callee);
}

/// A goroutine that ends while it is bound to its thread resumes g0 itself, so that the thread ends (runtime/proc.go,
/// goexit0 to Go 1.22, gdestroy since). rbx has the gobuf, and at the jump what it says (runtime/asm_amd64.s, gogo).
std::optional<RunAddress> StackSwitches::resumed_system_pc(const GoCallee &callee) const {
  const auto &g = runtime_.layout().g;
  const auto place = callee.registers.get(rbx);
  if (!place)
    return std::nullopt;
  if (runtime_.find(RunAddress{*place}) != nullptr)
    return RunAddress{*place};
  const auto offset = static_cast<std::uint64_t>(g.sched_pc) - static_cast<std::uint64_t>(g.sched_sp);
  const auto pc = read_word(callee.memory, RunAddress{*place} + offset);
  return pc && runtime_.find(RunAddress{*pc}) != nullptr ? std::optional(RunAddress{*pc}) : std::nullopt;
}

/// gogo: once the stack pointer is the goroutine's, only the jump to where it was left is missing.
Step StackSwitches::leave_resume(const GoCallee &callee) const {
  std::optional<RunAddress> pc;
  if (on_goroutine(callee.sp))
    pc = context_.goroutine->pc;
  else if (callee.exact && !returns_to_go(callee, callee.sp + static_cast<std::uint64_t>(callee.rule.cfa_offset)))
    pc = resumed_system_pc(callee);
  if (!pc)
    return from_base(callee, callee.sp, callee.rule.cfa_offset);
  ToCaller step;
  step.caller.pc = *pc;
  step.caller.cfa = callee.sp;
  step.caller.registers.set(rsp, callee.sp.value);
  step.exact_pc = true;
  return step;
}

std::optional<RunAddress> StackSwitches::stack_end_of(RunAddress goroutine, const MemoryView &memory) const {
  if (context_.goroutine != nullptr && context_.goroutine->address == goroutine)
    return context_.goroutine->stack.end;
  const auto end = read_word(memory, goroutine + static_cast<std::uint64_t>(runtime_.layout().g.stack_hi));
  return end ? std::optional(RunAddress{*end}) : std::nullopt;
}

/// asmcgocall keeps, on the system stack, its g and how deep on that g's stack it was called (the stack may move while
/// C runs); on the system stack already, a 0 and the stack pointer itself.
std::optional<RunAddress> StackSwitches::kept_before_c(const GoCallee &callee, std::uint64_t slot,
                                                       std::uint64_t shift) const {
  std::array<std::uint64_t, 2> kept{};
  if (!callee.memory.read(callee.sp + slot, std::as_writable_bytes(std::span(kept))))
    return std::nullopt;
  const auto [depth, goroutine] = kept;
  std::optional<RunAddress> sp;
  if (goroutine == 0 && depth - callee.sp.value - shift < 2 * word)
    sp = RunAddress{depth};
  else if (goroutine != 0)
    if (const auto end = stack_end_of(RunAddress{goroutine}, callee.memory); end && depth < end->value)
      sp = *end - depth;
  return sp && returns_to_go(callee, *sp + static_cast<std::uint64_t>(callee.rule.body_offset)) ? sp : std::nullopt;
}

std::optional<RunAddress> StackSwitches::stack_pointer_before_c(const GoCallee &callee) const {
  const auto offset = static_cast<std::uint64_t>(callee.rule.body_offset);
  if (callee.exact && callee.rule.past_save) {
    // Until the call of C the register has it, afterwards anything.
    const auto saved = callee.registers.get(callee.rule.saved_in);
    if (saved && (on_goroutine(RunAddress{*saved}) || *saved - callee.sp.value < max_move) &&
        returns_to_go(callee, RunAddress{*saved} + offset))
      return RunAddress{*saved};
  }
  if (callee.rule.way == GoFrameWay::call_c_no_g) {
    const auto saved = read_word(callee.memory, callee.sp + word);
    if (saved && *saved - callee.sp.value < max_move && returns_to_go(callee, RunAddress{*saved} + offset))
      return RunAddress{*saved};
    return std::nullopt;
  }
  constexpr std::uint64_t large_room = 64; // to Go 1.21
  constexpr std::uint64_t room = 16;
  if (runtime_.version() < GoVersion{1, 22})
    if (const auto sp = kept_before_c(callee, 40, large_room))
      return sp;
  return kept_before_c(callee, 0, room);
}

Step StackSwitches::leave_c(const GoCallee &callee) const {
  if (!on_goroutine(callee.sp))
    if (const auto sp = stack_pointer_before_c(callee))
      return from_base(callee, *sp, callee.rule.body_offset);
  return from_base(callee, callee.sp, callee.rule.cfa_offset);
}

/// cgocallback has two frames of one size: on the system stack, called by crosscall2, and on the goroutine's, where it
/// pretends to have been called by what the goroutine did last. The runtime's traceback takes the second; C is behind
/// the first. Its lowest word says where the first frame of the callback before it is.
Step StackSwitches::leave_callback(const GoCallee &callee) {
  const RunAddress system_sp = std::exchange(system_sp_, RunAddress{});
  if (system_sp.value != 0 && on_goroutine(callee.sp) && !on_goroutine(system_sp)) {
    const RunAddress cfa = system_sp + static_cast<std::uint64_t>(callee.rule.cfa_offset);
    const auto before = read_word(callee.memory, system_sp);
    if (before && returns_to_go(callee, cfa)) {
      system_sp_ = RunAddress{*before};
      Step step = from_base(callee, system_sp, callee.rule.cfa_offset);
      if (auto *caller = std::get_if<ToCaller>(&step))
        caller->switches_stack = true;
      return step;
    }
  }
  return from_base(callee, callee.sp, callee.rule.cfa_offset);
}

/// The kernel starts the new thread inside clone, on a stack that the caller gave in rsi and that holds nothing.
Step StackSwitches::leave_new_thread(const GoCallee &callee) const {
  const auto stack = callee.registers.get(rsi);
  if (!callee.exact || (stack && *stack == callee.sp.value))
    return UnwindExtension::Outermost{};
  return from_base(callee, callee.sp, callee.rule.cfa_offset);
}

Step StackSwitches::leave_saved(const GoCallee &callee) const {
  if (!callee.rule.past_save)
    return from_base(callee, callee.sp, callee.rule.cfa_offset);
  const auto offset = static_cast<std::uint64_t>(callee.rule.body_offset);
  const auto saved = callee.registers.get(callee.rule.saved_in);
  if (saved && returns_to_go(callee, RunAddress{*saved} + offset))
    return from_base(callee, RunAddress{*saved}, callee.rule.body_offset);
  // Calls of the vDSO leave their caller's pc and stack pointer in m, for the profiler.
  const GoM *runtime_m = context_.runtime_m;
  if (runtime_m != nullptr && runtime_m->vdso_sp.value != 0 && returns_to_go(callee, runtime_m->vdso_sp)) {
    const auto pc = read_word(callee.memory, runtime_m->vdso_sp - word);
    if (pc && *pc == runtime_m->vdso_pc.value)
      return from_base(callee, runtime_m->vdso_sp - offset, callee.rule.body_offset);
  }
  return by_frame_pointer(callee);
}

Step StackSwitches::leave_moved(const GoCallee &callee, bool innermost) const {
  // A goroutine in a system call was saved before the function moved the stack pointer (runtime/traceback.go).
  const bool saved_before = innermost && !callee.exact;
  const RunAddress cfa = callee.sp + static_cast<std::uint64_t>(callee.rule.cfa_offset);
  if (saved_before || returns_to_go(callee, cfa))
    return from_base(callee, callee.sp, callee.rule.cfa_offset);
  return by_frame_pointer(callee);
}

/// A guess: assembly with a frame keeps the frame pointer unless it needs the register.
Step StackSwitches::by_frame_pointer(const GoCallee &callee) const {
  const auto pointer = callee.registers.get(rbp);
  if (pointer && *pointer - callee.sp.value < max_move) {
    const RunAddress cfa = RunAddress{*pointer} + 2 * word;
    if (returns_to_go(callee, cfa)) {
      Step step = go_caller(callee, cfa);
      if (auto *caller = std::get_if<ToCaller>(&step))
        caller->origin = FrameOrigin::frame_pointer;
      return step;
    }
  }
  return no_rule("the function moved the stack pointer, and nothing says by how much");
}

} // namespace inspect::x86_64
