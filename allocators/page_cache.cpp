#include "allocators/page_cache.h"

#include <algorithm>

namespace inspect {

std::optional<std::uint64_t> PageCache::word(RunAddress address) const {
  const auto slot = slots_.find(page_of(address));
  if (slot == slots_.end() || slot->second == nullptr)
    return std::nullopt;
  std::uint64_t value = 0;
  std::memcpy(&value, slot->second->data() + address.value % page_size / 8 * 8, sizeof value);
  return value;
}

bool PageCache::is_unreadable(RunAddress address) const {
  const auto slot = slots_.find(page_of(address));
  return slot != slots_.end() && slot->second == nullptr;
}

void PageCache::fetch() {
  std::ranges::sort(wanted_);
  const auto repeated = std::ranges::unique(wanted_);
  wanted_.erase(repeated.begin(), repeated.end());
  if (slots_.size() + wanted_.size() > most_pages_) {
    slots_.clear();
    pages_.clear();
  }
  std::vector<MemoryRead> reads;
  for (const std::uint64_t page : wanted_)
    if (!is_known(page))
      reads.push_back({{page * page_size}, pages_.emplace_back()});
  memory_.read_many(reads);
  for (const MemoryRead &read : reads)
    slots_[page_of(read.address)] =
        read.done ? reinterpret_cast<const Page *>(read.into.data()) : nullptr; // each buffer is one page of pages_
  wanted_.clear();
}

} // namespace inspect
