#include "attach/snapshot/stack_ranges.h"

#include <algorithm>

namespace inspect {

std::optional<StackRange> stack_range(const std::vector<Mapping> &maps, RunAddress stack_pointer, std::uint64_t limit) {
  const Mapping *mapping = find_mapping(maps, stack_pointer);
  if (mapping == nullptr || !mapping->readable) {
    mapping = find_mapping(maps, stack_pointer - 1);
    if (mapping == nullptr || !mapping->readable)
      return std::nullopt;
  }
  const RunRange whole = mapping->range;
  const std::uint64_t below = std::min(red_zone_bytes, stack_pointer - whole.begin);
  const RunAddress begin = stack_pointer - below;
  const std::uint64_t available = whole.end - begin;
  const bool is_main_stack = mapping->path == "[stack]";
  const bool ends_with_stack = is_main_stack || whole.size() <= max_mapping_of_one_stack;
  const bool in_heap = whole.size() > max_stack_mapping_size && !is_main_stack;
  const std::uint64_t wanted = in_heap ? std::min(available, stack_in_heap_bytes) : available;
  const std::uint64_t size = std::min(wanted, limit);
  return StackRange{{begin, begin + size}, ends_with_stack && size < wanted};
}

std::size_t limit_total(std::span<StackRange> ranges, std::uint64_t total) {
  std::vector<std::uint64_t> sizes;
  sizes.reserve(ranges.size());
  std::uint64_t sum = 0;
  for (const StackRange &one : ranges) {
    sizes.push_back(one.range.size());
    sum += sizes.back();
  }
  if (sum <= total)
    return 0;
  // From the shortest up: what a short one does not use of its share goes to the longer ones.
  std::ranges::sort(sizes);
  std::uint64_t left = total;
  std::uint64_t share = 0;
  for (std::size_t i = 0; i < sizes.size(); ++i) {
    share = left / (sizes.size() - i);
    if (sizes[i] > share)
      break;
    left -= sizes[i];
  }
  std::size_t cut = 0;
  for (StackRange &one : ranges) {
    if (one.range.size() <= share)
      continue;
    one.range.end = one.range.begin + share;
    one.cut = true;
    ++cut;
  }
  return cut;
}

std::vector<RunRange> merge_ranges(std::vector<RunRange> ranges) {
  std::ranges::sort(ranges);
  std::vector<RunRange> merged;
  merged.reserve(ranges.size());
  for (const RunRange &one : ranges) {
    if (one.size() == 0)
      continue;
    if (!merged.empty() && one.begin <= merged.back().end)
      merged.back().end = std::max(merged.back().end, one.end);
    else
      merged.push_back(one);
  }
  return merged;
}

std::vector<RunRange> subtract_ranges(std::span<const RunRange> ranges, std::span<const RunRange> held) {
  std::vector<RunRange> rest;
  for (RunRange one : ranges) {
    auto other = std::ranges::upper_bound(held, one.begin, {}, &RunRange::end);
    for (; other != held.end() && other->begin < one.end; ++other) {
      if (one.begin < other->begin)
        rest.push_back({one.begin, other->begin});
      one.begin = std::max(one.begin, other->end);
    }
    if (one.size() > 0)
      rest.push_back(one);
  }
  return rest;
}

} // namespace inspect
