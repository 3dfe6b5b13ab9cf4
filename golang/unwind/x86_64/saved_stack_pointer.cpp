#include "golang/unwind/x86_64/saved_stack_pointer.h"

#include "machine/x86_64/registers.h"

#include <array>
#include <cstdint>

namespace inspect::x86_64 {
namespace {

constexpr std::size_t instruction_size = 3;
constexpr unsigned sp_number = 4; ///< as instructions number it

/// By the number that instructions use.
constexpr auto dwarf_numbers =
    std::to_array<Register>({rax, rcx, rdx, rbx, rsp, rbp, rsi, rdi, r8, r9, r10, r11, r12, r13, r14, r15});

/// The register that `mov %rsp, %REG` writes.
std::optional<unsigned> destination(std::span<const std::byte, instruction_size> code) {
  const auto prefix = std::to_integer<unsigned>(code[0]);
  const auto opcode = std::to_integer<unsigned>(code[1]);
  const auto operands = std::to_integer<unsigned>(code[2]);
  if ((prefix & 0xf8U) != 0x48 || operands >> 6U != 3)
    return std::nullopt;
  const unsigned reg = (operands >> 3U & 7U) | (prefix & 4U) << 1U;
  const unsigned rm = (operands & 7U) | (prefix & 1U) << 3U;
  if (opcode == 0x89 && reg == sp_number && rm != sp_number)
    return rm;
  if (opcode == 0x8b && rm == sp_number && reg != sp_number)
    return reg;
  return std::nullopt;
}

} // namespace

std::optional<SavedStackPointer> find_saved_stack_pointer(std::span<const std::byte> code) {
  std::optional<SavedStackPointer> frame_pointer;
  for (std::size_t at = 0; at + instruction_size <= code.size(); ++at) {
    const auto number = destination(code.subspan(at).first<instruction_size>());
    if (!number)
      continue;
    const SavedStackPointer found{dwarf_numbers[*number], at, at + instruction_size};
    if (found.saved_in != rbp)
      return found;
    if (!frame_pointer)
      frame_pointer = found;
  }
  return frame_pointer;
}

} // namespace inspect::x86_64
