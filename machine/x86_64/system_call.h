// The system call that a stopped thread is in: its number and its six argument words, decoded once from the registers.
//
//     const SystemCall call = x86_64::decode_system_call(thread.system_call, thread.registers, memory);
//     if (call.number == SYS_futex) … call.arguments[0] …
//
// Sources: System V psABI, "Linux Kernel" appendix (rdi rsi rdx r10 r8 r9); man page restart_syscall(2).
#pragma once

#include "machine/memory_view.h"
#include "machine/registers.h"

#include <array>
#include <cstdint>

namespace inspect {

struct SystemCall {
  std::int64_t number = -1; ///< as in <sys/syscall.h>; negative: in none
  std::array<std::uint64_t, 6> arguments{};

  std::uint64_t word(unsigned index) const { return arguments[index]; }
  std::int32_t integer(unsigned index) const { return static_cast<std::int32_t>(arguments[index]); }
};

namespace x86_64 {

/// `number` is orig_rax. The call behind restart_syscall is recovered from the instruction before the pc.
SystemCall decode_system_call(std::int64_t number, const RegisterSet &registers, const MemoryView &memory);

} // namespace x86_64
} // namespace inspect
