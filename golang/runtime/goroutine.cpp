#include "golang/runtime/goroutine.h"

namespace inspect {

// Source: runtime/traceback.go, gStatusStrings, Go 1.16 to 1.27.
std::string_view status_text(GoroutineStatus status) {
  switch (status) {
  case GoroutineStatus::idle:
    return "idle";
  case GoroutineStatus::runnable:
    return "runnable";
  case GoroutineStatus::running:
    return "running";
  case GoroutineStatus::in_syscall:
    return "syscall";
  case GoroutineStatus::waiting:
    return "waiting";
  case GoroutineStatus::dead:
    return "dead";
  case GoroutineStatus::copying_stack:
    return "copystack";
  case GoroutineStatus::preempted:
    return "preempted";
  case GoroutineStatus::leaked:
    return "leaked";
  case GoroutineStatus::dead_extra:
    return "waiting for cgo callback";
  }
  return "???";
}

} // namespace inspect
