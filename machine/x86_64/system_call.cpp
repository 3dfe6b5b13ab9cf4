#include "machine/x86_64/system_call.h"

#include "machine/x86_64/registers.h"
#include "machine/x86_64/system_calls.h"

#include <cstring>
#include <span>

namespace inspect::x86_64 {
namespace {

constexpr std::int64_t restart_syscall = 219;

/// After a stop the kernel continues some waits with restart_syscall, in which only the time left differs. The C
/// library's `mov $number, %eax; syscall` before the pc still tells which (test: "the call behind restart_syscall").
std::int64_t call_behind_restart(const RegisterSet &registers, const MemoryView &memory) {
  const auto pc = registers.get(return_address);
  std::array<std::uint8_t, 7> code{};
  if (!pc || !memory.read(RunAddress{*pc} - code.size(), std::as_writable_bytes(std::span(code))))
    return restart_syscall;
  if (code[0] != 0xb8 || code[5] != 0x0f || code[6] != 0x05)
    return restart_syscall;
  std::uint32_t number = 0;
  std::memcpy(&number, code.data() + 1, sizeof number);
  return system_call_name(number).empty() ? restart_syscall : std::int64_t{number};
}

} // namespace

SystemCall decode_system_call(std::int64_t number, const RegisterSet &registers, const MemoryView &memory) {
  constexpr std::array<unsigned, 6> places = {rdi, rsi, rdx, r10, r8, r9};
  SystemCall call;
  call.number = number == restart_syscall ? call_behind_restart(registers, memory) : number;
  for (std::size_t i = 0; i < places.size(); ++i)
    call.arguments[i] = registers.get(places[i]).value_or(0);
  return call;
}

} // namespace inspect::x86_64
