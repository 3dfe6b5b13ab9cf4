#include "allocators/malloc_free_lists.h"

#include "machine/cancellation_point.h"

#include <algorithm>
#include <array>
#include <bit>
#include <fmt/format.h>

namespace inspect {
namespace {

constexpr unsigned small_bin_count = 64; // malloc.c: NSMALLBINS; bin 1 is the unsorted one
constexpr std::size_t max_cached_pages = 4096;
/// As many more, where it is known beforehand which they are: 128 MB.
constexpr std::size_t max_expected_pages = 32'768;
/// Lists that are followed at the same time, and pages that one fetch reads ahead for all of them.
constexpr std::size_t max_followed = 1024;
constexpr std::size_t max_pages_ahead = 2048;
constexpr std::uint64_t max_pages_ahead_of_one = 32;

struct FreeList {
  std::size_t arena = 0;
  RunAddress at;                ///< the chunk to be looked at next
  RunAddress end;               ///< of a bin: its header. Of a fast bin: 0
  RunAddress previous;          ///< that `at` was reached from
  RunAddress first;             ///< of a bin: the chunk that its other end leads to
  std::uint64_t exact_size = 0; ///< that all of its chunks have; 0: they differ
  bool is_fast = false;
  std::uint64_t last_page = 0;
  std::uint64_t pages_ahead = 0; ///< grows while the list goes on from each page to the one beside it
};

bool adjoin(std::uint64_t page, std::uint64_t other) {
  return page + 1 == other || other + 1 == page;
}

enum class Step { next, wait, done };

/// Of a chunk header the words that matter, which are one after another.
struct FreeChunk {
  std::uint64_t size;
  std::uint64_t forward;
  std::uint64_t back;
};

class Walk {
public:
  Walk(PageCache &pages, std::span<const ArenaCopy> arenas, const FreeListOptions &options)
      : arenas_(arenas), options_(options), protected_links_(options.protected_links),
        chunks_left_(options.chunk_limit), pages_(pages) {
    pages_.restart(max_cached_pages + std::min(options.expected_pages.size(), max_expected_pages));
    result_.arenas.resize(arenas.size());
  }

  FreeListResult run();

private:
  std::vector<FreeList> all_lists() const;
  Step follow(FreeList &list);
  Step look(FreeList &list);
  std::optional<FreeChunk> chunk_at(RunAddress address) const;
  void note_page(FreeList &list);
  Step take_from_bin(FreeList &list, std::uint64_t forward, std::uint64_t back);
  Step take_from_fast_bin(FreeList &list, std::uint64_t forward);
  std::uint64_t revealed(RunAddress chunk, std::uint64_t link);
  bool count(const FreeList &list, std::uint64_t size);
  void want(const FreeList &list, std::uint64_t first, std::uint64_t last);
  Step fail(std::string why) {
    if (result_.why_incomplete.empty())
      result_.why_incomplete = std::move(why);
    return Step::done;
  }

  std::span<const ArenaCopy> arenas_;
  const FreeListOptions &options_;
  std::optional<bool> protected_links_;
  std::size_t chunks_left_;
  PageCache &pages_;
  std::size_t ahead_left_ = 0;
  FreeListResult result_;
};

std::vector<FreeList> Walk::all_lists() const {
  std::vector<FreeList> lists;
  for (std::size_t i = 0; i < arenas_.size(); ++i) {
    const ArenaCopy &arena = arenas_[i];
    if (arena.is_untouched())
      continue;
    for (unsigned bin = 0; bin < arena.fast_bin_count(); ++bin)
      if (arena.fast_bin(bin).value != 0)
        lists.push_back({.arena = i,
                         .at = arena.fast_bin(bin),
                         .end = {},
                         .previous = {},
                         .first = {},
                         .exact_size = smallest_malloc_chunk + 16 * std::uint64_t{bin},
                         .is_fast = true});
    for (unsigned bin = 1; bin <= malloc_bin_count; ++bin)
      if (arena.bin_last(bin) != arena.bin(bin))
        lists.push_back({.arena = i,
                         .at = arena.bin_last(bin),
                         .end = arena.bin(bin),
                         .previous = arena.bin(bin),
                         .first = arena.bin_first(bin),
                         .exact_size = bin > 1 && bin < small_bin_count ? 16 * std::uint64_t{bin} : 0});
  }
  return lists;
}

/// Also reads on in the direction that the list takes.
void Walk::want(const FreeList &list, std::uint64_t first, std::uint64_t last) {
  pages_.want(first);
  pages_.want(last);
  const bool upward = first >= list.last_page;
  const std::uint64_t ahead =
      adjoin(first, list.last_page) ? std::min<std::uint64_t>(list.pages_ahead, ahead_left_) : 0;
  for (std::uint64_t i = 1; i <= ahead && (upward || i <= first); ++i)
    pages_.want(upward ? first + i : first - i);
  ahead_left_ -= ahead;
}

bool Walk::count(const FreeList &list, std::uint64_t size) {
  FreeChunks &sum = result_.arenas[list.arena];
  const std::uint64_t available = arenas_[list.arena].system_bytes() - sum.bytes - sum.fast_bytes;
  if (size > available)
    return false;
  (list.is_fast ? sum.fast_chunks : sum.chunks) += 1;
  (list.is_fast ? sum.fast_bytes : sum.bytes) += size;
  return true;
}

/// A protected link is combined with the number of the page that it is in itself, two words behind the chunk's start.
/// Where it is not known whether links are protected, the last one of a list tells: it is 0 or that number.
/// Another one is what leads to an aligned place, and where both do, to the nearer one: the other is far off unless the
/// heap lies in the lowest memory, and then the size of the chunk there tells.
std::uint64_t Walk::revealed(RunAddress chunk, std::uint64_t link) {
  const std::uint64_t page = (chunk.value + 16) >> 12U;
  const std::uint64_t unprotected = link ^ page;
  if (!protected_links_) {
    const auto distance = [&](std::uint64_t to) { return std::max(to, chunk.value) - std::min(to, chunk.value); };
    const bool plain_fits = link == 0 || may_be_chunk({link});
    const bool protected_fits = unprotected == 0 || may_be_chunk({unprotected});
    if (link == 0 || unprotected == 0)
      protected_links_ = unprotected == 0;
    else
      return protected_fits && (!plain_fits || distance(unprotected) < distance(link)) ? unprotected : link;
  }
  return *protected_links_ ? unprotected : link;
}

Step Walk::take_from_fast_bin(FreeList &list, std::uint64_t forward) {
  list.at = RunAddress{revealed(list.at, forward)};
  if (list.at.value == 0)
    return Step::done;
  return may_be_chunk(list.at) ? Step::next : fail(fmt::format("a fast bin goes on at {:#x}", list.at.value));
}

/// From the last chunk to the first, as int_mallinfo goes: each must know the one that it was reached from.
Step Walk::take_from_bin(FreeList &list, std::uint64_t forward, std::uint64_t back) {
  if (forward != list.previous.value)
    return fail(fmt::format("the free chunk at {:#x} does not point back to the one at {:#x}", list.at.value,
                            list.previous.value));
  list.previous = list.at;
  list.at = RunAddress{back};
  if (list.at == list.end)
    return list.previous == list.first ? Step::done
                                       : fail(fmt::format("the free chunks from {:#x} do not lead to {:#x}",
                                                          list.previous.value, list.first.value));
  return may_be_chunk(list.at) ? Step::next : fail(fmt::format("a bin goes on at {:#x}", back));
}

std::optional<FreeChunk> Walk::chunk_at(RunAddress address) const {
  std::array<std::byte, sizeof(FreeChunk)> bytes;
  std::size_t done = 0;
  while (done < bytes.size()) {
    const RunAddress from = address + 8 + done;
    const std::byte *page = pages_.find(PageCache::page_of(from));
    if (page == nullptr)
      return std::nullopt;
    const std::size_t place = from.value % PageCache::page_size;
    const std::size_t size = std::min<std::size_t>(PageCache::page_size - place, bytes.size() - done);
    std::memcpy(bytes.data() + done, page + place, size);
    done += size;
  }
  return std::bit_cast<FreeChunk>(bytes);
}

void Walk::note_page(FreeList &list) {
  const std::uint64_t page = PageCache::page_of(list.at + 8);
  if (list.last_page == page)
    return;
  list.pages_ahead = adjoin(page, list.last_page) ? std::min(2 * list.pages_ahead + 1, max_pages_ahead_of_one) : 0;
  list.last_page = page;
  result_.pages.push_back(page);
}

Step Walk::look(FreeList &list) {
  const auto chunk = chunk_at(list.at);
  if (!chunk) {
    const std::uint64_t first = PageCache::page_of(list.at + 8);
    const std::uint64_t last = PageCache::page_of(list.at + 24);
    if (pages_.is_unreadable(first) || pages_.is_unreadable(last))
      return fail(fmt::format("the free chunk at {:#x} cannot be read", list.at.value));
    want(list, first, last);
    return Step::wait;
  }
  note_page(list);
  if (chunks_left_ == 0)
    return fail(fmt::format("there are more than {} free chunks", options_.chunk_limit));
  --chunks_left_;
  const std::uint64_t bytes = chunk_size(chunk->size);
  if (bytes < smallest_malloc_chunk || bytes % 16 != 0 || (list.exact_size != 0 && bytes != list.exact_size))
    return fail(fmt::format("the free chunk at {:#x} has {} bytes", list.at.value, bytes));
  if (!count(list, bytes))
    return fail(fmt::format("the arena at {:#x} has more free chunks than bytes", arenas_[list.arena].address().value));
  return list.is_fast ? take_from_fast_bin(list, chunk->forward) : take_from_bin(list, chunk->forward, chunk->back);
}

Step Walk::follow(FreeList &list) {
  Step step = Step::next;
  while (step == Step::next)
    step = look(list);
  return step;
}

FreeListResult Walk::run() {
  const auto deadline = std::chrono::steady_clock::now() + options_.time_limit;
  for (const std::uint64_t page :
       options_.expected_pages.first(std::min(options_.expected_pages.size(), max_expected_pages)))
    pages_.want(page);
  pages_.fetch();
  std::vector<FreeList> waiting = all_lists();
  std::vector<FreeList> followed;
  while (!waiting.empty() || !followed.empty()) {
    cancellation_point();
    while (followed.size() < max_followed && !waiting.empty()) {
      followed.push_back(waiting.back());
      waiting.pop_back();
    }
    ahead_left_ = max_pages_ahead;
    std::vector<FreeList> unfinished;
    for (FreeList &list : followed)
      if (follow(list) == Step::wait)
        unfinished.push_back(list);
    followed = std::move(unfinished);
    pages_.fetch();
    if (!followed.empty() && std::chrono::steady_clock::now() > deadline) {
      fail(fmt::format("following the free chunks would take longer than {} ms", options_.time_limit.count()));
      break;
    }
  }
  return std::move(result_);
}

} // namespace

FreeListResult follow_free_lists(PageCache &pages, std::span<const ArenaCopy> arenas, const FreeListOptions &options) {
  return Walk(pages, arenas, options).run();
}

} // namespace inspect
