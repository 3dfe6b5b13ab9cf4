// Copies the stacks of stopped threads: prepared before the pause, quick inside it.
//
//     StackCopy copy(pid, memory, maps, options);
//     copy.prepare(thread_count);          // the target still runs
//     copy.copy(stack_pointers);           // it is stopped; no read takes longer than the limit
//     SnapshotMemory memory = copy.take();
#pragma once

#include "attach/snapshot/snapshot.h"
#include "attach/snapshot/stack_ranges.h"
#include "machine/file_descriptor.h"

namespace inspect {

class StackCopy {
public:
  StackCopy(pid_t process, const LiveMemory &memory, const std::vector<Mapping> &maps, const SnapshotOptions &options)
      : process_(process), memory_(memory), maps_(maps), options_(options) {}

  /// Makes a buffer for so many small stacks and what the source expects, and touches its pages, so that the kernel
  /// need not find them in the pause.
  /// It also starts what limits the time of the reads, which this thread has to outlive; an error where it cannot be
  /// started.
  Result<void> prepare(std::size_t threads);
  /// Copies the source's stacks, the stack of each thread that lies in none of them, and where a signal handler runs on
  /// an alternate stack the normal stack, too.
  void copy(std::span<const RunAddress> stack_pointers);

  /// After the stop: reads of the target have no limit of this copy's from now on.
  SnapshotMemory take();
  std::vector<std::string> warnings() const;

private:
  enum class Certainty { register_value, found_in_memory };
  std::vector<RunRange> source_ranges(std::span<const RunAddress> stack_pointers);
  std::vector<RunRange> ranges_of(std::span<const RunAddress> stack_pointers, Certainty certainty);
  const std::vector<Mapping> &maps() const { return newer_maps_ ? *newer_maps_ : maps_; }
  std::optional<StackRange> range_of(RunAddress stack_pointer);
  void read(std::span<const RunRange> ranges);
  std::size_t read_neighbours(std::span<SnapshotMemory::Range> ranges) const;
  std::uint64_t read_prefix(RunRange range, std::byte *into) const;
  std::vector<Mapping> read_newer_maps() const;
  std::vector<RunAddress> interrupted_stacks(std::span<const RunAddress> stack_pointers) const;
  std::span<const std::byte> bytes_from(RunAddress address) const;

  pid_t process_;
  const LiveMemory &memory_;
  const std::vector<Mapping> &maps_;
  SnapshotOptions options_;
  std::optional<std::vector<Mapping>> newer_maps_;
  std::vector<SnapshotMemory::Range> ranges_;
  CopyBuffer buffer_;
  std::byte *nowhere_ = nullptr; ///< in the buffer: what lies between stacks lands here
  FileDescriptor maps_file_;     ///< opened before the stop
  std::unique_ptr<LiveMemory::LimitedReads> limit_;
  std::uint64_t thread_bytes_ = 0; ///< of the threads' stacks, so far
  std::size_t cut_by_limit_ = 0;
  std::size_t cut_by_total_ = 0;
  std::size_t cut_of_source_ = 0;
  std::size_t outside_ = 0;
  std::size_t incomplete_ = 0;
  bool unanswered_ = false; ///< the limit has expired
  std::uint64_t without_memory_ = 0;
};

} // namespace inspect
