// What the kernel tells of a thread at one instant without stopping it, and whether it ran between two of them.
//
//     const ThreadLooks looks = *ThreadLooks::open(pid);
//     const auto before = looks.at(tid);
//     … read its stack …
//     if (const auto after = looks.at(tid); after && *after == *before && before->call) … it slept all the while
//
// Why that holds: schedstat's third figure goes up each time the thread is put on a processor, and is read first; the
// syscall file then tells registers only of a thread that is off its processor. Equal figures afterwards mean that it
// has not been on one since. It may have been woken: then it waits for a processor, and has not run.
//
// Sources: man page proc(5), "/proc/[pid]/syscall"; the kernel's Documentation/scheduler/sched-stats.rst and
// kernel/sched/stats.h (sched_info_arrive).
#pragma once

#include "attach/procfs/blocked_call.h"
#include "attach/procfs/kernel_wait.h"
#include "machine/error.h"
#include "machine/file_descriptor.h"

#include <expected>
#include <optional>
#include <span>
#include <string>
#include <sys/types.h>
#include <unordered_map>

namespace inspect {

struct ThreadLook {
  std::string schedule;            ///< figures that change when the thread runs
  std::string text;                ///< of the syscall file
  std::optional<BlockedCall> call; ///< nothing: it runs

  bool operator==(const ThreadLook &other) const { return schedule == other.schedule && text == other.text; }
};

/// When each thread ran last, as text to compare.
using ScheduleMarks = std::unordered_map<pid_t, std::string>;

/// Of the threads of one process. It keeps one directory open, and no file of a thread.
class ThreadLooks {
public:
  /// no_such_process; not_permitted names the missing right.
  static Result<ThreadLooks> open(pid_t process);

  /// The error number on failure: ENOENT or ESRCH of a thread that has ended.
  std::expected<ThreadLook, int> at(pid_t thread) const;
  /// Of threads that have ended there is none.
  ScheduleMarks marks(std::span<const pid_t> threads) const;
  KernelWait kernel_wait(pid_t thread, KernelWaitDetail detail) const {
    return read_kernel_wait(tasks_.get(), thread, detail);
  }

private:
  explicit ThreadLooks(FileDescriptor tasks) : tasks_(std::move(tasks)) {}
  std::expected<std::string, int> read(pid_t thread, std::string_view name) const;
  std::expected<std::string, int> schedule_of(pid_t thread) const;

  FileDescriptor tasks_;
};

} // namespace inspect
