#include "allocators/page_cache.h"

#include <algorithm>

namespace inspect {

const std::byte *PageCache::find(std::uint64_t page) const {
  const auto slot = slots_.find(page);
  return slot == slots_.end() ? nullptr : slot->second;
}

bool PageCache::is_unreadable(std::uint64_t page) const {
  const auto slot = slots_.find(page);
  return slot != slots_.end() && slot->second == nullptr;
}

void PageCache::forget() {
  slots_.clear();
  used_pages_ = 0;
}

void PageCache::restart(std::size_t max_pages) {
  forget();
  wanted_.clear();
  max_pages_ = max_pages;
}

std::span<std::byte> PageCache::new_page() {
  const std::size_t block = used_pages_ / pages_in_block;
  if (block == blocks_.size())
    blocks_.push_back(std::make_unique_for_overwrite<Block>());
  return std::span(*blocks_[block]).subspan(used_pages_++ % pages_in_block * page_size, page_size);
}

void PageCache::fetch() {
  std::ranges::sort(wanted_);
  const auto repeated = std::ranges::unique(wanted_);
  wanted_.erase(repeated.begin(), repeated.end());
  if (slots_.size() + wanted_.size() > max_pages_)
    forget();
  std::vector<MemoryRead> reads;
  for (const std::uint64_t page : wanted_)
    if (!slots_.contains(page))
      reads.push_back({{page * page_size}, new_page()});
  memory_.read_many(reads);
  for (const MemoryRead &read : reads)
    slots_[page_of(read.address)] = read.done ? read.into.data() : nullptr;
  wanted_.clear();
}

} // namespace inspect
