#include "inspector/syscalls/system_call.h"

#include "inspector/syscalls/system_call_text.h"
#include "machine/x86_64/system_calls.h"

#include <fmt/format.h>

namespace inspect {

std::string system_call_name(std::int64_t number) {
  const std::string_view name = x86_64::system_call_name(number);
  return name.empty() ? fmt::format("system call {}", number) : std::string(name);
}

std::string describe_system_call(const SystemCall &call, const MemoryView &memory, FileTable *files) {
  if (call.number < 0)
    return {};
  SystemCallText text(call, memory, files);
  const bool known = add_known_arguments(text);
  return known ? text.text(system_call_name(call.number)) : system_call_name(call.number);
}

} // namespace inspect
