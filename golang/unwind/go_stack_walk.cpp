#include "golang/unwind/go_stack_walk.h"

#include "dwarf/unwind/elision.h"

#include <algorithm>
#include <cstring>
#include <fmt/format.h>

namespace inspect {
namespace {

constexpr std::uint64_t word = 8;
/// Read first: most parked stacks are not deeper.
constexpr std::uint64_t first_read = 512;

} // namespace

bool GoStackWalk::refill(RunAddress address, const RunRange &stack, const MemoryView &memory) {
  const std::uint64_t wanted = window_.size == 0 ? first_read : Window::capacity;
  const std::uint64_t size = std::min(wanted, stack.end - address);
  window_.begin = address;
  window_.size = size;
  if (memory.read(address, std::span(window_.bytes).first(size)))
    return true;
  window_.size = 0;
  return false;
}

bool GoStackWalk::read_word(RunAddress address, const RunRange &stack, const MemoryView &memory, std::uint64_t &into) {
  if (address < stack.begin || address >= stack.end || stack.end - address < word)
    return false;
  if (address < window_.begin || address - window_.begin + word > window_.size)
    if (!refill(address, stack, memory) || window_.size < word)
      return false;
  std::memcpy(&into, window_.bytes.data() + (address - window_.begin), word);
  return true;
}

bool GoStackWalk::walk(const Goroutine &goroutine, const MemoryView &memory, const UnwindLimits &limits, Stack &stack) {
  stack.frames.clear();
  stack.end = StackEnd::complete;
  stack.at = {};
  stack.end_reason.clear();
  stack.elided = stack.elided_at = 0;
  window_.size = 0;
  window_.begin = {};
  const bool in_system_call = goroutine.syscall_sp.value != 0;
  RunAddress pc = in_system_call ? goroutine.syscall_pc : goroutine.pc;
  RunAddress sp = in_system_call ? goroutine.syscall_sp : goroutine.sp;
  FrameOrigin origin = FrameOrigin::registers;
  bool exact = false;
  while (true) {
    Frame &frame = stack.frames.emplace_back();
    frame.pc = pc;
    frame.origin = std::exchange(origin, FrameOrigin::runtime_table);
    const GoFrameRule &rule = rules_.at(pc, exact, memory);
    frame.pc_is_return_address = !exact && !rule.at_entry;
    if (rule.way == GoFrameWay::outermost) {
      finish_elision(stack, limits);
      return true;
    }
    if (rule.way != GoFrameWay::plain)
      return false;
    const RunAddress cfa = sp + static_cast<std::uint64_t>(rule.cfa_offset);
    std::uint64_t caller = 0;
    if (!read_word(cfa - word, goroutine.stack, memory, caller) || caller == 0)
      return false;
    frame.cfa = cfa;
    if (!make_room_for_frame(stack, limits)) {
      stack.end = StackEnd::depth_limit;
      stack.at = RunAddress{caller};
      stack.end_reason = fmt::format("more than {} frames", limits.max_frames);
      finish_elision(stack, limits);
      return true;
    }
    exact = rule.injects_call;
    pc = RunAddress{caller};
    sp = cfa;
  }
}

} // namespace inspect
