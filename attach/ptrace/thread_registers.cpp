#include "attach/ptrace/thread_stops.h"
#include "machine/x86_64/registers.h"

#include <array>
#include <cstring>

namespace inspect {
namespace {

struct RegisterPlace {
  x86_64::Register number;
  unsigned long long user_regs_struct::*place;
};

constexpr auto places = std::to_array<RegisterPlace>({
    {x86_64::rax, &user_regs_struct::rax},
    {x86_64::rdx, &user_regs_struct::rdx},
    {x86_64::rcx, &user_regs_struct::rcx},
    {x86_64::rbx, &user_regs_struct::rbx},
    {x86_64::rsi, &user_regs_struct::rsi},
    {x86_64::rdi, &user_regs_struct::rdi},
    {x86_64::rbp, &user_regs_struct::rbp},
    {x86_64::rsp, &user_regs_struct::rsp},
    {x86_64::r8, &user_regs_struct::r8},
    {x86_64::r9, &user_regs_struct::r9},
    {x86_64::r10, &user_regs_struct::r10},
    {x86_64::r11, &user_regs_struct::r11},
    {x86_64::r12, &user_regs_struct::r12},
    {x86_64::r13, &user_regs_struct::r13},
    {x86_64::r14, &user_regs_struct::r14},
    {x86_64::r15, &user_regs_struct::r15},
    {x86_64::return_address, &user_regs_struct::rip},
    {x86_64::rflags, &user_regs_struct::eflags},
    {x86_64::es, &user_regs_struct::es},
    {x86_64::cs, &user_regs_struct::cs},
    {x86_64::ss, &user_regs_struct::ss},
    {x86_64::ds, &user_regs_struct::ds},
    {x86_64::fs, &user_regs_struct::fs},
    {x86_64::gs, &user_regs_struct::gs},
    {x86_64::fs_base, &user_regs_struct::fs_base},
    {x86_64::gs_base, &user_regs_struct::gs_base},
});

} // namespace

RegisterSet to_register_set(const user_regs_struct &raw) {
  RegisterSet registers;
  for (const RegisterPlace &one : places)
    registers.set(one.number, raw.*one.place);
  return registers;
}

void add_vector_registers(const user_fpregs_struct &raw, RegisterSet &registers) {
  for (unsigned i = 0; i < x86_64::vector_registers; ++i) {
    std::uint64_t halves[2];
    std::memcpy(halves, raw.xmm_space + std::size_t{4} * i, sizeof halves);
    registers.set(x86_64::xmm0 + i, halves[0]);
    registers.set(x86_64::xmm0_high + i, halves[1]);
  }
}

void apply_register_set(const RegisterSet &registers, user_regs_struct &raw) {
  for (const RegisterPlace &one : places)
    if (const auto value = registers.get(one.number))
      raw.*one.place = *value;
}

} // namespace inspect
