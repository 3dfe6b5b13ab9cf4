#include "commands/values/memory_gap.h"

#include "attach/procfs/memory_map.h"

#include <algorithm>
#include <fmt/format.h>

namespace inspect {
namespace {

std::string describe(const Mapping &mapping) {
  return fmt::format("{:#x}-{:#x} {}{}{} {}", mapping.range.begin.value, mapping.range.end.value,
                     mapping.readable ? 'r' : '-', mapping.writable ? 'w' : '-', mapping.executable ? 'x' : '-',
                     mapping.path.empty() ? "anonymous" : mapping.path);
}

std::uint64_t distance(const Mapping &mapping, RunAddress address) {
  if (address < mapping.range.begin)
    return mapping.range.begin - address;
  return address < mapping.range.end ? 0 : address - mapping.range.end + 1;
}

/// Reads page by page, since a page of a mapping may be unreadable for itself (a file that was truncated).
RunAddress first_unreadable(const MemoryView &memory, RunAddress address, std::size_t size) {
  constexpr std::uint64_t page = 4096;
  for (std::uint64_t at = 0; at < size;) {
    const RunAddress here = address + at;
    const std::uint64_t step = std::min<std::uint64_t>(size - at, page - here.value % page);
    std::vector<std::byte> bytes(step);
    if (!memory.read(here, bytes))
      return here;
    at += step;
  }
  return address + size;
}

} // namespace

MemoryGap find_gap(Target &target, RunAddress address, std::size_t size) {
  const RunAddress gap = first_unreadable(target.memory(), address, size);
  const auto maps = read_memory_map(target.process());
  if (!maps)
    return {gap, maps.error()};
  if (const Mapping *holder = find_mapping(*maps, gap))
    return {gap, Error(ErrorKind::unreadable,
                       fmt::format("{:#x} cannot be read; it lies in {}", gap.value, describe(*holder)))};
  const auto nearest =
      std::ranges::min_element(*maps, {}, [&](const Mapping &mapping) { return distance(mapping, gap); });
  std::string sentence = fmt::format("{:#x} is not mapped", gap.value);
  if (nearest != maps->end())
    sentence += fmt::format("; the nearest mapping is {}", describe(*nearest));
  return {gap, Error(ErrorKind::unreadable, std::move(sentence), "maps")};
}

} // namespace inspect
