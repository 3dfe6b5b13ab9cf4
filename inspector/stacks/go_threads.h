// Which thread runs which goroutine. The runtime notes each thread's id in its m, as the kernel tells it inside the
// target's own pid namespace; in a container that is another number than ours.
#pragma once

#include "attach/ptrace/stopped_process.h"
#include "golang/goroutines/goroutine_copy.h"
#include "golang/unwind/go_unwind.h"

#include <span>
#include <unordered_map>

namespace inspect {

class GoThreads {
public:
  /// The copy must outlive the object and keep its goroutines until they are taken; their places do not matter after
  /// that for machines, but for the goroutines of contexts.
  GoThreads(const GoroutineCopy &copy, pid_t process, std::span<const StoppedThread> threads);

  /// What the unwinder is to know of a thread of ours; empty where it is none of Go's.
  GoWalkContext context_of(pid_t thread) const;
  /// The thread that a goroutine is on, as we number it; 0: none.
  pid_t thread_of(const Goroutine &goroutine) const;
  /// The same of the M that m_of() gives.
  pid_t thread_of_m(const Goroutine &goroutine) const;
  /// The M it runs on or is locked to, null without.
  const GoM *m_of(const Goroutine &goroutine) const;

private:
  std::unordered_map<RunAddress, const GoM *> runtime_ms_; ///< by the address of the m
  std::unordered_map<RunAddress, pid_t> threads_;          ///< ours, by the address of the m
  std::unordered_map<pid_t, GoWalkContext> contexts_;
  std::vector<Goroutine> current_; ///< those on threads; contexts point here
};

/// Whether a goroutine's pc is its function's first instruction, where it has not begun: then its pc is not a return
/// address.
bool starts_at_entry(const GoRuntime &runtime, const Goroutine &goroutine);

} // namespace inspect
