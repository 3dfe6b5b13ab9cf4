// The runtime's ways from one stack to another, followed backwards on x86-64: systemstack, mcall and morestack to the
// goroutine whose stack the thread left, asmcgocall from C to Go, cgocallback from Go to the C functions that called
// it, and assembly that moved the stack pointer (the vDSO's callers among them).
//
// Where the runtime's own traceback ends or skips C frames, this goes on as the thread will.
//
// Sources: runtime/asm_amd64.s, runtime/traceback.go (resolveInternal), runtime/cgocall.go, Go 1.16 to 1.27.
#pragma once

#include "golang/unwind/frame_rules.h"
#include "golang/unwind/go_unwind.h"

namespace inspect::x86_64 {

/// The frame that is to be left.
struct GoCallee {
  const GoFrameRule &rule;
  bool exact = false; ///< its pc is about to be executed; else it is a return address
  RunAddress sp;
  const RegisterSet &registers;
  const MemoryView &memory;
};

/// The caller of a frame whose CFA is `cfa`.
UnwindExtension::Step go_caller(const GoCallee &callee, RunAddress cfa);

class StackSwitches {
public:
  using Step = UnwindExtension::Step;

  explicit StackSwitches(const GoRuntime &runtime) : runtime_(runtime) {}
  void begin(GoWalkContext context);

  /// For every way but not_go, plain and outermost.
  Step step(const GoCallee &callee, bool innermost);

private:
  Step leave_system_stack(const GoCallee &callee) const;
  Step leave_switch(const GoCallee &callee) const;
  Step leave_resume(const GoCallee &callee) const;
  std::optional<RunAddress> resumed_system_pc(const GoCallee &callee) const;
  Step leave_c(const GoCallee &callee) const;
  Step leave_callback(const GoCallee &callee);
  Step leave_new_thread(const GoCallee &callee) const;
  Step leave_saved(const GoCallee &callee) const;
  Step leave_moved(const GoCallee &callee, bool innermost) const;

  /// Goes on where the goroutine was left.
  Step resume_goroutine(const GoCallee &callee) const;
  Step from_base(const GoCallee &callee, RunAddress sp, std::int32_t offset) const;
  Step by_frame_pointer(const GoCallee &callee) const;
  std::optional<RunAddress> stack_pointer_before_c(const GoCallee &callee) const;
  std::optional<RunAddress> kept_before_c(const GoCallee &callee, std::uint64_t slot, std::uint64_t shift) const;
  std::optional<RunAddress> stack_end_of(RunAddress goroutine, const MemoryView &memory) const;

  bool on_goroutine(RunAddress sp) const;
  /// Whether the thread left the goroutine's stack for the system stack and the goroutine says where.
  bool goroutine_saved() const;
  bool returns_to_go(const GoCallee &callee, RunAddress cfa) const;
  bool called_directly(const GoCallee &callee, RunAddress cfa) const;

  const GoRuntime &runtime_;
  GoWalkContext context_;
  RunAddress system_sp_; ///< g0.sched.sp at the next callback; 0: not known
};

} // namespace inspect::x86_64
