// Makes system calls that may never return, for a caller that must go on: each has a time limit.
//
// Why: reading another process's memory can wait for ever, when the pages must come from a userfaultfd handler, a FUSE
// or NFS server or a swap device that does not answer. The kernel lets nothing but SIGKILL end such a wait
// (TASK_KILLABLE), and that ends a whole thread group. So the call is made by a process of its own, which shares this
// one's memory (clone(2) with CLONE_VM, without CLONE_THREAD) and is killed when the limit has passed. Where even that
// does not help (an uninterruptible wait, state D) it is left to the kernel.
//
//     auto calls = SystemCallProcess::start(files);    // the descriptors that calls will name
//     std::chrono::nanoseconds patience = 250ms;       // of all calls together
//     const auto outcome = (*calls)->call(SYS_pread64, {fd, address_of(buffer), size, offset}, patience);
//     if (!outcome) …                     // it was not done in time; (*calls)->is_lost() says whether it may still
//     write
//
// It belongs to the OS thread that started it and ends with it, also by SIGKILL (prctl(2), PR_SET_PDEATHSIG). What the
// call reads and writes is the caller's: it must live until the call has returned, and longer where is_lost().
//
// Sources: man pages clone(2), futex(2), prctl(2), process_vm_readv(2).
#pragma once

#include "machine/error.h"

#include <array>
#include <chrono>
#include <memory>
#include <optional>
#include <span>
#include <sys/types.h>

namespace inspect::x86_64 {

class SystemCallProcess {
public:
  using Arguments = std::array<std::uint64_t, 6>;

  /// It has copies of these descriptors (negative ones are passed over, max_files of them count) and of no others: one
  /// that is lost must not keep a pipe open that somebody waits at. An error where the kernel starts no further process
  /// (RLIMIT_NPROC, a cgroup's pids.max).
  static Result<std::unique_ptr<SystemCallProcess>> start(std::span<const int> files);
  static constexpr std::size_t max_files = 4;
  SystemCallProcess(const SystemCallProcess &) = delete;
  SystemCallProcess &operator=(const SystemCallProcess &) = delete;
  /// Ends the process; waits for its end unless it is lost.
  ~SystemCallProcess();

  /// What the call returned: a negative number is the negated error number (-EFAULT). `patience` is how long it may
  /// wait, and is less by what it waited afterwards: time in state D counts, not time that a busy machine lets it wait
  /// for a processor (of that there may be max_wall_time). Nothing where it did not return in that time, or an earlier
  /// one did not: the process is then killed, and every further call returns nothing. One call at a time.
  std::optional<std::int64_t> call(std::int64_t number, const Arguments &arguments, std::chrono::nanoseconds &patience);
  static constexpr std::chrono::seconds max_wall_time{5};

  /// A call did not return in time.
  bool has_timed_out() const { return timed_out_; }
  /// It was killed and has not ended: the kernel may still write to where the last call was to write.
  bool is_lost() const { return lost_; }

private:
  struct Shared;
  explicit SystemCallProcess(Shared *shared) : shared_(shared) {}
  static int serve(void *opaque);
  bool waits_in_kernel() const;
  void end();

  Shared *shared_; ///< in pages of its own, which a lost process keeps
  pid_t process_ = -1;
  bool timed_out_ = false;
  bool lost_ = false;
};

} // namespace inspect::x86_64
