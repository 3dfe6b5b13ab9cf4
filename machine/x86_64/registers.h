// The x86-64 registers by DWARF number: System V ABI, AMD64 supplement, figure 3.36.
#pragma once

#include "machine/registers.h"

#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace inspect::x86_64 {

enum Register : unsigned {
  rax = 0,
  rdx = 1,
  rcx = 2,
  rbx = 3,
  rsi = 4,
  rdi = 5,
  rbp = 6,
  rsp = 7,
  r8 = 8,
  r9 = 9,
  r10 = 10,
  r11 = 11,
  r12 = 12,
  r13 = 13,
  r14 = 14,
  r15 = 15,
  return_address = 16, ///< the pc: rip of the innermost frame, the return address in its callers
  xmm0 = 17,           ///< its lower half; xmm1 to xmm15 follow
  xmm0_high = 33,      ///< the upper halves: the numbers are those of x87's and MMX's registers, which are not kept
  rflags = 49,
  es = 50,
  cs = 51,
  ss = 52,
  ds = 53,
  fs = 54,
  gs = 55,
  fs_base = 58,
  gs_base = 59,
};

struct RegisterName {
  Register number;
  std::string_view name;
};

/// In the order in which debuggers print them: rax, rbx, rcx, …, rip, eflags, segments, bases.
std::span<const RegisterName> register_names();

/// By name, without a leading `%` or `$`, in either case ("rip", "RIP", "eflags").
std::optional<Register> register_by_name(std::string_view name);

constexpr unsigned vector_registers = 16;
constexpr bool is_vector_register(std::uint64_t dwarf_number) {
  return dwarf_number >= xmm0 && dwarf_number < xmm0 + vector_registers;
}

/// By DWARF number: "rbx", "rip", "xmm3", else "register 118".
std::string register_name(std::uint64_t dwarf_number);

} // namespace inspect::x86_64
