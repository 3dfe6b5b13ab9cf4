// The code that a signal handler returns to, and the registers the kernel saved for it: how to get across a signal
// where no unwind table describes the way (musl, Go).
//
// Sources: Linux arch/x86/include/asm/sigframe.h (struct rt_sigframe) and uapi/asm/sigcontext.h as sigreturn(2) and
// <sys/ucontext.h> show them.
#pragma once

#include "machine/memory_view.h"
#include "machine/registers.h"

#include <cstddef>
#include <span>

namespace inspect::x86_64 {

/// `mov $15,%rax; syscall`, in the longer of its two encodings: as much code as the look at a trampoline needs.
constexpr std::size_t trampoline_size = 9;

/// Whether the code starts with the rt_sigreturn system call (its number is 15).
bool is_trampoline(std::span<const std::byte> code);

/// The bytes by which the pc may be past the trampoline's start: at its system call.
std::span<const std::size_t> trampoline_positions();

/// The registers of the interrupted code, given those at the trampoline, whose stack pointer points to the ucontext.
Result<RegisterSet> interrupted_registers(const MemoryView &memory, const RegisterSet &at_trampoline);

} // namespace inspect::x86_64
