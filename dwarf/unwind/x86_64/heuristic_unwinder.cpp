#include "dwarf/unwind/x86_64/heuristic_unwinder.h"

#include "dwarf/cfi/x86_64/abi.h"
#include "dwarf/unwind/x86_64/instruction_walk.h"

#include <array>

namespace inspect::x86_64 {
namespace {

/// How many words above the stack pointer the return address into the start code is looked for.
constexpr std::size_t start_code_words = 128;

/// What the callee-saved registers held is lost where nothing says which of them the code saved, and where.
void forget_callee_saved(RegisterSet &caller) {
  for (const unsigned number : {rbx, rbp, r12, r13, r14, r15})
    caller.forget(number);
}

} // namespace

std::optional<HeuristicCaller> HeuristicUnwinder::by_stack_pointer(const RegisterSet &callee, RegisterSet &caller) {
  const RunAddress stack_pointer{callee.get(rsp).value_or(0)};
  const auto word = read_word(memory_, stack_pointer);
  // Only into a module: a stale pointer into unknown memory is too easily found at the top of a stack.
  if (!word || !code_.in_module_code(RunAddress{*word - 1}) || !code_.may_be_return_address(RunAddress{*word}))
    return std::nullopt;
  caller = default_caller(callee, stack_pointer + 8);
  return HeuristicCaller{FrameOrigin::leaf_guess, RunAddress{*word}, stack_pointer + 8};
}

std::optional<HeuristicCaller> HeuristicUnwinder::by_instructions(const RegisterSet &callee, RunAddress pc,
                                                                  RegisterSet &caller) {
  const WalkedOut out = walk_out(code_, memory_, callee, pc, instruction_budget_);
  if (out.kind == WalkedOut::Kind::nowhere)
    return std::nullopt;
  caller = out.caller;
  return HeuristicCaller{FrameOrigin::instructions, out.return_address, RunAddress{out.caller.get(rsp).value_or(0)}};
}

std::optional<HeuristicCaller> HeuristicUnwinder::by_frame_pointer(const RegisterSet &callee, RegisterSet &caller) {
  const auto frame_pointer = callee.get(rbp);
  const auto stack_pointer = callee.get(rsp);
  if (!frame_pointer || !stack_pointer || *frame_pointer % 8 != 0 || *frame_pointer < *stack_pointer)
    return std::nullopt;
  const auto pair = read_value<std::array<std::uint64_t, 2>>(memory_, RunAddress{*frame_pointer});
  if (!pair)
    return std::nullopt;
  const auto [saved, return_address] = *pair;
  const RunAddress cfa{*frame_pointer + 16};
  const bool outermost = saved == 0 && return_address == 0;
  if (!outermost && !code_.may_be_return_address(RunAddress{return_address}))
    return std::nullopt;
  caller = default_caller(callee, cfa);
  forget_callee_saved(caller);
  caller.set(rbp, saved);
  return HeuristicCaller{FrameOrigin::frame_pointer, RunAddress{return_address}, cfa};
}

/// Whether the chain, link by link, rises through code of no module and comes to a return address in one.
bool HeuristicUnwinder::leads_to_module(RunAddress frame_pointer) {
  if (chain_begin_ <= frame_pointer && frame_pointer <= chain_end_)
    return true;
  RunAddress link = frame_pointer;
  while (link_budget_ != 0 && link.value % 8 == 0) {
    --link_budget_;
    const auto pair = read_value<std::array<std::uint64_t, 2>>(memory_, link);
    if (!pair)
      return false;
    const RunAddress saved{(*pair)[0]};
    const RunAddress return_address{(*pair)[1]};
    if (code_.in_module_code(return_address - 1)) {
      if (!code_.may_be_return_address(return_address))
        return false;
      chain_begin_ = frame_pointer;
      chain_end_ = link;
      return true;
    }
    if (!code_.may_be_code(return_address) || saved <= link)
      return false;
    link = saved;
  }
  return false;
}

/// Interpreters and compilers at run time keep frame pointers, but go to a function by a jump after they have pushed
/// where it is to return to: behind no call instruction, so that the single return address proves nothing. The chain as
/// a whole does.
std::optional<HeuristicCaller> HeuristicUnwinder::by_chain(const RegisterSet &callee, RegisterSet &caller) {
  const auto frame_pointer = callee.get(rbp);
  const auto stack_pointer = callee.get(rsp);
  if (!frame_pointer || !stack_pointer || *frame_pointer < *stack_pointer ||
      !leads_to_module(RunAddress{*frame_pointer}))
    return std::nullopt;
  const auto pair = read_value<std::array<std::uint64_t, 2>>(memory_, RunAddress{*frame_pointer});
  if (!pair)
    return std::nullopt;
  const RunAddress cfa{*frame_pointer + 16};
  caller = default_caller(callee, cfa);
  forget_callee_saved(caller);
  caller.set(rbp, (*pair)[0]);
  return HeuristicCaller{FrameOrigin::frame_pointer, RunAddress{(*pair)[1]}, cfa};
}

/// A function that the start code called, and which never returns, so that its code does not tell its frame's size
/// (musl's libc_start_main_stage2). Start code calls once: a return address into it is not a left-over of another call.
/// With any other return address on the way there may be frames in between, which must not be passed over.
std::optional<HeuristicCaller> HeuristicUnwinder::by_start_code(const RegisterSet &callee, RegisterSet &caller) {
  const RunAddress stack_pointer{callee.get(rsp).value_or(0)};
  for (std::size_t i = 0; i < start_code_words; ++i) {
    const RunAddress place = stack_pointer + i * 8;
    const auto word = read_word(memory_, place);
    if (!word)
      break;
    const RunAddress address{*word};
    if (!code_.in_module_code(address - 1) || !code_.may_be_return_address(address))
      continue;
    if (!code_.is_outermost(code_.at(address, false), address))
      break;
    caller = default_caller(callee, place + 8);
    forget_callee_saved(caller);
    return HeuristicCaller{FrameOrigin::leaf_guess, address, place + 8};
  }
  return std::nullopt;
}

std::optional<HeuristicCaller> HeuristicUnwinder::caller(const RegisterSet &callee, const CodePlace &place,
                                                         RunAddress pc, bool exact, RegisterSet &caller) {
  const bool may_be_code = code_.may_be_code(pc);
  std::optional<HeuristicCaller> found;
  // Called into nowhere: the call pushed its return address and nothing has moved the stack pointer since.
  if (exact && !may_be_code)
    found = by_stack_pointer(callee, caller);
  if (!found && !exact && may_be_code && place.module == nullptr)
    found = by_chain(callee, caller);
  if (!found && may_be_code)
    found = by_instructions(callee, pc, caller);
  if (!found)
    found = by_frame_pointer(callee, caller);
  if (!found && may_be_code && place.module == nullptr)
    found = by_chain(callee, caller);
  // A frame pointer that leads nowhere lets a guess stand; one that is not known may have led elsewhere.
  if (!found && exact && callee.knows(rbp))
    found = by_stack_pointer(callee, caller);
  if (!found && !exact && place.module != nullptr)
    found = by_start_code(callee, caller);
  return found;
}

} // namespace inspect::x86_64
