#include "golang/memstats/metadata_search.h"

#include "dwarf/symbols/named_symbols.h"
#include "golang/image/data_words.h"
#include "machine/cancellation_point.h"

#include <algorithm>
#include <array>
#include <functional>

namespace inspect {
namespace {

constexpr std::uint64_t chunk_size = 256 << 10;
constexpr std::uint64_t mark_arena_size = 64 << 10;
constexpr std::uint64_t profile_table_words = 179999; // mprof.go, buckHashSize
constexpr std::uint64_t system_page = 4096;
constexpr std::size_t max_steps = 1 << 21; // 512 GiB of chunks
constexpr int max_tables_read = 256;

/// What one searches for is reached by a page's address, and what is there begins with a header of two words.
using Header = std::array<std::uint64_t, 2>;

bool may_begin_page(std::uint64_t value) {
  return value != 0 && value % system_page == 0 && value < end_of_user_space;
}

/// The blocks of a list whose blocks have the next one's address in one word of their header, as long as `is_one` says
/// so of each header. Empty where it is no such list. `steps` are how many may be taken yet: in a hostile process all
/// words lead to lists.
std::vector<RunRange> follow(std::uint64_t head, std::uint64_t size, std::size_t link, const MemoryView &memory,
                             std::size_t &steps, const std::function<bool(const Header &)> &is_one) {
  std::vector<RunRange> blocks;
  for (std::uint64_t at = head; at != 0; --steps) {
    cancellation_point();
    const auto header = may_begin_page(at) && steps > 0 ? read_value<Header>(memory, {at})
                                                        : Result<Header>(std::unexpect, ErrorKind::corrupt, "");
    if (!header || !is_one(*header))
      return {};
    blocks.push_back({{at}, {at + size}});
    at = (*header)[link];
  }
  return blocks;
}

bool holds_all(std::span<const RunRange> blocks, std::span<const RunAddress> inside) {
  return std::ranges::all_of(inside, [&](RunAddress address) {
    return std::ranges::any_of(blocks, [&](RunRange block) { return block.contains(address); });
  });
}

/// `sorted` ascending.
bool holds_some(std::span<const RunRange> blocks, std::span<const RunAddress> sorted) {
  return std::ranges::any_of(blocks, [&](RunRange block) {
    const auto at = std::ranges::lower_bound(sorted, block.begin);
    return at != sorted.end() && block.contains(*at);
  });
}

RunAddress variable(const GoImage &image, std::string_view name) {
  const LinkAddress symbol = find_named_symbols(*image.module, std::span(&name, 1)).front();
  return symbol != LinkAddress{} ? image.module->bias().to_run(symbol) : RunAddress{};
}

bool is_profile_table(std::uint64_t address, std::span<const RunRange> chunks, std::span<std::uint64_t> words,
                      const MemoryView &memory) {
  if (!memory.read({address}, std::as_writable_bytes(words)))
    return false;
  bool any = false;
  for (const std::uint64_t word : words) {
    any |= word != 0;
    if (word != 0 && std::ranges::none_of(chunks, [&](RunRange chunk) { return chunk.contains({word}); }))
      return false;
  }
  return any;
}

} // namespace

std::vector<RunRange> find_persistent_chunks(const GoImage &image, std::span<const RunAddress> inside,
                                             const MemoryView &memory) {
  const auto any = [](const Header &) { return true; };
  std::size_t steps = max_steps;
  if (const RunAddress known = variable(image, "runtime.persistentChunks"); known.value != 0)
    return follow(read_word(memory, known).value_or(0), chunk_size, 0, memory, steps, any);
  std::vector<RunRange> longest;
  each_unset_word(image.data, memory, [&](RunAddress, std::span<const std::uint64_t> words) {
    if (!may_begin_page(words[0]) || inside.empty())
      return;
    // What a word leads to may be older chunks only: those before the last.
    std::vector<RunRange> chunks = follow(words[0], chunk_size, 0, memory, steps, any);
    if (chunks.size() > longest.size() && holds_all(chunks, inside))
      longest = std::move(chunks);
  });
  return longest;
}

std::vector<RunRange> find_mark_bits(const GoImage &image, std::vector<RunAddress> marks, const MemoryView &memory) {
  std::ranges::sort(marks);
  const auto is_arena = [](const Header &header) { return header[0] <= mark_arena_size; };
  std::size_t steps = max_steps;
  const auto list_at = [&](std::uint64_t head) {
    return may_begin_page(head) ? follow(head, mark_arena_size, 1, memory, steps, is_arena) : std::vector<RunRange>();
  };
  std::vector<RunRange> arenas;
  each_unset_word(image.data, memory, [&](RunAddress place, std::span<const std::uint64_t> words) {
    const std::vector<RunRange> list = list_at(words[0]);
    if (!holds_some(list, marks))
      return;
    arenas.insert(arenas.end(), list.begin(), list.end());
    // Of the four lists those of free arenas hold no span's bits; they lie beside the others.
    for (const RunAddress beside : {place - 16, place - 8, place + 8}) {
      const std::vector<RunRange> other = list_at(read_word(memory, beside).value_or(0));
      arenas.insert(arenas.end(), other.begin(), other.end());
    }
  });
  return arenas;
}

RunRange find_profile_table(const GoImage &image, std::span<const RunRange> chunks, const MemoryView &memory) {
  std::vector<std::uint64_t> words(profile_table_words);
  const auto table_at = [&](std::uint64_t address) { return RunRange{{address}, {address + profile_table_words * 8}}; };
  if (const RunAddress known = variable(image, "runtime.buckhash"); known.value != 0) {
    const std::uint64_t table = read_word(memory, known).value_or(0);
    return may_begin_page(table) ? table_at(table) : RunRange{};
  }
  RunRange found;
  int reads = 0;
  each_unset_word(image.data, memory, [&](RunAddress, std::span<const std::uint64_t> candidate) {
    if (found.size() != 0 || !may_begin_page(candidate[0]) || reads == max_tables_read)
      return;
    ++reads;
    if (is_profile_table(candidate[0], chunks, words, memory))
      found = table_at(candidate[0]);
  });
  return found;
}

} // namespace inspect
