#include "allocators/malloc_arena.h"

#include <fmt/format.h>

namespace inspect {
namespace {

/// PID_MAX_LIMIT of the kernel.
constexpr std::uint64_t max_threads = 1 << 22;

} // namespace

std::uint64_t ArenaCopy::word(std::uint32_t offset) const {
  std::uint64_t value = 0;
  if (offset + sizeof value <= bytes_.size())
    std::memcpy(&value, bytes_.data() + offset, sizeof value);
  return value;
}

bool ArenaCopy::is_untouched() const {
  return top().value == 0 && system_bytes() == 0 && bin_first(1).value == 0 && bin_last(malloc_bin_count).value == 0;
}

std::string ArenaCopy::bins_problem() const {
  for (unsigned i = 1; i <= malloc_bin_count; ++i) {
    const bool points_back = bin_first(i) == bin(i);
    if (points_back != (bin_last(i) == bin(i)))
      return fmt::format("bin {} is empty from one end only", i);
    if (!points_back && (!may_be_chunk(bin_first(i)) || !may_be_chunk(bin_last(i))))
      return fmt::format("bin {} goes from {:#x} to {:#x}", i, bin_first(i).value, bin_last(i).value);
  }
  // No size leads to it (malloc.c: largebin_index_64), so that of the fullest arena this one is empty.
  return bin_first(malloc_bin_count) == bin(malloc_bin_count) ? std::string() : "the bin of no size is not empty";
}

std::string ArenaCopy::problem() const {
  if (next().value % 8 != 0 || next().value == 0 || next().value >= end_of_user_space)
    return fmt::format("the next arena at {:#x}", next().value);
  if (attached_threads() > max_threads)
    return fmt::format("{} threads", attached_threads());
  if (is_untouched()) {
    for (unsigned i = 1; i <= malloc_bin_count; ++i)
      if (bin_first(i).value != 0 || bin_last(i).value != 0)
        return "its bins are not made yet, and are not empty";
    return {};
  }
  if (std::string bins = bins_problem(); !bins.empty())
    return bins;
  if (!top_is_initial() && !may_be_chunk(top()))
    return fmt::format("the top chunk at {:#x}", top().value);
  if (system_bytes() > word(layout_->max_system_mem) || system_bytes() % 8 != 0 || system_bytes() >= end_of_user_space)
    return fmt::format("{} bytes from the system, at most {}", system_bytes(), word(layout_->max_system_mem));
  for (unsigned i = 0; i < fast_bin_count(); ++i)
    if (fast_bin(i).value != 0 && !may_be_chunk(fast_bin(i)))
      return fmt::format("fast bin {} begins at {:#x}", i, fast_bin(i).value);
  return {};
}

Result<ArenaCopy> read_arena(const MemoryView &memory, RunAddress address, const MallocStateLayout &layout) {
  std::vector<std::byte> bytes(layout.size());
  if (auto done = memory.read(address, bytes); !done)
    return std::unexpected(done.error().while_doing("reading an arena of malloc"));
  return ArenaCopy(address, layout, std::move(bytes));
}

} // namespace inspect
