#include "inspector/syscalls/system_call.h"

#include "inspector/syscalls/system_call_decoders.h"
#include "inspector/syscalls/system_call_text.h"
#include "machine/x86_64/registers.h"
#include "machine/x86_64/system_calls.h"

#include <array>
#include <fmt/format.h>

namespace inspect {
namespace {

/// After a stop the kernel continues some waits with restart_syscall, in which only the time left differs. The C
/// library's `mov $number, %eax; syscall` before the pc still tells which (test: "the call behind restart_syscall").
std::int64_t call_behind_restart(const StoppedThread &thread, const MemoryView &memory) {
  const auto pc = thread.registers.get(x86_64::return_address);
  std::array<std::uint8_t, 7> code{};
  if (!pc || !memory.read(RunAddress{*pc} - code.size(), std::as_writable_bytes(std::span(code))))
    return -1;
  if (code[0] != 0xb8 || code[5] != 0x0f || code[6] != 0x05)
    return -1;
  std::uint32_t number = 0;
  std::memcpy(&number, code.data() + 1, sizeof number);
  return number;
}

} // namespace

std::string system_call_name(std::int64_t number) {
  const std::string_view name = x86_64::system_call_name(number);
  return name.empty() ? fmt::format("system call {}", number) : std::string(name);
}

std::string describe_system_call(const StoppedThread &thread, const MemoryView &memory, FileTable *files) {
  if (thread.system_call < 0)
    return {};
  std::string name = system_call_name(thread.system_call);
  if (name == "restart_syscall") {
    const std::int64_t behind = call_behind_restart(thread, memory);
    if (behind < 0 || x86_64::system_call_name(behind).empty())
      return name;
    name = system_call_name(behind);
  }
  SystemCallText call(system_call_arguments(thread), memory, files);
  return decode_system_call(name, call) ? call.text(name) : name;
}

} // namespace inspect
