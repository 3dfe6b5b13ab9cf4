#include "golang/runtime/goroutine_decoder.h"

#include "golang/runtime/structure_fields.h"

#include <algorithm>
#include <cstring>

namespace inspect {
namespace {

/// runtime2.go: the collector, or whoever else looks at the goroutine's stack, owns it for the moment.
constexpr std::uint32_t scan_bit = 0x1000;

} // namespace

Goroutine decode_goroutine(const RuntimeLayout &layout, RunAddress address, std::span<const std::byte> bytes) {
  const RuntimeLayout::G &g = layout.g;
  const StructureFields fields(bytes);
  const auto status = fields.value<std::uint32_t>(g.status);
  constexpr std::uint32_t max_status_size = 0xff;
  Goroutine goroutine;
  goroutine.address = address;
  goroutine.id = fields.value<std::uint64_t>(g.id);
  // What does not fit is none of the runtime's, like 255.
  goroutine.status = static_cast<GoroutineStatus>(std::min(status & ~scan_bit, max_status_size));
  goroutine.being_scanned = (status & scan_bit) != 0;
  goroutine.wait_reason = fields.value<std::uint8_t>(g.wait_reason);
  goroutine.tracking_sequence = fields.value<std::uint8_t>(g.tracking_sequence);
  goroutine.wait_since = fields.value<std::int64_t>(g.wait_since);
  goroutine.stack = {fields.address(g.stack_lo), fields.address(g.stack_hi)};
  goroutine.pc = fields.address(g.sched_pc);
  goroutine.sp = fields.address(g.sched_sp);
  goroutine.bp = fields.address(g.sched_bp);
  goroutine.syscall_pc = fields.address(g.syscall_pc);
  goroutine.syscall_sp = fields.address(g.syscall_sp);
  goroutine.syscall_bp = fields.address(g.syscall_bp);
  goroutine.m = fields.address(g.m);
  goroutine.locked_m = fields.address(g.locked_m);
  goroutine.created_pc = fields.address(g.created_pc);
  goroutine.start_pc = fields.address(g.start_pc);
  goroutine.parent_id = fields.value<std::uint64_t>(g.parent_id);
  goroutine.labels = fields.address(g.labels);
  goroutine.waiting = fields.address(g.waiting);
  goroutine.first_defer = fields.address(g.first_defer);
  goroutine.panic = fields.address(g.panic);
  if (layout.bubble.id >= 0)
    goroutine.bubble = fields.address(g.bubble);
  return goroutine;
}

GoM decode_m(const RuntimeLayout &layout, RunAddress address, std::span<const std::byte> bytes) {
  const RuntimeLayout::M &m = layout.m;
  const StructureFields fields(bytes);
  GoM runtime_m;
  runtime_m.address = address;
  runtime_m.id = fields.value<std::uint64_t>(m.id);
  runtime_m.thread = static_cast<pid_t>(fields.value<std::uint32_t>(m.process_id));
  runtime_m.g0 = fields.address(m.g0);
  runtime_m.gsignal = fields.address(m.gsignal);
  runtime_m.current_g = fields.address(m.current_g);
  runtime_m.vdso_sp = fields.address(m.vdso_sp);
  runtime_m.vdso_pc = fields.address(m.vdso_pc);
  runtime_m.in_cgo = fields.value<std::uint8_t>(m.in_cgo) != 0;
  runtime_m.locked_g = fields.address(m.locked_g);
  return runtime_m;
}

bool is_known_status(GoroutineStatus status) {
  switch (status) {
  case GoroutineStatus::idle:
  case GoroutineStatus::runnable:
  case GoroutineStatus::running:
  case GoroutineStatus::in_syscall:
  case GoroutineStatus::waiting:
  case GoroutineStatus::dead:
  case GoroutineStatus::copying_stack:
  case GoroutineStatus::preempted:
  case GoroutineStatus::leaked:
  case GoroutineStatus::dead_extra:
    return true;
  }
  return false;
}

bool is_live(GoroutineStatus status) {
  return status != GoroutineStatus::idle && status != GoroutineStatus::dead && status != GoroutineStatus::dead_extra;
}

} // namespace inspect
