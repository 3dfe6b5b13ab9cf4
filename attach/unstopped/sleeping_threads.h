// The threads of a process that sleep, read while it runs on: where each is, what it waits in, and its stack. Nothing
// is stopped, and no call of ptrace is made.
//
//     auto read = read_sleeping_threads(pid, memory, maps, {});
//     for (const StoppedThread &thread : read->threads)
//       thread.state              // read_without_stop, not_asleep, ended
//     read->take_memory()         // the stacks of those that were read
//
// Each thread is looked at before and after its stack is copied (attach/unstopped/thread_look.h), and what was copied
// counts only where it slept all the while. Of its registers the kernel tells the pc, the stack pointer and those that
// hold a system call's arguments; the callee-saved ones (rbx, rbp, r12 to r15) are not known. So each thread is exact,
// and all together are no picture of one instant.
#pragma once

#include "attach/snapshot/snapshot.h"
#include "attach/unstopped/thread_look.h"
#include "machine/cancellation.h"

#include <string>
#include <sys/types.h>
#include <vector>

namespace inspect {

struct UnstoppedOptions {
  std::uint64_t stack_limit_bytes = 16ULL << 20; ///< as SnapshotOptions has them
  std::uint64_t total_limit_bytes = 512ULL << 20;
  /// Only these; empty: all of the process.
  std::vector<pid_t> only = {};
  /// How often a thread that runs is looked at again. Most threads sleep now and then.
  int more_looks = 8;
  /// Also the kernel's stack of each thread, rather than of those in uninterruptible sleep alone.
  bool kernel_stacks = false;
  const Cancellation *cancellation = nullptr; ///< may be null; what is left over is then `not_asleep`
  /// May be null; else StoppedThread::ran_since_mark says which threads have run since.
  const ScheduleMarks *marks = nullptr;
  const StackSource *source = nullptr; ///< may be null: knows where stacks end that lie in no mapping of their own
};

struct SleepingThreads {
  std::vector<StoppedThread> threads;        ///< ascending
  std::vector<SnapshotMemory::Range> ranges; ///< the stacks; ascending, not overlapping
  CopyBuffer buffer;                         ///< where they lie
  std::vector<StackSource::Held> held;       ///< the same ranges, with whose they are
  std::vector<std::string> warnings;         ///< sentences: stacks cut

  SnapshotMemory take_memory() { return SnapshotMemory(std::move(ranges), std::move(buffer)); }
};

/// no_such_process; not_permitted names the missing right; unsupported where the kernel does not tell.
Result<SleepingThreads> read_sleeping_threads(pid_t process, const MemoryView &memory, const std::vector<Mapping> &maps,
                                              const UnstoppedOptions &options);

} // namespace inspect
