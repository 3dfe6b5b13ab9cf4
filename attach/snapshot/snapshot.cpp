#include "attach/snapshot/snapshot.h"

#include "attach/ptrace/thread_stops.h"
#include "attach/ptrace/tracing_thread.h"
#include "attach/snapshot/stack_copy.h"
#include "machine/x86_64/registers.h"

#include <algorithm>
#include <cstring>
#include <fmt/format.h>

namespace inspect {

SnapshotMemory::SnapshotMemory(std::vector<Range> ranges, CopyBuffer buffer)
    : ranges_(std::move(ranges)), buffer_(std::move(buffer)) {}
SnapshotMemory::SnapshotMemory(SnapshotMemory &&other) noexcept
    : ranges_(std::move(other.ranges_)), buffer_(std::move(other.buffer_)) {
  other.ranges_.clear();
}
SnapshotMemory &SnapshotMemory::operator=(SnapshotMemory &&other) noexcept {
  std::swap(ranges_, other.ranges_);
  std::swap(buffer_, other.buffer_);
  return *this;
}

/// The last range that begins at or below the address, else the first.
std::size_t SnapshotMemory::first_range_for(RunAddress address) const {
  const auto is_it = [&](std::size_t i) {
    return i < ranges_.size() && ranges_[i].range.begin <= address &&
           (i + 1 == ranges_.size() || address < ranges_[i + 1].range.begin);
  };
  const std::size_t recent = recent_.load(std::memory_order_relaxed);
  if (is_it(recent))
    return recent;
  std::size_t found = recent + 1; // stacks are walked one after the other
  if (!is_it(found)) {
    const auto after = std::ranges::upper_bound(ranges_, address, {}, [](const Range &one) { return one.range.begin; });
    found = static_cast<std::size_t>(after - ranges_.begin());
    found -= found > 0 ? 1 : 0;
  }
  recent_.store(found, std::memory_order_relaxed);
  return found;
}

Result<void> SnapshotMemory::read(RunAddress address, std::span<std::byte> into) const {
  auto range = ranges_.begin() + static_cast<std::ptrdiff_t>(first_range_for(address));
  std::size_t copied = 0;
  for (; copied < into.size() && range != ranges_.end() && range->range.contains(address + copied); ++range) {
    const std::uint64_t offset = address + copied - range->range.begin;
    const std::size_t count = std::min<std::size_t>(range->range.size() - offset, into.size() - copied);
    std::memcpy(into.data() + copied, range->bytes + offset, count);
    copied += count;
  }
  if (copied < into.size())
    return std::unexpected(Error(ErrorKind::unreadable,
                                 fmt::format("{} bytes at {:#x} are not in the snapshot", into.size(), address.value)));
  return {};
}

bool SnapshotMemory::holds(RunAddress address) const {
  const std::size_t i = first_range_for(address);
  return i < ranges_.size() && ranges_[i].range.contains(address);
}

void SnapshotMemory::add(SnapshotMemory other) {
  std::vector<RunRange> held;
  held.reserve(ranges_.size());
  for (const Range &one : ranges_)
    held.push_back(one.range);
  for (const Range &one : other.ranges_)
    for (const RunRange &part : subtract_ranges(std::span(&one.range, 1), held))
      ranges_.push_back({part, one.bytes + (part.begin - one.range.begin)});
  std::ranges::sort(ranges_, {}, [](const Range &one) { return one.range.begin; });
  buffer_.add(std::move(other.buffer_));
  other.ranges_.clear();
  recent_.store(0, std::memory_order_relaxed);
}

std::uint64_t SnapshotMemory::size_in_bytes() const {
  std::uint64_t sum = 0;
  for (const Range &one : ranges_)
    sum += one.range.size();
  return sum;
}

namespace {

std::vector<std::string> thread_warnings(std::span<const StoppedThread> threads) {
  std::vector<std::string> warnings;
  for (const StoppedThread &thread : threads)
    if (thread.state == StopState::did_not_stop || thread.state == StopState::not_traceable)
      warnings.push_back(no_stack_warning(thread));
  return warnings;
}

/// Everything that takes time and memory, while the target still runs.
StackCopy prepared_copy(pid_t process, const LiveMemory &memory, const std::vector<Mapping> &maps,
                        const SnapshotOptions &options) {
  StackCopy copy(process, memory, maps, options);
  if (options.source != nullptr)
    options.source->prepare();
  return copy;
}

/// Of what was copied.
Snapshot to_snapshot(StackCopy &copy, std::vector<StoppedThread> threads) {
  Snapshot snapshot;
  snapshot.threads = std::move(threads);
  snapshot.memory = copy.take();
  snapshot.warnings = thread_warnings(snapshot.threads);
  std::ranges::move(copy.warnings(), std::back_inserter(snapshot.warnings));
  return snapshot;
}

/// Lets the target go at the end of a scope, however it ends: also when there is no memory, and before anybody hears of
/// it. Released earlier, it does nothing.
class ReleaseAtEnd {
public:
  explicit ReleaseAtEnd(ThreadStops &stops) : stops_(stops) {}
  ReleaseAtEnd(const ReleaseAtEnd &) = delete;
  ReleaseAtEnd &operator=(const ReleaseAtEnd &) = delete;
  ~ReleaseAtEnd() { stops_.release_all(); }

private:
  ThreadStops &stops_;
};

/// On the tracing thread.
Result<Snapshot> snapshot_here(ThreadStops &stops, pid_t process, const LiveMemory &memory,
                               const std::vector<Mapping> &maps, const SnapshotOptions &options) {
  StackCopy copy = prepared_copy(process, memory, maps, options);
  const ReleaseAtEnd release(stops);
  if (auto seized = stops.seize_all(); !seized)
    return std::unexpected(seized.error());
  if (auto prepared = copy.prepare(stops.seized().size()); !prepared)
    return std::unexpected(prepared.error());
  std::vector<RunAddress> stack_pointers;
  stack_pointers.reserve(stops.seized().size() * 2);

  if (auto stopped = stops.stop_all(); !stopped)
    return std::unexpected(stopped.error());
  for (const SeizedThread &thread : stops.seized())
    if (thread.has_registers())
      stack_pointers.push_back(RunAddress{thread.registers().rsp});
  copy.copy(stack_pointers);
  stops.release_all();

  Snapshot snapshot = to_snapshot(copy, stops.describe());
  snapshot.pause = stops.pause();
  return snapshot;
}

} // namespace

std::string no_stack_warning(const StoppedThread &thread) {
  return fmt::format("thread {} has no stack here: {}", thread.thread, thread.reason);
}

Result<Snapshot> take_snapshot(pid_t process, const LiveMemory &memory, const std::vector<Mapping> &maps,
                               const SnapshotOptions &options) {
  auto tracing = start_tracing(process);
  if (!tracing)
    return std::unexpected(tracing.error());
  struct Job {
    Job(pid_t process, const StopOptions &options) : stops(process, options) {}
    ThreadStops stops;
    Result<Snapshot> snapshot;
  };
  auto job = std::make_shared<Job>(process, options.stop);
  // Should it be given up, then while it seizes; after that it looks at nothing that is not its own.
  const auto work = [job, process, &memory, &maps, &options] {
    job->snapshot = snapshot_here(job->stops, process, memory, maps, options);
  };
  const bool done = (*tracing)->run(work, [job] { return job->stops.unblock_seizing(); });
  if (!done)
    return std::unexpected(job->stops.seizing_error());
  return std::move(job->snapshot);
}

Result<Snapshot> copy_stopped(const StoppedProcess &stopped, pid_t process, const LiveMemory &memory,
                              const std::vector<Mapping> &maps, const SnapshotOptions &options) {
  StackCopy copy = prepared_copy(process, memory, maps, options);
  if (auto prepared = copy.prepare(stopped.threads().size()); !prepared)
    return std::unexpected(prepared.error());
  std::vector<RunAddress> stack_pointers;
  for (const StoppedThread &thread : stopped.threads())
    if (const auto pointer = thread.registers.get(x86_64::rsp))
      stack_pointers.push_back(RunAddress{*pointer});
  copy.copy(stack_pointers);
  return to_snapshot(copy, {stopped.threads().begin(), stopped.threads().end()});
}

} // namespace inspect
