#include "dwarf/module/load_layout.h"

#include <algorithm>

namespace inspect {
namespace {

constexpr std::uint64_t page_size = 4096;
constexpr std::uint64_t max_segment_size = 1ull << 40;
// Splits by mprotect can give thousands of mappings; these many settle the question.
constexpr std::size_t max_mappings_compared = 64;

std::uint64_t page_floor(std::uint64_t value) {
  return value & ~(page_size - 1);
}
std::uint64_t page_ceiling(std::uint64_t value) {
  return page_floor(value + page_size - 1);
}

bool plausible(const Elf64_Phdr &header) {
  return header.p_type == PT_LOAD && header.p_filesz <= header.p_memsz && header.p_memsz <= max_segment_size &&
         header.p_offset <= max_segment_size && header.p_vaddr + header.p_memsz >= header.p_vaddr;
}

/// The mapping shows a file page that belongs to the segment.
bool shows(const MappedSegment &mapping, const Elf64_Phdr &header) {
  return plausible(header) && header.p_filesz != 0 && mapping.offset.value >= page_floor(header.p_offset) &&
         mapping.offset.value < page_ceiling(header.p_offset + header.p_filesz);
}

std::uint64_t bias_from(const MappedSegment &mapping, const Elf64_Phdr &header) {
  return mapping.range.begin.value - mapping.offset.value - (header.p_vaddr - header.p_offset);
}

} // namespace

std::size_t count_explained(const std::vector<Elf64_Phdr> &program_headers, LoadBias bias,
                            const std::vector<MappedSegment> &mapped) {
  std::size_t explained = 0;
  for (std::size_t i = 0; i < std::min(mapped.size(), max_mappings_compared); ++i) {
    const auto fits = [&](const Elf64_Phdr &header) {
      return shows(mapped[i], header) && bias_from(mapped[i], header) == bias.value &&
             (mapped[i].executable == ((header.p_flags & PF_X) != 0));
    };
    explained += std::ranges::any_of(program_headers, fits) ? 1 : 0;
  }
  return explained;
}

std::optional<LoadBias> find_load_bias(const std::vector<Elf64_Phdr> &program_headers,
                                       const std::vector<MappedSegment> &mapped) {
  std::vector<std::uint64_t> candidates;
  // An executable mapping of an executable segment first: of two biases that explain the same number of mappings the
  // earlier candidate wins.
  for (const bool executable : {true, false})
    for (std::size_t i = 0; i < std::min(mapped.size(), max_mappings_compared); ++i)
      for (const Elf64_Phdr &header : program_headers) {
        if (mapped[i].executable != executable || !shows(mapped[i], header) ||
            (executable && (header.p_flags & PF_X) == 0))
          continue;
        const std::uint64_t bias = bias_from(mapped[i], header);
        if (bias % page_size == 0 && std::ranges::find(candidates, bias) == candidates.end() &&
            candidates.size() < max_mappings_compared)
          candidates.push_back(bias);
      }
  std::optional<LoadBias> best;
  std::size_t best_explained = 0;
  for (const std::uint64_t candidate : candidates) {
    const std::size_t explained = count_explained(program_headers, LoadBias{candidate}, mapped);
    if (!best || explained > best_explained) {
      best = LoadBias{candidate};
      best_explained = explained;
    }
  }
  return best;
}

std::vector<RunRange> loaded_ranges(const std::vector<Elf64_Phdr> &program_headers, LoadBias bias) {
  std::vector<RunRange> ranges;
  for (const Elf64_Phdr &header : program_headers) {
    if (!plausible(header) || header.p_memsz == 0)
      continue;
    const RunAddress begin = bias.to_run(LinkAddress{header.p_vaddr});
    const RunRange range{{page_floor(begin.value)}, {page_ceiling(begin.value + header.p_memsz)}};
    if (range.begin < range.end)
      ranges.push_back(range);
  }
  std::ranges::sort(ranges);
  std::vector<RunRange> merged;
  for (const RunRange &range : ranges) {
    if (!merged.empty() && range.begin <= merged.back().end)
      merged.back().end = std::max(merged.back().end, range.end);
    else
      merged.push_back(range);
  }
  return merged;
}

} // namespace inspect
