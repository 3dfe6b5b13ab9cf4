#include "golang/memstats/memory_layout.h"

#include <algorithm>
#include <iterator>
#include <utility>

namespace inspect {

const MemoryLayout &memory_layout(GoVersion version, int patch) {
  const std::span<const MemoryLayout> rows = known_memory_layouts();
  if (version == GoVersion{})
    return rows.back();
  const auto release_of = [](const MemoryLayout &row) { return std::pair(row.version, row.first_patch); };
  const auto after = std::ranges::upper_bound(rows, std::pair(version, patch), {}, release_of);
  return after == rows.begin() ? *after : *std::prev(after);
}

} // namespace inspect
