#include "allocators/mapped_chunks.h"

#include "allocators/malloc_arena.h"

#include <array>
#include <optional>
#include <vector>

namespace inspect {
namespace {

constexpr std::uint64_t page_size = 4096;
constexpr std::uint64_t header_size = 16;
constexpr std::uint64_t flag_bits = 7;
constexpr std::uint64_t huge_pages_flag = 1; // 2.43: MMAP_HP, beside the distance
/// Chunks are looked for at a distance from the begin as alignments of up to 64 KB make it.
constexpr std::uint64_t most_pages_before = 16;

/// How far a chunk may be from the begin of its mapping: what it contains is aligned, and its header is before that.
const std::vector<std::uint64_t> &distances() {
  static const std::vector<std::uint64_t> all = [] {
    std::vector<std::uint64_t> found = {0};
    for (std::uint64_t alignment = 2 * header_size; alignment < page_size; alignment *= 2)
      found.push_back(alignment - header_size);
    for (std::uint64_t pages = 1; pages <= most_pages_before; ++pages)
      found.push_back(pages * page_size - header_size);
    return found;
  }();
  return all;
}

/// Of the mapping of one chunk that begins at the page; nothing where there is none.
std::optional<std::uint64_t> mapping_size(const MemoryView &memory, RunAddress begin, std::uint64_t distance,
                                          std::uint64_t most, std::uint64_t size_left_out) {
  if (distance + header_size > most)
    return std::nullopt;
  const auto header = read_value<std::array<std::uint64_t, 2>>(memory, begin + distance);
  if (!header || ((*header)[1] & flag_bits) != mapped_chunk_flag || ((*header)[0] & ~huge_pages_flag) != distance)
    return std::nullopt;
  const std::uint64_t chunk = chunk_size((*header)[1]);
  if (chunk == 0 || chunk > most)
    return std::nullopt;
  const std::uint64_t size = distance + chunk + size_left_out;
  return size % page_size == 0 && size <= most ? std::optional(size) : std::nullopt;
}

} // namespace

std::uint64_t mapped_chunk_bytes(const MemoryView &memory, RunRange mapping, std::uint64_t size_left_out) {
  if (mapping.begin.value % page_size != 0)
    return 0;
  RunAddress at = mapping.begin;
  while (at < mapping.end) {
    std::optional<std::uint64_t> size;
    for (const std::uint64_t distance : distances()) {
      // Before 2.43 there is always a header at the begin.
      if (size || (distance != 0 && size_left_out == 0))
        break;
      size = mapping_size(memory, at, distance, mapping.end - at, size_left_out);
    }
    if (!size)
      break;
    at = at + *size;
  }
  return at - mapping.begin;
}

} // namespace inspect
