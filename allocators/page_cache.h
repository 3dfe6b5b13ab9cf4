// Pages of a target's memory that were read, and those that are wanted next, all of which the next fetch gets with as
// few system calls as the memory allows.
//
//     if (const std::byte *page = pages.find(number)) …
//     else if (pages.is_unreadable(number)) …
//     else pages.want(number);                           // and after pages.fetch() it is the one or the other
#pragma once

#include "machine/memory_view.h"

#include <array>
#include <cstdint>
#include <memory>
#include <unordered_map>
#include <vector>

namespace inspect {

class PageCache {
public:
  static constexpr std::uint64_t page_size = 4096;

  explicit PageCache(const MemoryView &memory) : memory_(memory) {}
  PageCache(const PageCache &) = delete;
  PageCache &operator=(const PageCache &) = delete;

  /// Forgets all pages, but not the memory that they took: to get new memory takes longer than to read a page. From now
  /// on up to `max_pages` are kept, and more only while a single fetch asks for more.
  void restart(std::size_t max_pages);

  static std::uint64_t page_of(RunAddress address) { return address.value / page_size; }
  /// The page's bytes until the next fetch; null where it is not here.
  const std::byte *find(std::uint64_t page) const;
  bool is_unreadable(std::uint64_t page) const;
  void want(std::uint64_t page) { wanted_.push_back(page); }
  /// Reads what is wanted, and forgets all else where it becomes too much.
  void fetch();

private:
  static constexpr std::size_t pages_in_block = 64;
  using Block = std::array<std::byte, pages_in_block * page_size>;

  std::span<std::byte> new_page();
  void forget();

  const MemoryView &memory_;
  std::size_t max_pages_ = 0;
  std::unordered_map<std::uint64_t, const std::byte *> slots_; ///< null: the page cannot be read
  std::vector<std::unique_ptr<Block>> blocks_;
  std::size_t used_pages_ = 0;
  std::vector<std::uint64_t> wanted_;
};

} // namespace inspect
