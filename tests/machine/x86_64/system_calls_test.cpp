#include "machine/x86_64/system_calls.h"

#include "machine/x86_64/registers.h"
#include "machine/x86_64/system_call.h"
#include "tests/support/catch.h"

#include <array>
#include <span>
#include <sys/syscall.h>

namespace inspect {
namespace {

TEST_CASE("system calls have the names of the kernel's header, and unknown numbers none") {
  CHECK(x86_64::system_call_name(SYS_read) == "read");
  CHECK(x86_64::system_call_name(SYS_futex) == "futex");
  CHECK(x86_64::system_call_name(SYS_restart_syscall) == "restart_syscall");
  CHECK(x86_64::system_call_name(SYS_io_uring_enter) == "io_uring_enter");
  CHECK(x86_64::system_call_name(SYS_close_range) == "close_range");
  CHECK(x86_64::system_call_name(400).empty()); // a hole in the numbering
  CHECK(x86_64::system_call_name(-1).empty());
  CHECK(x86_64::system_call_name(99999).empty());
}

TEST_CASE("a system call has its arguments in the kernel's order; outside of one there is no number") {
  using namespace x86_64;
  RegisterSet registers;
  const unsigned order[] = {rdi, rsi, rdx, r10, r8, r9};
  for (std::uint64_t i = 0; i < std::size(order); ++i)
    registers.set(order[i], 10 + i);
  const BufferMemory nothing;
  const SystemCall call = decode_system_call(SYS_futex, registers, nothing);
  CHECK(call.number == SYS_futex);
  for (unsigned i = 0; i < 6; ++i)
    CHECK(call.word(i) == 10 + i);
  registers.set(rdi, 0xffffffff'ffffffffU);
  CHECK(decode_system_call(SYS_read, registers, nothing).integer(0) == -1);
  CHECK(decode_system_call(-1, registers, nothing).number == -1);
}

TEST_CASE("the call behind restart_syscall is that of the instruction before the pc, if it is one") {
  struct Case {
    std::array<std::uint8_t, 7> code;
    std::int64_t number;
  };
  const Case cases[] = {
      {{0xb8, SYS_poll, 0, 0, 0, 0x0f, 0x05}, SYS_poll},            // mov $7, %eax; syscall
      {{0xb8, 0x90, 0x01, 0, 0, 0x0f, 0x05}, SYS_restart_syscall},  // 400, which the kernel has not
      {{0xb9, SYS_poll, 0, 0, 0, 0x0f, 0x05}, SYS_restart_syscall}, // another register
      {{0xb8, SYS_poll, 0, 0, 0, 0x0f, 0x0b}, SYS_restart_syscall}, // another instruction
      {{0xb8, 0xff, 0xff, 0xff, 0xff, 0x0f, 0x05}, SYS_restart_syscall},
  };
  for (const Case &one : cases) {
    BufferMemory memory;
    const auto bytes = std::as_bytes(std::span(one.code));
    memory.add(RunAddress{0x1000}, {bytes.begin(), bytes.end()});
    RegisterSet registers;
    CHECK(x86_64::decode_system_call(SYS_restart_syscall, registers, memory).number == SYS_restart_syscall);
    registers.set(x86_64::return_address, 0x1007);
    CHECK(x86_64::decode_system_call(SYS_restart_syscall, registers, memory).number == one.number);
    registers.set(x86_64::return_address, 3); // below the code lies nothing
    CHECK(x86_64::decode_system_call(SYS_restart_syscall, registers, memory).number == SYS_restart_syscall);
  }
}

} // namespace
} // namespace inspect
