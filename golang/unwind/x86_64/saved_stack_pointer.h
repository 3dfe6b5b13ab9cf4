// Where an assembly function keeps the stack pointer that it is about to change: the first `mov %rsp, %REG` in its
// code.
//
// Source: Intel SDM volume 2, MOV (REX.W 89 /r and REX.W 8B /r with a register operand).
#pragma once

#include <cstddef>
#include <optional>
#include <span>

namespace inspect::x86_64 {

struct SavedStackPointer {
  unsigned saved_in = 0;  ///< DWARF number
  std::size_t offset = 0; ///< of the instruction
  std::size_t end = 0;    ///< offset of the next one
};

/// `%rbp` only where there is no other: it is what prologues set up as well.
std::optional<SavedStackPointer> find_saved_stack_pointer(std::span<const std::byte> code);

} // namespace inspect::x86_64
