// The memory of a live process, read and written without stopping it.
//
// Reads go through process_vm_readv(2), many ranges a call, one after the other in the order given; where a seccomp
// filter or the kernel forbids that (EPERM, ENOSYS) they fall back to /proc/PID/mem, and stay there. Writes go through
// /proc/PID/mem, which also reaches read-only mappings such as program text (man page proc(5)). Where the right to
// trace is there and the right to open that file is not (CAP_SYS_PTRACE without CAP_DAC_OVERRIDE), there is no
// fallback, and process_vm_writev(2) writes what the process itself may write.
//
// A read can wait for somebody else: pages behind a userfaultfd come from a handler, those of a FUSE or NFS file from a
// server. So while the target is held, all reads have a limit:
//
//     auto limited = memory.limit_reads(LiveMemory::stop_patience); // before the stop; what takes time is done here
//     …stop, read, release…                        // a read that waits too long fails, and so do those after it
//     if ((*limited)->expired()) …
//
// A target that handles page faults itself (it has a userfaultfd) is read through /proc/PID/mem, which fails at once
// where process_vm_readv would ask the handler (mm/gup.c: no FAULT_FLAG_ALLOW_RETRY; fs/userfaultfd.c:
// handle_userfault()). And where a page is known to come from a file system that may not answer, or a read has expired,
// each read has a limit of its own from then on (live_memory_test.cpp, unanswered_memory_test.cpp).
#pragma once

#include "attach/snapshot/range_reads.h"
#include "machine/file_descriptor.h"
#include "machine/memory_view.h"

#include <atomic>
#include <chrono>
#include <expected>
#include <memory>
#include <string>
#include <sys/types.h>
#include <vector>

namespace inspect {

class ReadLimit;

/// The sentence for reads that waited too long.
inline constexpr const char *not_answered =
    "reading the process's memory was given up, because it was not answered in time: its pages come from a page fault "
    "handler, a file system or a swap device that does not answer";

class LiveMemory final : public MemoryView {
public:
  /// Opens /proc/PID/mem, if it may; not_permitted names the missing right.
  static Result<std::unique_ptr<LiveMemory>> open(pid_t process) { return open(process, nullptr); }
  /// The same for a process that was opened before, which may have become another program since: what `before` has
  /// found out about page faults a moment ago is not looked for again. Null: nothing is known.
  static Result<std::unique_ptr<LiveMemory>> open(pid_t process, const LiveMemory *before);

  Result<void> read(RunAddress address, std::span<std::byte> into) const override;
  void read_many(std::span<MemoryRead> reads) const override;
  /// The same for buffers that outlive LimitedReads, and for ever where its may_still_write() says so: they are read
  /// into without a copy between.
  void read_many_lasting(std::span<MemoryRead> reads) const;
  /// All bytes or an error; how many bytes arrived before the error is not said.
  Result<void> write(RunAddress address, std::span<const std::byte> bytes) const;

private:
  /// Shared with the limits, which may outlive the memory.
  struct Limits {
    std::atomic<ReadLimit *> current{nullptr};
    /// A read has not been answered: every one gets a limit of its own from then on …
    std::atomic<bool> is_suspect{false};
    /// … and after a few that were not answered, the rest is not tried until there is a new limit.
    std::atomic<int> unanswered{0};
  };

public:
  /// As long as it lives, reads of this memory have a limit together. One within another takes its place until it ends.
  class LimitedReads {
  public:
    LimitedReads(std::shared_ptr<Limits> limits, std::unique_ptr<ReadLimit> limit);
    LimitedReads(const LimitedReads &) = delete;
    LimitedReads &operator=(const LimitedReads &) = delete;
    ~LimitedReads();
    /// A read waited too long; all reads after it failed.
    bool expired() const;
    bool may_still_write() const;
    /// A file of /proc, with the same limit.
    std::expected<std::string, int> read_file(int descriptor) const;

  private:
    std::shared_ptr<Limits> limits_;
    std::unique_ptr<ReadLimit> limit_;
    ReadLimit *before_;
  };
  /// How long the reads of a stop may wait together, and those of a command while the target runs.
  static constexpr std::chrono::milliseconds stop_patience{250};
  static constexpr std::chrono::milliseconds command_patience{500};
  /// To be called, and let go, by a thread that lives as long as the limit. A small read costs a few microseconds
  /// instead of one then. `file` is what read_file will read. An error where the kernel starts no further process.
  Result<std::unique_ptr<LimitedReads>> limit_reads(std::chrono::microseconds patience, int file = -1) const;

  /// Looks whether the target handles page faults itself by now, unless that was done within the last second: it costs
  /// some microseconds for each of its descriptors.
  void look_for_page_fault_handler() const;
  /// Where the pages come from whoever may not answer (sorted): each read there gets a limit of its own.
  void limit_reads_of(std::vector<RunRange> ranges) { slow_ranges_ = std::move(ranges); }
  /// For sentences: whether the target handles page faults itself.
  bool has_page_fault_handler() const { return has_handler_.load(); }

  /// For tests and diagnosis: whether reads go through /proc/PID/mem.
  bool uses_fallback() const { return fallback_.load(); }
  /// Never uses process_vm_readv from now on.
  void force_fallback() { fallback_.store(true); }

private:
  static Result<std::unique_ptr<LiveMemory>> open_once(pid_t process, const LiveMemory *before);
  LiveMemory(pid_t process, FileDescriptor mem) : process_(process), mem_(std::move(mem)) {}
  RangeReads source() const { return {process_, mem_.get(), fallback_}; }
  bool needs_own_limit(std::span<const MemoryRead> reads) const;
  /// Both: false where one was not answered in time.
  bool read_in_time(std::span<MemoryRead> reads) const;
  bool read_with_own_limit(std::span<MemoryRead> reads) const;
  Error why_unreadable(RunAddress address, std::size_t size, bool in_time) const;

  pid_t process_;
  FileDescriptor mem_; ///< none: process_vm_readv and process_vm_writev are all there is
  mutable std::atomic<bool> fallback_{false};
  mutable std::atomic<bool> has_handler_{false};
  mutable std::atomic<std::chrono::steady_clock::rep> looked_at_{0}; ///< for a page fault handler; 0: never
  std::vector<RunRange> slow_ranges_;
  std::shared_ptr<Limits> limits_ = std::make_shared<Limits>();
};

} // namespace inspect
