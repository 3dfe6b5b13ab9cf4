// Go frames for the unwinder: frame sizes from the pclntab, and the jumps between a thread's stacks that the runtime
// makes (systemstack, mcall, morestack, cgo calls and callbacks, the vDSO), as runtime/traceback.go follows them.
#pragma once

#include "dwarf/unwind/unwind_extension.h"
#include "golang/runtime/go_runtime.h"

#include <memory>

namespace inspect {

/// What is known of the thread or goroutine that is walked; without, a walk ends where it would leave its stack.
struct GoWalkContext {
  const Goroutine *goroutine = nullptr; ///< m.curg, or the parked goroutine
  /// Of the walked thread; for a parked goroutine the one that it is locked to, so that the C functions below a
  /// callback into Go are found; null for any other.
  const GoM *runtime_m = nullptr;
};

class GoUnwind final : public UnwindExtension {
public:
  explicit GoUnwind(const GoRuntime &runtime);
  ~GoUnwind() override;

  /// Before each walk.
  void begin(GoWalkContext context);
  std::optional<Step> step(Frame &frame, const RegisterSet &registers, const MemoryView &memory) override;

private:
  struct State;
  std::unique_ptr<State> state_;
};

/// Where the walk of a goroutine that is on no thread (or in a system call) begins: sched, or the system call's pc and
/// sp. The registers known are pc, sp, bp. Walk with UnwindLimits::starts_at_return_address; of a goroutine that has
/// not run yet GoUnwind corrects it.
RegisterSet parked_registers(const Goroutine &goroutine);
/// The same without the room that all registers take; bp 0: not known.
struct ParkedPlace {
  RunAddress pc;
  RunAddress sp;
  RunAddress bp;
};
ParkedPlace parked_place(const Goroutine &goroutine);

} // namespace inspect
