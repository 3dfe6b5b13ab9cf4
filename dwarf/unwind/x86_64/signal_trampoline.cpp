#include "dwarf/unwind/x86_64/signal_trampoline.h"

#include "dwarf/cfi/x86_64/abi.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <sys/ucontext.h>

namespace inspect::x86_64 {
namespace {

constexpr auto long_form = std::to_array<std::uint8_t>({0x48, 0xc7, 0xc0, 0x0f, 0x00, 0x00, 0x00, 0x0f, 0x05});
constexpr auto short_form = std::to_array<std::uint8_t>({0xb8, 0x0f, 0x00, 0x00, 0x00, 0x0f, 0x05});
constexpr auto positions = std::to_array<std::size_t>({0, long_form.size() - 2, short_form.size() - 2});

bool starts_with(std::span<const std::byte> code, std::span<const std::uint8_t> form) {
  return code.size() >= form.size() &&
         std::ranges::equal(code.first(form.size()), form,
                            [](std::byte left, auto right) { return std::to_integer<std::uint8_t>(left) == right; });
}

struct SavedRegister {
  int place; ///< in ucontext_t::uc_mcontext.gregs
  Register number;
};

constexpr auto saved_registers = std::to_array<SavedRegister>({
    {REG_R8, r8},
    {REG_R9, r9},
    {REG_R10, r10},
    {REG_R11, r11},
    {REG_R12, r12},
    {REG_R13, r13},
    {REG_R14, r14},
    {REG_R15, r15},
    {REG_RDI, rdi},
    {REG_RSI, rsi},
    {REG_RBP, rbp},
    {REG_RBX, rbx},
    {REG_RDX, rdx},
    {REG_RAX, rax},
    {REG_RCX, rcx},
    {REG_RSP, rsp},
    {REG_RIP, return_address},
    {REG_EFL, rflags},
});

} // namespace

bool is_trampoline(std::span<const std::byte> code) {
  return starts_with(code, long_form) || starts_with(code, short_form);
}

std::span<const std::size_t> trampoline_positions() {
  return positions;
}

Result<RegisterSet> interrupted_registers(const MemoryView &memory, const RegisterSet &at_trampoline) {
  const RunAddress context{at_trampoline.get(rsp).value_or(0)};
  const auto saved = read_value<std::array<std::uint64_t, REG_CR2 + 1>>(
      memory, context + offsetof(ucontext_t, uc_mcontext) + offsetof(mcontext_t, gregs));
  if (!saved)
    return std::unexpected(saved.error());
  RegisterSet registers = default_caller(at_trampoline, context);
  for (const SavedRegister &one : saved_registers)
    registers.set(one.number, (*saved)[static_cast<std::size_t>(one.place)]);
  return registers;
}

} // namespace inspect::x86_64
