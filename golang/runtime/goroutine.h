// One goroutine and one M (the runtime's view of a thread), as the runtime's structures have them: plain data, decoded
// while the process was stopped, and small, because there may be a million.
//
// Source: runtime/runtime2.go, types g and m, Go 1.16 to 1.27.
#pragma once

#include "machine/address.h"

#include <cstdint>
#include <string_view>
#include <sys/types.h>

namespace inspect {

/// runtime2.go, _Gidle …; the scan bit (0x1000) is apart. Numbers as in the runtime.
enum class GoroutineStatus : std::uint8_t {
  idle = 0,
  runnable = 1,
  running = 2,
  in_syscall = 3,
  waiting = 4,
  dead = 6,
  copying_stack = 8,
  preempted = 9,
  leaked = 10, ///< 1.26: waits for ever, found by the garbage collector
  dead_extra = 11,
};

/// As the runtime's traceback names it: "runnable", "running", "syscall", "waiting", …
std::string_view status_text(GoroutineStatus status);

struct Goroutine {
  RunAddress address; ///< of its g
  std::uint64_t id = 0;
  GoroutineStatus status = GoroutineStatus::idle;
  bool being_scanned = false;
  std::uint8_t wait_reason = 0;
  std::uint8_t tracking_sequence = 0;
  std::int64_t wait_since = 0; ///< nanoseconds of CLOCK_MONOTONIC; 0: not known. A lower bound: set by the collector
  RunRange stack;
  RunAddress pc; ///< sched: where a parked goroutine goes on
  RunAddress sp;
  RunAddress bp;
  RunAddress syscall_pc;
  RunAddress syscall_sp;
  RunAddress syscall_bp;       ///< 0 before 1.23
  RunAddress m;                ///< 0: on no thread
  RunAddress locked_m;         ///< runtime.LockOSThread
  RunAddress created_pc;       ///< the return address of the go statement
  RunAddress start_pc;         ///< entry of its function
  std::uint64_t parent_id = 0; ///< since 1.21; 0: not known
  RunAddress labels;
  RunAddress waiting; ///< sudog list
  RunAddress first_defer;
  RunAddress panic;
  RunAddress bubble; ///< of testing/synctest, since 1.25; 0: in none
};

struct GoM {
  RunAddress address; ///< of its m
  std::uint64_t id = 0;
  pid_t thread = 0;
  RunAddress g0;
  RunAddress gsignal;
  RunAddress current_g;
  RunAddress g0_sp; ///< g0.sched: where the system stack was left
  RunAddress g0_pc;
  RunAddress g0_bp;
  RunRange g0_stack; ///< [0,0) and guessed bounds for threads that C made
  RunRange gsignal_stack;
  RunAddress vdso_sp;
  RunAddress vdso_pc;
  bool in_cgo = false;
  RunAddress locked_g;
};

} // namespace inspect
