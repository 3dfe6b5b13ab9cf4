// Pages of a target's memory that were read, and those that are wanted next, all of which the next fetch gets with as
// few system calls as the memory allows.
//
//     if (const auto word = pages.word(address)) … *word …
//     else if (pages.is_unreadable(address)) …
//     else pages.want(address);                          // and after pages.fetch() it is the one or the other
#pragma once

#include "machine/memory_view.h"

#include <array>
#include <cstdint>
#include <deque>
#include <optional>
#include <unordered_map>
#include <vector>

namespace inspect {

class PageCache {
public:
  static constexpr std::uint64_t page_size = 4096;

  /// Keeps up to `most_pages`, and more only while a single fetch asks for more.
  PageCache(const MemoryView &memory, std::size_t most_pages) : memory_(memory), most_pages_(most_pages) {}

  static std::uint64_t page_of(RunAddress address) { return address.value / page_size; }
  /// The aligned word at the address where its page is here.
  std::optional<std::uint64_t> word(RunAddress address) const;
  bool is_unreadable(RunAddress address) const;
  bool is_known(std::uint64_t page) const { return slots_.contains(page); }
  void want(std::uint64_t page) { wanted_.push_back(page); }
  /// Reads what is wanted, and forgets all else where it becomes too much.
  void fetch();

private:
  using Page = std::array<std::byte, page_size>;

  const MemoryView &memory_;
  std::size_t most_pages_;
  std::unordered_map<std::uint64_t, const Page *> slots_; ///< null: the page cannot be read
  std::deque<Page> pages_;
  std::vector<std::uint64_t> wanted_;
};

} // namespace inspect
