#include "golang/persistent_chunks.h"

#include "dwarf/named_symbols.h"
#include "golang/data_words.h"

#include <algorithm>

namespace inspect {
namespace {

constexpr std::uint64_t chunk_size = 256 << 10;
constexpr std::uint64_t system_page = 4096;
constexpr std::uint64_t end_of_user_space = 1ULL << 47U;
constexpr std::size_t most_steps = 1 << 21; // 512 GiB of metadata

/// Empty where it is no such chain. `steps` are how many may be taken yet: in a hostile process all words lead to chains.
std::vector<RunRange> follow(std::uint64_t head, const MemoryView &memory, std::size_t &steps) {
  std::vector<RunRange> chunks;
  for (std::uint64_t at = head; at != 0; --steps) {
    if (at % system_page != 0 || at >= end_of_user_space || steps == 0)
      return {};
    const auto next = read_word(memory, {at});
    if (!next)
      return {};
    chunks.push_back({{at}, {at + chunk_size}});
    at = *next;
  }
  return chunks;
}

bool holds(std::span<const RunRange> chunks, std::span<const RunAddress> inside) {
  return std::ranges::all_of(inside, [&](RunAddress address) {
    return std::ranges::any_of(chunks, [&](RunRange chunk) { return chunk.contains(address); });
  });
}

} // namespace

std::vector<RunRange> find_persistent_chunks(const GoImage &image, std::span<const RunAddress> inside,
                                             const MemoryView &memory) {
  constexpr std::string_view name = "runtime.persistentChunks";
  const LinkAddress symbol = find_named_symbols(*image.module, std::span(&name, 1)).front();
  std::size_t steps = most_steps;
  if (symbol != LinkAddress{})
    return follow(read_word(memory, image.module->bias().to_run(symbol)).value_or(0), memory, steps);
  std::vector<RunRange> longest;
  for (const RunRange range : {image.data.bss, image.data.pointer_free_bss})
    each_word(range, memory, [&](RunAddress, std::span<const std::uint64_t> words) {
      if (words[0] % system_page != 0 || words[0] >= end_of_user_space)
        return;
      // What a word leads to may be older chunks only: those before the last.
      std::vector<RunRange> chunks = follow(words[0], memory, steps);
      if (chunks.size() > longest.size() && !inside.empty() && holds(chunks, inside))
        longest = std::move(chunks);
    });
  return longest;
}

} // namespace inspect
