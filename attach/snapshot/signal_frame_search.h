// Where a thread was before a signal handler took it to its alternate stack (sigaltstack(2)).
//
// Unwinding from a handler needs both stacks, and the other one must be copied in the same stop. The kernel leaves a
// ucontext in the signal frame: it names the alternate stack, and the stack pointer that was interrupted. It is found
// by its look, without unwinding: uc_stack must hold the current stack pointer, uc_link is null and the flags are
// small.
//
// Sources: struct ucontext in <ucontext.h> and arch/x86/kernel/signal_64.c of the kernel; man page sigaltstack(2).
#pragma once

#include "machine/address.h"

#include <cstddef>
#include <span>
#include <vector>

namespace inspect {

/// The stack pointers saved in signal frames above `stack_pointer` which lie outside of the alternate stack that holds
/// it; empty for a thread on its normal stack. `bytes` are the memory at and above `stack_pointer`.
std::vector<RunAddress> find_interrupted_stacks(RunAddress stack_pointer, std::span<const std::byte> bytes);

} // namespace inspect
