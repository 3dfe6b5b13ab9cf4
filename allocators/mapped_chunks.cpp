#include "allocators/mapped_chunks.h"

#include "allocators/malloc_arena.h"

#include <array>
#include <optional>
#include <vector>

namespace inspect {
namespace {

constexpr std::uint64_t header_size = 16;
constexpr std::uint64_t flag_bits = 7;
constexpr std::uint64_t huge_pages_flag = 1; // 2.43: MMAP_HP, beside the distance
/// Chunks are looked for at a distance from the begin as alignments of up to 64 KB make it.
constexpr std::uint64_t max_pages_before = 16;

/// How far a chunk may be from the begin of its mapping: what it contains is aligned, and its header is before that.
const std::vector<std::uint64_t> &distances() {
  static const std::vector<std::uint64_t> all = [] {
    std::vector<std::uint64_t> found = {0};
    for (std::uint64_t alignment = 2 * header_size; alignment < system_page_size; alignment *= 2)
      found.push_back(alignment - header_size);
    for (std::uint64_t pages = 1; pages <= max_pages_before; ++pages)
      found.push_back(pages * system_page_size - header_size);
    return found;
  }();
  return all;
}

using Header = std::array<std::uint64_t, 2>;

/// Of the mapping of one chunk that has this header so far from the mapping's begin; nothing where it is none.
std::optional<std::uint64_t> mapping_size(const Header &header, std::uint64_t distance, std::uint64_t most,
                                          std::uint64_t size_left_out) {
  const std::uint64_t chunk = chunk_size(header[1]);
  if ((header[1] & flag_bits) != mapped_chunk_flag || (header[0] & ~huge_pages_flag) != distance || chunk == 0 ||
      chunk > most)
    return std::nullopt;
  const std::uint64_t size = distance + chunk + size_left_out;
  return size % system_page_size == 0 && size <= most ? std::optional(size) : std::nullopt;
}

/// Of the chunk whose mapping begins here. All places where its header may be are read at once.
std::optional<std::uint64_t> mapping_size_at(const MemoryView &memory, RunAddress begin, std::uint64_t most,
                                             std::uint64_t size_left_out) {
  // Up to 2.42 there is always a header at the begin.
  const std::size_t count = size_left_out == 0 ? 1 : distances().size();
  std::vector<Header> headers(count);
  std::vector<MemoryRead> reads;
  for (std::size_t i = 0; i < count && distances()[i] + header_size <= most; ++i)
    reads.push_back({begin + distances()[i], std::as_writable_bytes(std::span(headers[i]))});
  memory.read_many(reads);
  for (std::size_t i = 0; i < reads.size(); ++i)
    if (reads[i].done)
      if (const auto size = mapping_size(headers[i], distances()[i], most, size_left_out))
        return size;
  return std::nullopt;
}

} // namespace

std::uint64_t mapped_chunk_bytes(const MemoryView &memory, RunRange mapping, std::uint64_t size_left_out) {
  if (mapping.begin.value % system_page_size != 0)
    return 0;
  RunAddress at = mapping.begin;
  while (at < mapping.end) {
    const auto size = mapping_size_at(memory, at, mapping.end - at, size_left_out);
    if (!size)
      break;
    at = at + *size;
  }
  return at - mapping.begin;
}

} // namespace inspect
