#include "dwarf/cfi/x86_64/abi.h"

#include <algorithm>
#include <array>

namespace inspect::x86_64 {
namespace {

constexpr auto callee_saved = std::to_array<unsigned>({rbx, rbp, r12, r13, r14, r15});
constexpr auto of_the_thread = std::to_array<unsigned>({es, cs, ss, ds, fs, gs, fs_base, gs_base});

} // namespace

bool is_default(const RegisterRule &rule) {
  if (std::ranges::find(callee_saved, rule.dwarf_number) != callee_saved.end())
    return rule.kind == RegisterRule::Kind::same_value;
  if (rule.dwarf_number == rsp)
    return rule.kind == RegisterRule::Kind::val_offset && rule.offset == 0;
  return rule.kind == RegisterRule::Kind::undefined;
}

void correct_silence(RegisterRule &rule) {
  if (rule.dwarf_number == rax && rule.kind == RegisterRule::Kind::same_value)
    rule.kind = RegisterRule::Kind::undefined;
  if (rule.dwarf_number == rbx && rule.kind == RegisterRule::Kind::undefined)
    rule.kind = RegisterRule::Kind::same_value;
}

RegisterSet default_caller(const RegisterSet &callee, RunAddress cfa) {
  RegisterSet caller;
  const auto keep = [&](unsigned number) {
    if (const auto value = callee.get(number))
      caller.set(number, *value);
  };
  for (const unsigned number : callee_saved)
    keep(number);
  for (const unsigned number : of_the_thread)
    keep(number);
  caller.set(rsp, cfa.value);
  return caller;
}

} // namespace inspect::x86_64
