#include "attach/stack_copy.h"

#include "attach/signal_frame_search.h"
#include "attach/stack_ranges.h"

#include <algorithm>
#include <cstring>
#include <fmt/format.h>

namespace inspect {

void StackCopy::prepare(std::size_t threads) {
  constexpr std::uint64_t expected_stack = 8U << 10;
  constexpr std::uint64_t most_prepared = 64U << 20;
  constexpr std::uint64_t page = 4096;
  reserve(std::min({(threads + 16) * expected_stack, most_prepared, options_.total_limit_bytes}));
  for (std::uint64_t i = 0; i < capacity_; i += page)
    bytes_[i] = std::byte{0};
}

void StackCopy::copy(std::span<const RunAddress> stack_pointers) {
  read(ranges_of(stack_pointers, Certainty::register_value));
  const std::vector<RunAddress> interrupted = interrupted_stacks(stack_pointers);
  if (interrupted.empty())
    return;
  std::vector<RunRange> held;
  for (const SnapshotMemory::Range &one : ranges_)
    held.push_back(one.range);
  read(subtract_ranges(ranges_of(interrupted, Certainty::found_in_memory), held));
  std::ranges::sort(ranges_, {}, [](const SnapshotMemory::Range &one) { return one.range.begin; });
}

std::vector<RunRange> StackCopy::ranges_of(std::span<const RunAddress> stack_pointers, Certainty certainty) {
  std::vector<StackRange> stacks;
  stacks.reserve(stack_pointers.size());
  for (const RunAddress pointer : stack_pointers) {
    // What only looks like a signal frame's stack pointer is not worth another reading of the maps, nor a warning.
    const bool is_certain = certainty == Certainty::register_value;
    const auto stack = is_certain ? range_of(pointer) : stack_range(maps(), pointer, options_.stack_limit_bytes);
    outside_ += is_certain && !stack;
    if (!stack)
      continue;
    cut_by_limit_ += stack->cut;
    stacks.push_back(*stack);
  }
  cut_by_total_ += limit_total(stacks, options_.total_limit_bytes - std::min(used_, options_.total_limit_bytes));
  std::vector<RunRange> ranges;
  ranges.reserve(stacks.size());
  for (const StackRange &stack : stacks)
    ranges.push_back(stack.range);
  return merge_ranges(std::move(ranges));
}

std::optional<StackRange> StackCopy::range_of(RunAddress stack_pointer) {
  auto stack = stack_range(maps(), stack_pointer, options_.stack_limit_bytes);
  if (stack || newer_maps_)
    return stack;
  // A thread was born, or the main stack grew, after the mappings were read. They do not change while all is stopped,
  // so that one more reading is enough.
  auto newer = read_memory_map(process_);
  newer_maps_ = newer ? std::move(*newer) : std::vector<Mapping>();
  return stack_range(*newer_maps_, stack_pointer, options_.stack_limit_bytes);
}

void StackCopy::reserve(std::uint64_t more) {
  if (capacity_ - used_ >= more)
    return;
  const std::uint64_t capacity = used_ + more;
  auto larger = std::make_unique_for_overwrite<std::byte[]>(capacity);
  if (used_ > 0)
    std::memcpy(larger.get(), bytes_.get(), used_);
  bytes_ = std::move(larger);
  capacity_ = capacity;
}

void StackCopy::read(std::span<const RunRange> ranges) {
  std::uint64_t total = 0;
  for (const RunRange &one : ranges)
    total += one.size();
  reserve(total);
  std::vector<MemoryRead> reads;
  reads.reserve(ranges.size());
  std::uint64_t position = used_;
  for (const RunRange &one : ranges) {
    reads.push_back({one.begin, std::span(bytes_.get() + position, one.size())});
    position += one.size();
  }
  memory_.read_many(reads);
  ranges_.reserve(ranges_.size() + ranges.size());
  for (const MemoryRead &one : reads) {
    RunRange got{one.address, one.address + one.into.size()};
    if (!one.done) {
      got.end = got.begin + read_prefix(got, one.into.data());
      ++incomplete_;
    }
    if (got.size() > 0)
      ranges_.push_back({got, static_cast<std::size_t>(one.into.data() - bytes_.get())});
  }
  used_ = position;
}

std::uint64_t StackCopy::read_prefix(RunRange range, std::byte *into) const {
  // The mapping may have become shorter since it was listed. What is readable from the stack pointer on is what
  // unwinding needs first.
  constexpr std::uint64_t page = 4096;
  std::uint64_t done = 0;
  while (done < range.size()) {
    const RunAddress at = range.begin + done;
    const std::uint64_t size = std::min(page - at.value % page, range.size() - done);
    if (!memory_.read(at, std::span(into + done, size)))
      break;
    done += size;
  }
  return done;
}

std::span<const std::byte> StackCopy::bytes_from(RunAddress address) const {
  const auto after =
      std::ranges::upper_bound(ranges_, address, {}, [](const SnapshotMemory::Range &one) { return one.range.begin; });
  if (after == ranges_.begin())
    return {};
  const SnapshotMemory::Range &one = *std::prev(after);
  if (!one.range.contains(address))
    return {};
  return {bytes_.get() + one.position + (address - one.range.begin), one.range.end - address};
}

std::vector<RunAddress> StackCopy::interrupted_stacks(std::span<const RunAddress> stack_pointers) const {
  std::vector<RunAddress> found;
  for (const RunAddress pointer : stack_pointers) {
    const auto more = find_interrupted_stacks(pointer, bytes_from(pointer));
    found.insert(found.end(), more.begin(), more.end());
  }
  return found;
}

std::vector<std::string> StackCopy::warnings() const {
  std::vector<std::string> all;
  if (cut_by_limit_ > 0)
    all.push_back(fmt::format("{} stacks are longer than {} bytes and were copied only so far", cut_by_limit_,
                              options_.stack_limit_bytes));
  if (cut_by_total_ > 0)
    all.push_back(fmt::format("{} stacks were copied in part, because all stacks together exceed {} bytes",
                              cut_by_total_, options_.total_limit_bytes));
  if (outside_ > 0)
    all.push_back(fmt::format("{} stack pointers lead to no readable memory", outside_));
  if (incomplete_ > 0)
    all.push_back(fmt::format("{} stacks could be read only in part", incomplete_));
  return all;
}

} // namespace inspect
