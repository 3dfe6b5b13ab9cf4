#include "attach/procfs/machine_memory.h"

#include "attach/procfs/proc_file.h"

#include <cstdlib>
#include <fcntl.h>
#include <string_view>

namespace inspect {

std::optional<std::uint64_t> available_memory() {
  constexpr std::string_view label = "MemAvailable:";
  const FileDescriptor file(::open("/proc/meminfo", O_RDONLY | O_CLOEXEC));
  const auto text = read_to_end(file.get());
  const std::size_t at = text ? text->find(label) : std::string::npos;
  if (at == std::string::npos)
    return std::nullopt;
  return std::strtoull(text->c_str() + at + label.size(), nullptr, 10) * 1024;
}

} // namespace inspect
