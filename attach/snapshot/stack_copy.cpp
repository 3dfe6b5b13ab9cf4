#include "attach/snapshot/stack_copy.h"

#include "attach/procfs/machine_memory.h"
#include "attach/snapshot/signal_frame_search.h"
#include "attach/snapshot/stack_ranges.h"
#include "machine/number_text.h"
#include "machine/worker_threads.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdlib>
#include <fmt/format.h>
#include <iterator>

namespace inspect {

namespace {

/// Stacks not further apart than this are read in one go, with what lies between: measured on small stacks that is a
/// quarter cheaper than a range for each; with larger gaps it is not.
constexpr std::uint64_t max_gap = 4096;
constexpr std::size_t reads_at_once = 1024;

bool in_any(std::span<const RunRange> sorted, RunAddress address) {
  const auto after = std::ranges::upper_bound(sorted, address, {}, &RunRange::begin);
  return after != sorted.begin() && std::prev(after)->contains(address);
}

std::vector<RunAddress> outside_of(std::span<const RunRange> sorted, std::span<const RunAddress> addresses) {
  std::vector<RunAddress> outside;
  std::ranges::copy_if(addresses, std::back_inserter(outside), [&](RunAddress one) { return !in_any(sorted, one); });
  return outside;
}

} // namespace

Result<void> StackCopy::prepare(std::size_t threads) {
  constexpr std::uint64_t expected_stack = 8U << 10;
  constexpr std::uint64_t max_prepared = 64U << 20;
  std::uint64_t expected = std::min({(threads + 16) * expected_stack, max_prepared, options_.total_limit_bytes});
  if (options_.source != nullptr) {
    if (const auto available = available_memory())
      options_.source_limit_bytes = std::min(options_.source_limit_bytes, *available / 2);
    expected += std::min(options_.source->expected_bytes(), options_.source_limit_bytes);
  }
  buffer_.prepare(expected);
  nowhere_ = buffer_.take(max_gap);
  maps_file_ = FileDescriptor(::open(proc_path(process_, "maps").c_str(), O_RDONLY | O_CLOEXEC));
  memory_.look_for_page_fault_handler();
  auto limit = memory_.limit_reads(LiveMemory::stop_patience, maps_file_.get());
  if (!limit)
    return std::unexpected(limit.error());
  limit_ = std::move(*limit);
  return {};
}

void StackCopy::copy(std::span<const RunAddress> stack_pointers) {
  std::vector<RunRange> ranges = source_ranges(stack_pointers);
  auto threads = ranges_of(outside_of(ranges, stack_pointers), Certainty::register_value);
  if (options_.source != nullptr) {
    const auto further = outside_of(ranges, options_.source->further_stack_pointers());
    std::ranges::copy(ranges_of(further, Certainty::found_in_memory), std::back_inserter(threads));
    threads = merge_ranges(std::move(threads));
  }
  const std::vector<RunRange> rest = subtract_ranges(threads, ranges);
  std::vector<RunRange> all(ranges.size() + rest.size());
  std::ranges::merge(ranges, rest, all.begin());
  read(all);
  const std::vector<RunAddress> interrupted = outside_of(ranges, interrupted_stacks(stack_pointers));
  if (interrupted.empty())
    return;
  std::vector<RunRange> held;
  for (const SnapshotMemory::Range &one : ranges_)
    held.push_back(one.range);
  read(subtract_ranges(ranges_of(interrupted, Certainty::found_in_memory), held));
  std::ranges::sort(ranges_, {}, [](const SnapshotMemory::Range &one) { return one.range.begin; });
}

std::vector<RunRange> StackCopy::source_ranges(std::span<const RunAddress> stack_pointers) {
  if (options_.source == nullptr)
    return {};
  std::vector<RunRange> ranges = options_.source->stacks(stack_pointers);
  std::uint64_t sum = 0;
  for (const RunRange &one : ranges)
    sum += one.size();
  if (sum <= options_.source_limit_bytes)
    return ranges;
  std::vector<StackRange> stacks;
  stacks.reserve(ranges.size());
  for (const RunRange &one : ranges)
    stacks.push_back({one});
  cut_of_source_ = limit_total(stacks, options_.source_limit_bytes);
  std::ranges::transform(stacks, ranges.begin(), &StackRange::range);
  return ranges;
}

std::vector<RunRange> StackCopy::ranges_of(std::span<const RunAddress> stack_pointers, Certainty certainty) {
  std::vector<StackRange> stacks;
  stacks.reserve(stack_pointers.size());
  for (const RunAddress pointer : stack_pointers) {
    // What only looks like a signal frame's stack pointer, or was a stack's once, is not worth another reading of the
    // maps, nor a warning.
    const bool is_certain = certainty == Certainty::register_value;
    const auto stack = is_certain ? range_of(pointer) : stack_range(maps(), pointer, options_.stack_limit_bytes);
    outside_ += is_certain && !stack;
    if (!stack)
      continue;
    cut_by_limit_ += is_certain && stack->cut;
    stacks.push_back(*stack);
  }
  cut_by_total_ +=
      limit_total(stacks, options_.total_limit_bytes - std::min(thread_bytes_, options_.total_limit_bytes));
  std::vector<RunRange> ranges;
  ranges.reserve(stacks.size());
  for (const StackRange &stack : stacks) {
    ranges.push_back(stack.range);
    thread_bytes_ += stack.range.size();
  }
  return merge_ranges(std::move(ranges));
}

std::optional<StackRange> StackCopy::range_of(RunAddress stack_pointer) {
  auto stack = stack_range(maps(), stack_pointer, options_.stack_limit_bytes);
  if (stack || newer_maps_)
    return stack;
  // A thread was born, or the main stack grew, after the mappings were read. They do not change while all is stopped,
  // so that one more reading is enough.
  newer_maps_ = read_newer_maps();
  return stack_range(*newer_maps_, stack_pointer, options_.stack_limit_bytes);
}

std::vector<Mapping> StackCopy::read_newer_maps() const {
  const auto text = limit_->read_file(maps_file_.get());
  auto newer = text ? parse_memory_map(*text) : Result<std::vector<Mapping>>();
  return newer ? std::move(*newer) : std::vector<Mapping>();
}

void StackCopy::read(std::span<const RunRange> ranges) {
  constexpr std::size_t share = 4096; // ranges that a worker takes at a time, of half a microsecond each
  std::uint64_t total = 0;
  for (const RunRange &one : ranges)
    total += one.size();
  buffer_.expect(total);
  const std::size_t first = ranges_.size();
  ranges_.reserve(first + ranges.size());
  for (const RunRange &one : ranges)
    if (std::byte *into = buffer_.take(one.size()))
      ranges_.push_back({one, into});
    else
      ++without_memory_;
  const std::span<SnapshotMemory::Range> all = std::span(ranges_).subspan(first);
  std::atomic<std::size_t> next{0};
  std::atomic<std::size_t> incomplete{0};
  run_workers(std::min(worker_count(), 1 + all.size() / share), [&](std::size_t) {
    for (std::size_t i = next.fetch_add(share); i < all.size(); i = next.fetch_add(share))
      incomplete += read_neighbours(all.subspan(i, std::min(share, all.size() - i)));
  });
  incomplete_ += incomplete;
  if (incomplete > 0)
    std::erase_if(ranges_, [](const SnapshotMemory::Range &one) { return one.range.size() == 0; });
}

std::size_t StackCopy::read_neighbours(std::span<SnapshotMemory::Range> ranges) const {
  std::array<MemoryRead, reads_at_once> reads;
  std::array<SnapshotMemory::Range *, reads_at_once> owners;
  std::size_t count = 0;
  std::size_t incomplete = 0;
  const auto flush = [&] {
    memory_.read_many_lasting(std::span(reads).first(count));
    for (std::size_t i = 0; i < count; ++i)
      if (!reads[i].done && owners[i] != nullptr) {
        const RunRange wanted = owners[i]->range;
        owners[i]->range.end = wanted.begin + read_prefix(wanted, reads[i].into.data());
        ++incomplete;
      }
    count = 0;
  };
  RunAddress end{0};
  for (SnapshotMemory::Range &one : ranges) {
    if (count + 2 > reads.size())
      flush();
    const std::uint64_t gap = one.range.begin - end;
    // What lies between is read over and over into the same few cache lines.
    if (count > 0 && gap > 0 && gap <= max_gap && nowhere_ != nullptr) {
      owners[count] = nullptr;
      reads[count++] = {end, std::span(nowhere_, gap)};
    }
    owners[count] = &one;
    reads[count++] = {one.range.begin, std::span(one.bytes, one.range.size())};
    end = one.range.end;
  }
  flush();
  return incomplete;
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
  return {one.bytes + (address - one.range.begin), one.range.end - address};
}

std::vector<RunAddress> StackCopy::interrupted_stacks(std::span<const RunAddress> stack_pointers) const {
  std::vector<RunAddress> found;
  for (const RunAddress pointer : stack_pointers) {
    const auto more = find_interrupted_stacks(pointer, bytes_from(pointer));
    found.insert(found.end(), more.begin(), more.end());
  }
  return found;
}

SnapshotMemory StackCopy::take() {
  unanswered_ = limit_->expired();
  CopyBuffer buffer = std::move(buffer_);
  if (limit_->may_still_write())
    buffer.keep_for_ever();
  limit_.reset();
  return SnapshotMemory(std::move(ranges_), std::move(buffer));
}

std::vector<std::string> StackCopy::warnings() const {
  std::vector<std::string> all;
  if (unanswered_)
    all.emplace_back(not_answered);
  if (cut_by_limit_ > 0)
    all.push_back(
        fmt::format("of {} only {} bytes were copied", counted(cut_by_limit_, "stack"), options_.stack_limit_bytes));
  if (cut_by_total_ > 0)
    all.push_back(fmt::format("of {} only a part was copied, because all stacks together exceed {} bytes",
                              counted(cut_by_total_, "stack"), options_.total_limit_bytes));
  if (cut_of_source_ > 0)
    all.push_back(
        fmt::format("of {} of the runtime only a part was copied, because all of them together exceed {} bytes",
                    counted(cut_of_source_, "stack"), options_.source_limit_bytes));
  if (without_memory_ > 0)
    all.push_back(
        fmt::format("{} could not be copied, because there is no memory left", counted(without_memory_, "stack")));
  if (outside_ > 0)
    all.push_back(fmt::format("there is no readable memory at {}", counted(outside_, "stack pointer")));
  if (incomplete_ > 0)
    all.push_back(fmt::format("{} could be read only in part", counted(incomplete_, "stack")));
  return all;
}

} // namespace inspect
