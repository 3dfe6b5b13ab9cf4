#include "commands/values/shared_bytes.h"

#include "attach/procfs/memory_map.h"

#include <fmt/format.h>

namespace inspect {
namespace {

std::string place_of(const Mapping &mapping) {
  return mapping.path.empty() ? "anonymous memory" : mapping.path;
}

Result<void> check_mapping(const Mapping &mapping, const MemoryWrite &write, RunAddress at) {
  constexpr const char *instead = "give it another string's value (set TARGET = OTHER), or write all the same: set "
                                  "-force …";
  if (!mapping.writable) {
    const bool is_text = write.is_content;
    const std::string what =
        is_text ? fmt::format("its characters at {:#x} are in read-only memory of {}: every string of this text may "
                              "share them",
                              at.value, place_of(mapping))
                : fmt::format("{:#x} is in read-only memory of {}: {}", at.value, place_of(mapping),
                              mapping.executable ? "it is program text"
                                                 : "it is a constant or a literal that all of the program may share");
    return std::unexpected(Error(ErrorKind::usage, what, is_text ? instead : "set -force … writes it all the same"));
  }
  if (mapping.shared && write.is_content)
    return std::unexpected(Error(ErrorKind::usage,
                                 fmt::format("its characters at {:#x} are in memory that is shared with other "
                                             "processes or a file ({})",
                                             at.value, place_of(mapping)),
                                 instead));
  return {};
}

} // namespace

Result<void> check_owned(const Target &target, std::span<const MemoryWrite> writes) {
  const auto maps = read_memory_map(target.process());
  if (!maps)
    return std::unexpected(maps.error());
  for (const MemoryWrite &write : writes) {
    const RunAddress end = write.address + write.bytes.size();
    for (RunAddress at = write.address; at < end;) {
      const Mapping *mapping = find_mapping(*maps, at);
      if (mapping == nullptr)
        break;
      if (auto checked = check_mapping(*mapping, write, at); !checked)
        return checked;
      at = mapping->range.end;
    }
  }
  return {};
}

} // namespace inspect
