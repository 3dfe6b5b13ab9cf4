// One copied arena of glibc's malloc, and whether it can be one at all.
//
// What every arena keeps: an empty bin is a chunk header laid over the array so that both its pointers lead back to
// itself, pointers are aligned, and what was taken from the system never exceeds its own maximum. Random bytes, a wrong
// address and the layout of another version fail at that.
//
// Source: glibc 2.36 malloc/malloc.c (bin_at, malloc_init_state, sysmalloc).
#pragma once

#include "allocators/malloc_layout.h"
#include "machine/memory_view.h"

#include <cstddef>
#include <string>
#include <vector>

namespace inspect {

inline constexpr std::uint64_t system_page_size = 4096;

class ArenaCopy {
public:
  /// `bytes`: MallocStateLayout::size() of them.
  ArenaCopy(RunAddress address, const MallocStateLayout &layout, std::vector<std::byte> bytes)
      : address_(address), layout_(&layout), bytes_(std::move(bytes)) {}

  RunAddress address() const { return address_; }
  RunAddress top() const { return {word(layout_->top)}; }
  RunAddress next() const { return {word(layout_->next)}; }
  std::uint64_t attached_threads() const { return word(layout_->attached_threads); }
  std::uint64_t system_bytes() const { return word(layout_->system_mem); }
  unsigned fast_bin_count() const { return layout_->fast_bin_count; }
  RunAddress fast_bin(unsigned number) const { return {word(layout_->fast_bins + 8 * number)}; }
  /// Where the chunk header that stands for bin `number`, from 1, would begin; the lists end there.
  RunAddress bin(unsigned number) const { return address_ + layout_->bins + (number - 1) * 16 - 16; }
  RunAddress bin_first(unsigned number) const { return {word(layout_->bins + (number - 1) * 16)}; }
  RunAddress bin_last(unsigned number) const { return {word(layout_->bins + (number - 1) * 16 + 8)}; }
  /// malloc has not been called yet: the arena is as the file has it.
  bool is_untouched() const;
  /// Where the top chunk of an arena that has taken nothing from the system is: in the arena itself.
  bool top_is_initial() const { return top() == bin(1); }

  /// Why it is not an arena; empty: it may be one.
  std::string problem() const;

private:
  std::uint64_t word(std::uint32_t offset) const;
  std::string bins_problem() const;

  RunAddress address_;
  const MallocStateLayout *layout_;
  std::vector<std::byte> bytes_;
};

/// unreadable where it cannot be read.
Result<ArenaCopy> read_arena(const MemoryView &memory, RunAddress address, const MallocStateLayout &layout);

/// Of a chunk or an arena: aligned, and where programs have memory.
inline bool may_be_chunk(RunAddress address) {
  return address.value != 0 && address.value % 16 == 0 && address.value < end_of_user_space;
}

/// The size that a chunk's second word gives, without the flags in it.
constexpr std::uint64_t chunk_size(std::uint64_t word) {
  return word & ~std::uint64_t{7};
}
constexpr std::uint64_t mapped_chunk_flag = 2; // malloc.c: IS_MMAPPED

} // namespace inspect
