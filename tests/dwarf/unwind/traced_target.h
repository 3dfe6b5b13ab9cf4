// A child that a test stops with ptrace(2) itself: its registers, memory and modules, for the unwinder.
//
//     TracedTarget target(child.pid());
//     Stack stack = target.unwind();
#pragma once

#include "dwarf/module/module_map.h"
#include "dwarf/unwind/unwinder.h"

#include <fcntl.h>
#include <stdexcept>
#include <string>
#include <sys/types.h>

namespace inspect::test {

class ChildMemory final : public MemoryView {
public:
  explicit ChildMemory(pid_t process)
      : file_(::open(("/proc/" + std::to_string(process) + "/mem").c_str(), O_RDONLY | O_CLOEXEC)) {}
  Result<void> read(RunAddress address, std::span<std::byte> into) const override;

private:
  FileDescriptor file_;
};

/// All modules that a process has mapped.
ModuleMap modules_of(pid_t process, const MemoryView &memory);

class TracedTarget {
public:
  /// Seizes and stops one thread of the process, by default its first.
  explicit TracedTarget(pid_t process, pid_t thread = 0);
  ~TracedTarget();
  TracedTarget(const TracedTarget &) = delete;
  TracedTarget &operator=(const TracedTarget &) = delete;

  RegisterSet registers() const;
  Stack unwind(const UnwindLimits &limits = {});
  /// Lets it run, with this signal, until it stops again or ends; the status of waitpid(2).
  int resume(int signal = 0);
  /// The same for one instruction.
  int step(int signal = 0);

  const ChildMemory &memory() const { return memory_; }
  ModuleMap &modules() { return modules_; }

private:
  int go_on(int request, int signal);

  pid_t thread_;
  ChildMemory memory_;
  ModuleMap modules_;
};

} // namespace inspect::test
