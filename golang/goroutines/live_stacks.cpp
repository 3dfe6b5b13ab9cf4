#include "golang/goroutines/live_stacks.h"

#include <algorithm>

namespace inspect {
namespace {

/// System V psABI for x86-64, section 3.2.2.
constexpr std::uint64_t red_zone = 128;

bool is_plausible(RunRange stack) {
  constexpr std::uint64_t largest = 1ULL << 30; // runtime.maxstacksize is 10^9 bytes
  return stack.begin.value != 0 && stack.size() > 0 && stack.size() <= largest && stack.end.value <= end_of_user_space;
}

bool points_into(RunRange stack, RunAddress pointer) {
  return stack.begin <= pointer && pointer <= stack.end;
}

/// Where the goroutine's own code stands, if that is known from its g alone.
std::optional<RunAddress> saved_stack_pointer(const Goroutine &goroutine) {
  switch (goroutine.status) {
  case GoroutineStatus::running:
    return std::nullopt;
  case GoroutineStatus::in_syscall:
    // Where it has gone to the system stack from below the place that it noted when it entered the call (asmcgocall,
    // systemstack within entersyscall), sched says from where.
    if (goroutine.syscall_sp.value == 0 ||
        (points_into(goroutine.stack, goroutine.sp) && goroutine.sp < goroutine.syscall_sp))
      return goroutine.sp;
    return goroutine.syscall_sp;
  default:
    return goroutine.sp;
  }
}

} // namespace

ThreadStackPointers::ThreadStackPointers(std::span<const RunAddress> stack_pointers)
    : sorted_(stack_pointers.begin(), stack_pointers.end()) {
  std::ranges::sort(sorted_);
}

std::optional<RunAddress> ThreadStackPointers::lowest_in(RunRange stack) const {
  const auto found = std::ranges::lower_bound(sorted_, stack.begin);
  if (found == sorted_.end() || *found >= stack.end)
    return std::nullopt;
  return *found - std::min(red_zone, *found - stack.begin);
}

LiveStack live_stack(const Goroutine &goroutine, const ThreadStackPointers &threads) {
  const bool inconsistent = goroutine.status == GoroutineStatus::copying_stack;
  if (!is_plausible(goroutine.stack))
    return {.range = {}, .damaged = !inconsistent};
  std::optional<RunAddress> begin = saved_stack_pointer(goroutine);
  const bool has_thread = goroutine.m.value != 0 || !begin;
  if (begin && !points_into(goroutine.stack, *begin)) {
    if (!has_thread)
      return {.range = {}, .damaged = !inconsistent};
    begin.reset();
  }
  if (has_thread)
    if (const auto here = threads.lowest_in(goroutine.stack))
      begin = begin ? std::min(*begin, *here) : *here;
  LiveStack live{.range = {begin.value_or(goroutine.stack.begin), goroutine.stack.end}};
  live.cut = live.range.size() > LiveStack::limit_bytes;
  if (live.cut)
    live.range.end = live.range.begin + LiveStack::limit_bytes;
  return live;
}

bool is_runtime_stack(RunRange stack) {
  constexpr std::uint64_t smallest_stack = 2048; // stack.go, stackMin: all are multiples, and aligned
  constexpr std::uint64_t max_system_stack_size = 1 << 20;
  return is_plausible(stack) && stack.size() <= max_system_stack_size && stack.begin.value % smallest_stack == 0 &&
         stack.end.value % smallest_stack == 0;
}

void add_m_stacks(const GoM &runtime_m, const ThreadStackPointers &threads, MStacks &into) {
  if (is_plausible(runtime_m.gsignal_stack))
    if (const auto here = threads.lowest_in(runtime_m.gsignal_stack))
      into.ranges.push_back({*here, runtime_m.gsignal_stack.end});
  const bool was_left = is_plausible(runtime_m.g0_stack) && points_into(runtime_m.g0_stack, runtime_m.g0_sp);
  if (!is_runtime_stack(runtime_m.g0_stack)) {
    if (was_left && runtime_m.current_g.value != 0)
      into.on_c_stacks.push_back(runtime_m.g0_sp);
    return;
  }
  RunAddress begin = was_left ? runtime_m.g0_sp : runtime_m.g0_stack.end;
  begin = std::min(begin, threads.lowest_in(runtime_m.g0_stack).value_or(begin));
  if (begin < runtime_m.g0_stack.end)
    into.ranges.push_back({begin, runtime_m.g0_stack.end});
}

std::vector<RunRange> join_stacks(std::vector<RunRange> ordered, std::vector<RunRange> others) {
  std::erase_if(ordered, [](const RunRange &one) { return one.size() == 0; });
  std::ranges::sort(others);
  const auto middle = static_cast<std::ptrdiff_t>(ordered.size());
  ordered.insert(ordered.end(), others.begin(), others.end());
  std::ranges::inplace_merge(ordered, ordered.begin() + middle);
  RunAddress end{0};
  for (RunRange &one : ordered) {
    one.begin = std::max(one.begin, end);
    end = std::max(one.end, end);
  }
  std::erase_if(ordered, [](const RunRange &one) { return one.size() == 0; });
  return ordered;
}

} // namespace inspect
