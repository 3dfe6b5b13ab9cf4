// What the x86-64 ABI says about a call, for the unwinder: which registers survive it when the tables are silent, and
// which belong to the thread rather than to a frame.
//
// Sources: System V psABI, AMD64 supplement, section 3.2.1 "Registers" and figure 3.4.
#pragma once

#include "dwarf/cfi/cfi_table.h"
#include "machine/registers.h"
#include "machine/x86_64/registers.h"

namespace inspect::x86_64 {

/// DWARF numbers 0 to 16: the general registers and the return address. Tables say nothing about others that a caller
/// could rely on.
constexpr unsigned unwound_registers = 17;

/// Whether the rule is what holds without one: callee-saved registers (rbx, rbp, r12 to r15) keep their value, rsp is
/// the CFA, all others are lost.
bool is_default(const RegisterRule &rule);

/// libdw 0.188 starts from ABI rules that name rax where rbx is meant: for code that says nothing of either it calls
/// rax preserved and rbx lost. Turns those two answers round. A table that says so itself is not told apart; no
/// compiler writes such a one. Test: "What tables leave unsaid of rbx and rax is what the ABI says".
void correct_silence(RegisterRule &rule);

/// The caller's registers before any rule is applied: callee-saved ones and those of the thread (segments and their
/// bases) as in the callee, rsp at the CFA, the rest unknown.
RegisterSet default_caller(const RegisterSet &callee, RunAddress cfa);

} // namespace inspect::x86_64
