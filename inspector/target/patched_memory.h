// Copied memory, and what was written to the target since: a report's stacks do not change when `set` changes the
// process.
#pragma once

#include "machine/memory_view.h"

#include <algorithm>
#include <cstddef>
#include <span>
#include <vector>

namespace inspect {

struct WrittenBytes {
  RunAddress address;
  std::vector<std::byte> bytes;
};

class PatchedMemory final : public MemoryView {
public:
  /// Both must outlive the object. Of overlapping patches the last one counts.
  PatchedMemory(const MemoryView &memory, const std::vector<WrittenBytes> &patches)
      : memory_(memory), patches_(patches) {}

  Result<void> read(RunAddress address, std::span<std::byte> into) const override {
    if (auto read = memory_.read(address, into); !read)
      return read;
    const std::uint64_t end = address.value + into.size();
    for (const WrittenBytes &patch : patches_) {
      const std::uint64_t first = std::max(address.value, patch.address.value);
      const std::uint64_t last = std::min(end, patch.address.value + patch.bytes.size());
      for (std::uint64_t at = first; at < last; ++at)
        into[at - address.value] = patch.bytes[at - patch.address.value];
    }
    return {};
  }

private:
  const MemoryView &memory_;
  const std::vector<WrittenBytes> &patches_;
};

} // namespace inspect
