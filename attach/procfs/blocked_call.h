// Where a thread that does not run left its program, as the kernel tells it without a stop: the system call with its
// arguments, the stack pointer and the program counter.
//
//     if (const auto call = parse_blocked_call(text_of_the_syscall_file)) … call->stack_pointer
//
// Source: man page proc(5), "/proc/[pid]/syscall"; the kernel's fs/proc/base.c (proc_pid_syscall) and lib/syscall.c:
// the text is given only of a thread that is off its processor, and that stayed there while its registers were read.
#pragma once

#include "machine/address.h"

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

namespace inspect {

struct BlockedCall {
  std::int64_t number = -1; ///< as in <sys/syscall.h>; -1: it sleeps outside of a system call (a page fault, a signal)
  std::array<std::uint64_t, 6> arguments{}; ///< rdi rsi rdx r10 r8 r9; none where `number` is -1
  RunAddress stack_pointer;
  RunAddress pc;
};

/// Nothing for "running", for a thread of the kernel, whose stack pointer is 0, and for a malformed text.
std::optional<BlockedCall> parse_blocked_call(std::string_view text);

} // namespace inspect
