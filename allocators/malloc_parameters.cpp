#include "allocators/malloc_parameters.h"

#include <bit>
#include <span>

namespace inspect {
namespace {

constexpr std::uint32_t usual_max_mapped = 65'536;          // malloc.c: DEFAULT_MMAP_MAX
constexpr std::uint64_t usual_threshold = 128 * 1024;       // DEFAULT_MMAP_THRESHOLD_MIN
constexpr std::uint64_t max_usual_threshold = 32ULL << 20U; // DEFAULT_MMAP_THRESHOLD_MAX
constexpr std::uint64_t usual_arena_test = 8;               // NARENAS_FROM_NCORES (1)
/// From the start of the heap on; a wrong start does not lead that far.
constexpr int chunks_followed = 16;
constexpr std::uint64_t max_range = 64ULL << 20U;

class Fields {
public:
  Fields(std::span<const std::byte> bytes, const MallocParametersLayout &layout) : bytes_(bytes), layout_(layout) {}

  std::uint64_t word(std::uint32_t offset) const { return at<std::uint64_t>(offset); }
  std::uint32_t count(std::uint32_t offset) const { return at<std::uint32_t>(offset); }
  MallocParameters parameters() const {
    return {count(layout_.n_mmaps),
            word(layout_.mmapped_mem),
            layout_.hp_pagesize ? word(*layout_.hp_pagesize) : 0,
            RunAddress{word(layout_.sbrk_base)},
            count(layout_.max_n_mmaps),
            word(layout_.max_mmapped_mem)};
  }
  bool has_usual_limits() const;
  bool has_usual_thresholds() const;

private:
  template <typename T> T at(std::uint32_t offset) const {
    T value{};
    if (offset + sizeof value <= bytes_.size())
      std::memcpy(&value, bytes_.data() + offset, sizeof value);
    return value;
  }

  std::span<const std::byte> bytes_;
  const MallocParametersLayout &layout_;
};

/// Programs change these two with mallopt(3) or a tunable if at all, and hardly any does.
bool Fields::has_usual_limits() const {
  return count(layout_.n_mmaps_max) == usual_max_mapped && word(layout_.arena_test) == usual_arena_test;
}

/// As they are at first, and as malloc itself raises them when a mapped chunk is freed.
bool Fields::has_usual_thresholds() const {
  const std::uint64_t threshold = word(layout_.mmap_threshold);
  const std::uint64_t trim = word(layout_.trim_threshold);
  return threshold >= usual_threshold && threshold <= max_usual_threshold &&
         (trim == usual_threshold || trim == 2 * threshold);
}

bool counts_fit(const MallocParameters &parameters) {
  return parameters.mapped_chunks <= parameters.max_mapped_chunks &&
         parameters.mapped_bytes <= parameters.max_mapped_bytes && parameters.mapped_bytes % system_page_size == 0 &&
         parameters.max_mapped_bytes % system_page_size == 0 && parameters.max_mapped_bytes < end_of_user_space &&
         (parameters.mapped_chunks == 0) == (parameters.mapped_bytes == 0) &&
         (parameters.max_mapped_chunks == 0) == (parameters.max_mapped_bytes == 0) &&
         parameters.mapped_bytes / system_page_size >= parameters.mapped_chunks &&
         parameters.max_mapped_chunks <= usual_max_mapped * std::uint64_t{1024} &&
         (parameters.huge_page_size == 0 || std::has_single_bit(parameters.huge_page_size));
}

/// malloc begins its first chunk at the next place that is aligned. From there on each chunk begins where the one
/// before it ends, up to the top chunk or to where somebody else has moved the break meanwhile.
bool heap_begins_at(const MemoryView &memory, RunAddress begin, const ArenaCopy &main_arena) {
  RunAddress chunk{(begin.value + 15) & ~std::uint64_t{15}};
  for (int i = 0; i < chunks_followed && chunk != main_arena.top(); ++i) {
    const auto word = read_word(memory, chunk + 8);
    const std::uint64_t size = word ? chunk_size(*word) : 0;
    if (size < smallest_malloc_chunk / 2 || size % 16 != 0 || size > main_arena.system_bytes() ||
        (*word & mapped_chunk_flag) != 0)
      return false;
    chunk = chunk + size;
  }
  return true;
}

bool heap_fits(const MemoryView &memory, const MallocParameters &parameters, const ArenaCopy &main_arena) {
  if (parameters.heap_begin.value == 0) // nothing was taken, or all of it with mmap(2) because brk(2) failed
    return main_arena.is_untouched() || main_arena.top_is_initial();
  return parameters.heap_begin.value < end_of_user_space && heap_begins_at(memory, parameters.heap_begin, main_arena);
}

} // namespace

Result<MallocParameters> read_malloc_parameters(const MemoryView &memory, RunAddress address,
                                                const MallocParametersLayout &layout) {
  std::vector<std::byte> bytes(layout.size());
  if (auto done = memory.read(address, bytes); !done)
    return std::unexpected(done.error().while_doing("reading the parameters of malloc"));
  return Fields(bytes, layout).parameters();
}

bool are_malloc_parameters(const MemoryView &memory, RunAddress address, const MallocParametersLayout &layout,
                           const ArenaCopy &main_arena) {
  const auto parameters = read_malloc_parameters(memory, address, layout);
  return parameters && counts_fit(*parameters) &&
         (parameters->heap_begin.value == 0 || heap_fits(memory, *parameters, main_arena));
}

std::optional<RunAddress> search_malloc_parameters(const MemoryView &memory, RunRange range,
                                                   const MallocParametersLayout &layout, const ArenaCopy &main_arena) {
  if (range.size() > max_range || range.size() < layout.size())
    return std::nullopt;
  std::vector<std::byte> bytes(range.size());
  if (!memory.read(range.begin, bytes))
    return std::nullopt;
  std::optional<RunAddress> found;
  for (std::size_t at = 0; at + layout.size() <= bytes.size(); at += 8) {
    const Fields fields(std::span<const std::byte>(bytes).subspan(at, layout.size()), layout);
    if (!fields.has_usual_limits())
      continue;
    const MallocParameters parameters = fields.parameters();
    if (parameters.heap_begin.value == 0 && !fields.has_usual_thresholds())
      continue;
    if (!counts_fit(parameters) || !heap_fits(memory, parameters, main_arena))
      continue;
    if (found)
      return std::nullopt;
    found = range.begin + at;
  }
  return found;
}

} // namespace inspect
