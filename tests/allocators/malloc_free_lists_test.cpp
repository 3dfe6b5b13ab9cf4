#include "allocators/malloc_free_lists.h"
#include "tests/support/catch.h"

#include <cstring>

namespace inspect::test {
namespace {

constexpr RunAddress arena_address{0x7f0000001000};

/// An arena of a megabyte whose bins are all empty.
std::vector<std::byte> empty_arena(const MallocStateLayout &layout) {
  std::vector<std::byte> bytes(layout.size());
  const auto put = [&](std::uint64_t offset, std::uint64_t word) {
    std::memcpy(bytes.data() + offset, &word, sizeof word);
  };
  for (std::uint64_t offset = layout.bins; offset < layout.bins + 16 * malloc_bin_count; offset += 16) {
    put(offset, arena_address.value + offset - 16);
    put(offset + 8, arena_address.value + offset - 16);
  }
  put(layout.top, 0x7f0000020000);
  put(layout.next, arena_address.value);
  put(layout.attached_threads, 1);
  put(layout.system_mem, 1 << 20);
  put(layout.max_system_mem, 1 << 20);
  return bytes;
}

/// Where the heap is tells how far a wrong reading of a link leads.
struct Row {
  std::uint64_t heap;
  bool protects;
};

TEST_CASE("Links of fast bins are followed whether or not they are protected, and whether or not that is known") {
  const MallocStateLayout &layout = known_malloc_layouts()[1].state;
  for (const Row &row : {Row{0x7f0000010000, true}, Row{0x7f0000010000, false}, Row{0x555555550000, true},
                         Row{0x555555550000, false}, Row{0x4c0000, true}, Row{0x4c0000, false}}) {
    INFO("a heap at " << std::hex << row.heap << (row.protects ? ", protected" : ", plain"));
    // The second one begins two words before the end of a page, so that its link is in the next.
    const std::vector<std::uint64_t> chunks = {row.heap + 0x2010, row.heap + 0xff0, row.heap + 0x1340};
    std::vector<std::byte> heap(3 * PageCache::page_size);
    for (std::size_t i = 0; i < chunks.size(); ++i) {
      const std::uint64_t next = i + 1 < chunks.size() ? chunks[i + 1] : 0;
      const std::uint64_t words[] = {0x31, row.protects ? next ^ (chunks[i] + 16) >> 12U : next};
      std::memcpy(heap.data() + (chunks[i] - row.heap) + 8, words, sizeof words);
    }
    BufferMemory memory;
    memory.add(RunAddress{row.heap}, heap);
    std::vector<std::byte> bytes = empty_arena(layout);
    std::memcpy(bytes.data() + layout.fast_bins + 8, chunks.data(), sizeof(std::uint64_t)); // of 48 bytes
    const std::vector<ArenaCopy> arenas = {ArenaCopy(arena_address, layout, bytes)};
    REQUIRE(arenas[0].problem().empty());
    PageCache pages(memory);
    for (const std::optional<bool> known : {std::optional<bool>(), std::optional(row.protects)}) {
      const auto result = follow_free_lists(pages, arenas,
                                            {.protected_links = known,
                                             .chunk_limit = 1000,
                                             .time_limit = std::chrono::seconds(60),
                                             .expected_pages = {}});
      CHECK(result.why_incomplete.empty());
      CHECK(result.arenas[0].fast_chunks == 3);
      CHECK(result.arenas[0].fast_bytes == 3 * 48);
      CHECK(result.arenas[0].chunks == 0);
    }
    const auto wrong = follow_free_lists(pages, arenas,
                                         {.protected_links = !row.protects,
                                          .chunk_limit = 1000,
                                          .time_limit = std::chrono::seconds(60),
                                          .expected_pages = {}});
    CHECK_FALSE(wrong.why_incomplete.empty());
  }
}

} // namespace
} // namespace inspect::test
