#include "dwarf/x86_64/guesses.h"

#include "dwarf/x86_64/abi.h"

#include <array>

namespace inspect::x86_64 {

Guess Guesses::by_stack_pointer(const RegisterSet &callee, RegisterSet &caller) {
  const RunAddress stack_pointer{callee.get(rsp).value_or(0)};
  const auto word = read_word(memory_, stack_pointer);
  // Only into a module: a stale pointer into unknown memory is too easily found at the top of a stack.
  if (!word || !code_.in_module_code(RunAddress{*word - 1}) || !code_.may_be_return_address(RunAddress{*word}))
    return {};
  caller = default_caller(callee, stack_pointer + 8);
  return {Guess::Kind::leaf, RunAddress{*word}, stack_pointer + 8};
}

Guess Guesses::by_frame_pointer(const RegisterSet &callee, RegisterSet &caller) {
  const auto frame_pointer = callee.get(rbp);
  const auto stack_pointer = callee.get(rsp);
  if (!frame_pointer || !stack_pointer || *frame_pointer % 8 != 0 || *frame_pointer < *stack_pointer)
    return {};
  const auto pair = read_value<std::array<std::uint64_t, 2>>(memory_, RunAddress{*frame_pointer});
  if (!pair)
    return {};
  const auto [saved, return_address] = *pair;
  const RunAddress cfa{*frame_pointer + 16};
  if (saved == 0 && return_address == 0)
    return {Guess::Kind::outermost, {}, cfa};
  if (!code_.may_be_return_address(RunAddress{return_address}))
    return {};
  // What the callee-saved registers held is lost: nothing says where this code saved them.
  caller = {};
  for (const unsigned number : {rsp, rbp, cs, ss, ds, es, fs, gs, fs_base, gs_base}) {
    if (const auto value = callee.get(number))
      caller.set(number, *value);
  }
  caller.set(rsp, cfa.value);
  caller.set(rbp, saved);
  return {Guess::Kind::frame_pointer, RunAddress{return_address}, cfa};
}

Guess Guesses::caller(const RegisterSet &callee, RunAddress pc, bool exact, RegisterSet &caller) {
  // Called into nowhere: the call pushed its return address and nothing has moved the stack pointer since.
  if (exact && !code_.may_be_code(pc)) {
    if (const Guess guess = by_stack_pointer(callee, caller); guess.kind != Guess::Kind::none)
      return guess;
  }
  if (const Guess guess = by_frame_pointer(callee, caller); guess.kind != Guess::Kind::none)
    return guess;
  return exact ? by_stack_pointer(callee, caller) : Guess{};
}

} // namespace inspect::x86_64
