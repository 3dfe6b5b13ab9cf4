// A Go process that a test stops with ptrace(2), thread by thread, and whose goroutines, Ms and stacks it reads: by
// itself, so that what inspect does all this with is not its own witness.
//
//     StoppedGo target(child.pid());   // looks at it while it runs
//     target.stop();
//     for (const pid_t thread : target.threads()) … target.walk_thread(thread) …
#pragma once

#include "dwarf/unwind/unwinder.h"
#include "golang/unwind/go_stack_walk.h"
#include "golang/unwind/go_unwind.h"

#include <memory>
#include <optional>
#include <string>
#include <sys/types.h>
#include <vector>

namespace inspect::test {

class StoppedMemory final : public MemoryView {
public:
  explicit StoppedMemory(pid_t process) : process_(process) {}
  Result<void> read(RunAddress address, std::span<std::byte> into) const override;

private:
  pid_t process_;
};

class StoppedGo {
public:
  /// Throws std::runtime_error where it is not a Go process, as do all others where the system refuses.
  explicit StoppedGo(pid_t process);
  ~StoppedGo();
  StoppedGo(const StoppedGo &) = delete;
  StoppedGo &operator=(const StoppedGo &) = delete;

  void stop();
  void release();

  const std::vector<pid_t> &threads() const { return threads_; }
  RegisterSet registers(pid_t thread) const;
  /// Lets one thread execute one instruction; false where it ended or would wait for others.
  bool step(pid_t thread);

  /// All that are neither idle nor dead.
  std::vector<Goroutine> goroutines();
  std::vector<GoM> runtime_ms();
  std::optional<GoM> m_of(pid_t thread);
  std::optional<Goroutine> goroutine_at(RunAddress address);

  /// From the thread's registers, over all the stacks that it uses.
  Stack walk_thread(pid_t thread);
  /// Of one that is on no thread, or of what a thread left when it went into a system call.
  Stack walk_parked(const Goroutine &goroutine, const MemoryView *memory = nullptr);

  /// As linked; empty where unknown.
  std::string function(const Frame &frame);
  std::vector<std::string> functions(const Stack &stack);
  /// The whole of it, for people.
  std::string shown(const Stack &stack);

  const MemoryView &memory() const { return memory_; }
  ModuleMap &modules() { return modules_; }
  GoRuntime &runtime() { return *runtime_; }
  GoUnwind &unwind() { return *unwind_; }

private:
  std::uint64_t field(RunAddress structure, FieldOffset offset) const;
  void seize_new_threads();
  bool would_wait(pid_t thread) const;

  pid_t process_;
  StoppedMemory memory_;
  ModuleMap modules_;
  std::unique_ptr<GoRuntime> runtime_;
  std::unique_ptr<GoUnwind> unwind_;
  std::vector<pid_t> threads_;
  std::vector<std::pair<pid_t, int>> pending_; ///< signals that a stop reported instead of the one asked for
  RunAddress all_ms_;
};

} // namespace inspect::test
