#include "golang/image/data_words.h"

#include "machine/cancellation_point.h"

#include <algorithm>
#include <vector>

namespace inspect {
namespace {

constexpr std::size_t chunk_words = 1 << 17;
constexpr std::uint64_t max_data_scanned = std::uint64_t{1} << 30;

} // namespace

void each_word(RunRange range, const MemoryView &memory,
               const std::function<void(RunAddress, std::span<const std::uint64_t>)> &visit, std::size_t following) {
  std::vector<std::uint64_t> words(chunk_words + following);
  const RunAddress begin{(range.begin.value + 7) / 8 * 8};
  const RunAddress end =
      begin + std::min<std::uint64_t>(range.end.value > begin.value ? range.end - begin : 0, max_data_scanned);
  for (RunAddress at = begin; at < end; at = at + chunk_words * 8) {
    cancellation_point();
    const auto count = static_cast<std::size_t>(std::min<std::uint64_t>(words.size(), (end - at) / 8));
    const auto chunk = std::span(words).first(count);
    if (!memory.read(at, std::as_writable_bytes(chunk)))
      continue;
    for (std::size_t i = 0; i < std::min(count, chunk_words); ++i)
      if (chunk[i] != 0)
        visit(at + i * 8, chunk.subspan(i));
  }
}

void each_unset_word(const ModuleData &data, const MemoryView &memory,
                     const std::function<void(RunAddress, std::span<const std::uint64_t>)> &visit,
                     std::size_t following) {
  constexpr std::uint64_t most = 64 << 20;
  for (const RunRange range : {data.bss, data.pointer_free_bss})
    each_word({range.begin, range.begin + std::min(range.size(), most)}, memory, visit, following);
}

} // namespace inspect
