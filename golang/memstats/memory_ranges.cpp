#include "golang/memstats/memory_ranges.h"

#include "golang/memstats/metadata_search.h"
#include "golang/runtime/structure_fields.h"

#include <algorithm>
#include <array>
#include <fmt/format.h>

namespace inspect {
namespace {

constexpr std::uint64_t arena_size = 64 << 20;            // runtime/malloc.go, heapArenaBytes of linux/amd64
constexpr std::uint64_t first_arena = 0xffff800000000000; // arenaBaseOffset of amd64: that of index 0
constexpr std::uint64_t arena_count = 1 << 22;            // arenaL2Bits
constexpr std::uint64_t chunk_table_size = 8192 * std::uint64_t{16 * 8}; // mpagealloc.go, pallocData of a L2 entry
constexpr std::uint64_t max_spans = std::uint64_t{1} << 26U;             // half a TiB of the smallest
constexpr std::uint8_t in_use = 1;                                       // mheap.go, mSpanInUse
constexpr std::size_t max_marks = 1 << 16;
constexpr std::uint8_t managed_by_hand = 2; // mheap.go, mSpanManual
constexpr std::size_t spans_at_once = 1 << 14;

class RangeReader {
public:
  RangeReader(const MemoryVariables &variables, const MemoryView &memory)
      : variables_(variables), layout_(*variables.layout), memory_(memory) {}

  Result<std::vector<GoMemoryRange>> read() {
    heap_.resize(static_cast<std::size_t>(layout_.heap.size));
    if (auto done = memory_.read(variables_.heap, heap_); !done)
      return std::unexpected(done.error().while_doing("reading the Go heap's variable"));
    read_arenas();
    read_spans();
    read_tables();
    read_unlisted();
    std::vector<GoMemoryRange> ranges;
    append(ranges, arenas_, GoRangeUse::heap_arena);
    append(ranges, stacks_, GoRangeUse::stack);
    append(ranges, tables_, GoRangeUse::metadata);
    return ranges;
  }

private:
  struct Slice {
    std::uint64_t data, length, capacity;
  };
  StructureFields heap() const { return StructureFields(heap_); }
  Slice slice_at(std::int32_t offset) const { return heap().value<Slice>(offset); }
  std::vector<std::uint64_t> words_of(Slice slice, std::uint64_t most) const;
  void add(std::vector<RunRange> &ranges, std::uint64_t begin, std::uint64_t size);
  void add_arenas(std::int32_t list);
  void add_span(std::span<const std::byte> bytes);
  void read_arenas();
  void read_spans();
  void read_tables();
  void read_unlisted();
  static void append(std::vector<GoMemoryRange> &all, std::vector<RunRange> &ranges, GoRangeUse use);

  const MemoryVariables &variables_;
  const MemoryLayout &layout_;
  const MemoryView &memory_;
  std::vector<std::byte> heap_;
  std::vector<RunRange> arenas_, stacks_, tables_;
  std::vector<RunAddress> some_spans_; ///< structures that lie in persistent chunks
  std::vector<RunAddress> marks_;      ///< where spans have their mark bits
};

std::vector<std::uint64_t> RangeReader::words_of(Slice slice, std::uint64_t most) const {
  if (slice.data == 0 || slice.length > most || slice.length > slice.capacity)
    return {};
  std::vector<std::uint64_t> words(static_cast<std::size_t>(slice.length));
  if (!memory_.read({slice.data}, std::as_writable_bytes(std::span(words))))
    words.clear();
  return words;
}

void RangeReader::add(std::vector<RunRange> &ranges, std::uint64_t begin, std::uint64_t size) {
  if (begin != 0 && size != 0 && begin < end_of_user_space && size <= end_of_user_space - begin)
    ranges.push_back({{begin}, {begin + size}});
}

void RangeReader::add_arenas(std::int32_t list) {
  if (list < 0)
    return;
  for (const std::uint64_t index : words_of(slice_at(list), arena_count))
    if (index < arena_count)
      add(arenas_, index * arena_size + first_arena, arena_size);
}

/// And the structures that describe them, of which some are larger than all other tables.
void RangeReader::read_arenas() {
  add_arenas(layout_.heap.arena_list);
  add_arenas(layout_.heap.user_arena_list);
  const std::uint64_t table = heap().word(layout_.heap.arenas);
  add(tables_, table, arena_count * 8);
  for (const RunRange arena : arenas_) {
    const std::uint64_t index = (arena.begin.value - first_arena) / arena_size;
    add(tables_, read_word(memory_, RunAddress{table} + index * 8).value_or(0),
        static_cast<std::uint64_t>(layout_.arena.size));
  }
  std::ranges::sort(arenas_);
}

void RangeReader::add_span(std::span<const std::byte> bytes) {
  const StructureFields span(bytes);
  const auto state = span.value<std::uint8_t>(layout_.span.state);
  if (state == in_use && marks_.size() < max_marks)
    marks_.push_back(span.address(layout_.span.mark_bits));
  if (state != managed_by_hand || span.word(layout_.span.element_size) == 0)
    return;
  const RunAddress start = span.address(layout_.span.start);
  const std::uint64_t pages = span.word(layout_.span.pages);
  const auto after = std::ranges::upper_bound(arenas_, start, {}, &RunRange::begin);
  if (after == arenas_.begin() || !std::prev(after)->contains(start) || pages > end_of_user_space / go_page_size)
    return;
  add(stacks_, start.value, pages * go_page_size);
}

void RangeReader::read_spans() {
  const std::vector<std::uint64_t> spans = words_of(slice_at(layout_.heap.all_spans), max_spans);
  const auto size = static_cast<std::size_t>(layout_.span.size);
  std::vector<std::byte> bytes(std::min(spans.size(), spans_at_once) * size);
  for (std::size_t first = 0; first < spans.size(); first += spans_at_once) {
    const std::size_t count = std::min(spans.size() - first, spans_at_once);
    std::vector<MemoryRead> reads;
    for (std::size_t i = 0; i < count; ++i)
      reads.push_back({{spans[first + i]}, std::span(bytes).subspan(i * size, size)});
    memory_.read_many(reads);
    for (const MemoryRead &read : reads)
      if (read.done)
        add_span(read.into);
    some_spans_.push_back({spans[first]});
  }
}

void RangeReader::read_tables() {
  for (std::int32_t level = 0; level < layout_.heap.summary_levels; ++level) {
    const auto summary = slice_at(layout_.heap.summaries + level * 24);
    add(tables_, summary.data, std::min(summary.capacity, end_of_user_space / 8) * 8);
  }
  for (std::int32_t i = 0; i < layout_.heap.chunk_count; ++i)
    add(tables_, heap().word(layout_.heap.chunks + i * 8), chunk_table_size);
  if (layout_.heap.scavenge_index >= 0) {
    const std::uint64_t element = layout_.version >= GoVersion{1, 21} ? 8 : 1;
    const auto index = slice_at(layout_.heap.scavenge_index);
    add(tables_, index.data, std::min(index.capacity, end_of_user_space / 8) * element);
  }
  const auto spans = slice_at(layout_.heap.all_spans);
  add(tables_, spans.data, std::min(spans.capacity, max_spans) * 8);
}

void RangeReader::read_unlisted() {
  const GoImage &image = *variables_.image;
  const std::vector<RunRange> chunks = find_persistent_chunks(image, some_spans_, memory_);
  const std::vector<RunRange> mark_bits = find_mark_bits(image, std::move(marks_), memory_);
  tables_.insert(tables_.end(), chunks.begin(), chunks.end());
  tables_.insert(tables_.end(), mark_bits.begin(), mark_bits.end());
  const RunRange profile = find_profile_table(image, chunks, memory_);
  add(tables_, profile.begin.value, profile.size());
}

/// Sorted, and neighbours as one.
void RangeReader::append(std::vector<GoMemoryRange> &all, std::vector<RunRange> &ranges, GoRangeUse use) {
  std::ranges::sort(ranges);
  const std::size_t first = all.size();
  for (const RunRange range : ranges) {
    if (all.size() > first && range.begin <= all.back().range.end)
      all.back().range.end = std::max(all.back().range.end, range.end);
    else
      all.push_back({range, use});
  }
}

} // namespace

Result<std::vector<GoMemoryRange>> read_memory_ranges(const MemoryVariables &variables, const MemoryView &memory) {
  return RangeReader(variables, memory).read();
}

} // namespace inspect
