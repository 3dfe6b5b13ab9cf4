#include "golang/runtime/layout_check.h"

#include "golang/runtime/goroutine_decoder.h"

#include <algorithm>
#include <bit>
#include <fmt/format.h>
#include <set>

namespace inspect {
namespace {
constexpr std::uint64_t smallest_stack = 2048;      // runtime/stack.go, _StackMin, and fixedStack on Linux
constexpr std::uint64_t max_numbered = 1ULL << 48U; // goroutine ids count up from 1
constexpr pid_t max_threads = 1 << 22;              // the kernel's limit on thread ids
constexpr std::int64_t max_uptime = 1LL << 60;      // nanoseconds: 36 years
constexpr std::size_t forgiven = 10;                // one in so many may be read while it changes

constexpr GoroutineStatus unreadable{0xff};

bool may_be_pointer(RunAddress address) {
  return address.value % 8 == 0 && address.value < end_of_user_space;
}

/// stackalloc hands out powers of two.
bool is_stack(RunRange stack) {
  return stack.begin < stack.end && stack.size() >= smallest_stack && std::has_single_bit(stack.size()) &&
         stack.end.value < end_of_user_space && stack.begin.value % 8 == 0;
}

bool is_parked(GoroutineStatus status) {
  return status == GoroutineStatus::runnable || status == GoroutineStatus::waiting ||
         status == GoroutineStatus::preempted || status == GoroutineStatus::leaked;
}

bool mostly(std::size_t sound, std::size_t all) {
  return (all - sound) * forgiven <= all;
}

std::vector<Goroutine> read_goroutines(const RuntimeLayout &layout, std::span<const RunAddress> addresses,
                                       const MemoryView &memory) {
  const auto size = static_cast<std::size_t>(layout.g.size);
  std::vector<std::byte> bytes(addresses.size() * size);
  std::vector<MemoryRead> reads;
  for (std::size_t i = 0; i < addresses.size(); ++i)
    reads.push_back({addresses[i], std::span(bytes).subspan(i * size, size)});
  memory.read_many(reads);
  std::vector<Goroutine> goroutines;
  for (const MemoryRead &read : reads) {
    goroutines.push_back(decode_goroutine(layout, read.address, read.into));
    if (!read.done)
      goroutines.back().status = unreadable;
  }
  return goroutines;
}

} // namespace

bool LayoutCheck::believable() const {
  // A wrong layout is wrong for every M; a running one may take up another goroutine between two reads.
  return parked > 0 && mostly(sound, goroutines) && sound_ms * 2 >= runtime_ms;
}

bool LayoutChecker::is_code(RunAddress pc) const {
  return std::ranges::any_of(images_, [&](const GoImage &image) { return image.data.text.contains(pc); });
}

bool LayoutChecker::is_function(RunAddress entry) const {
  return std::ranges::any_of(images_, [&](const GoImage &image) {
    const auto function = image.data.text.contains(entry) ? image.table->find(entry) : std::nullopt;
    return function && function->entry == entry;
  });
}

std::string LayoutChecker::problem_of(const Goroutine &goroutine) const {
  if (!is_known_status(goroutine.status))
    return fmt::format("status {}", static_cast<unsigned>(goroutine.status));
  if (!is_live(goroutine.status))
    return {};
  if (goroutine.id == 0 || goroutine.id >= max_numbered || goroutine.parent_id >= max_numbered)
    return fmt::format("number {}, created by number {}", goroutine.id, goroutine.parent_id);
  if (!is_stack(goroutine.stack))
    return fmt::format("stack from {:#x} to {:#x}", goroutine.stack.begin.value, goroutine.stack.end.value);
  if (goroutine.wait_since < 0 || goroutine.wait_since > max_uptime)
    return fmt::format("waiting since {}", goroutine.wait_since);
  for (const RunAddress pointer :
       {goroutine.m, goroutine.locked_m, goroutine.waiting, goroutine.first_defer, goroutine.panic, goroutine.labels})
    if (!may_be_pointer(pointer))
      return fmt::format("pointer {:#x}", pointer.value);
  // The goroutines for threads that C makes are created by no go statement.
  if (goroutine.start_pc.value != 0 && !is_function(goroutine.start_pc))
    return fmt::format("start function at {:#x}", goroutine.start_pc.value);
  if (goroutine.created_pc.value != 0 && !is_code(goroutine.created_pc))
    return fmt::format("go statement at {:#x}", goroutine.created_pc.value);
  if (goroutine.start_pc.value != 0 && goroutine.created_pc.value == 0)
    return "a start function, and no go statement";
  const bool in_syscall = goroutine.status == GoroutineStatus::in_syscall;
  if (in_syscall ? !goroutine.stack.contains(goroutine.syscall_sp) || !is_code(goroutine.syscall_pc)
                 : is_parked(goroutine.status) && (!goroutine.stack.contains(goroutine.sp) || !is_code(goroutine.pc)))
    return fmt::format("stack pointer {:#x} and pc {:#x}", goroutine.sp.value, goroutine.pc.value);
  if (goroutine.status == GoroutineStatus::running && goroutine.m.value == 0)
    return "running on no thread";
  return {};
}

bool LayoutChecker::is_m(RunAddress address) const {
  if (address.value == 0 || !may_be_pointer(address))
    return false;
  std::vector<std::byte> bytes(static_cast<std::size_t>(layout_.m.size));
  if (!memory_.read(address, bytes))
    return false;
  const GoM runtime_m = decode_m(layout_, address, bytes);
  // An M for a thread that has not started yet has no number of the kernel's.
  if (runtime_m.thread < 0 || runtime_m.thread > max_threads || runtime_m.id > std::uint64_t{1} << 32U ||
      !may_be_pointer(runtime_m.g0) || !may_be_pointer(runtime_m.current_g) || !may_be_pointer(runtime_m.gsignal) ||
      !may_be_pointer(runtime_m.locked_g))
    return false;
  // allocm (runtime/proc.go) lists an M before it gives it a g0; a gsignal it has by then.
  const RunAddress own = runtime_m.g0.value != 0 ? runtime_m.g0 : runtime_m.gsignal;
  return own.value != 0 &&
         read_word(memory_, own + static_cast<std::uint64_t>(layout_.g.m)).value_or(0) == address.value;
}

std::string LayoutChecker::m_problem(RunAddress address, std::span<const Goroutine> goroutines) const {
  if (!is_m(address))
    return "none of its fields fit";
  const auto field = [&](FieldOffset offset) {
    return RunAddress{read_word(memory_, address + static_cast<std::uint64_t>(offset)).value_or(~std::uint64_t{0})};
  };
  if (const RunAddress next = field(layout_.m.all_link); next.value != 0 && !is_m(next))
    return fmt::format("the next one at {:#x}", next.value);
  if (const RunAddress vdso = field(layout_.m.vdso_sp); vdso.value >= end_of_user_space)
    return fmt::format("stack pointer {:#x} in the vDSO", vdso.value);
  const RunAddress current = field(layout_.m.current_g);
  for (const Goroutine &goroutine : goroutines)
    if (goroutine.status == GoroutineStatus::running && goroutine.m == address && current != goroutine.address)
      return fmt::format("it runs the goroutine at {:#x}", current.value);
  return {};
}

LayoutCheck LayoutChecker::check(std::span<const RunAddress> goroutines, RunAddress runtime_m) const {
  LayoutCheck result;
  const std::vector<Goroutine> read = read_goroutines(layout_, goroutines, memory_);
  std::set<std::uint64_t> numbers;
  std::set<RunAddress> runtime_ms;
  if (runtime_m.value != 0)
    runtime_ms.insert(runtime_m);
  for (const Goroutine &goroutine : read) {
    if (is_known_status(goroutine.status) && !is_live(goroutine.status))
      continue;
    ++result.goroutines;
    std::string problem = problem_of(goroutine);
    if (problem.empty() && !numbers.insert(goroutine.id).second)
      problem = fmt::format("number {} like another", goroutine.id);
    if (problem.empty()) {
      ++result.sound;
      const bool left_its_thread = is_parked(goroutine.status) || goroutine.status == GoroutineStatus::in_syscall;
      result.parked += left_its_thread && goroutine.start_pc.value != 0 ? 1 : 0;
      if (goroutine.m.value != 0)
        runtime_ms.insert(goroutine.m);
    } else if (result.problem.empty()) {
      result.problem = fmt::format("goroutine at {:#x}: {}", goroutine.address.value, problem);
    }
  }
  for (const RunAddress one : runtime_ms) {
    // allocm lists an M before it gives it a g0.
    if (read_word(memory_, one + static_cast<std::uint64_t>(layout_.m.g0)).value_or(1) == 0)
      continue;
    ++result.runtime_ms;
    const std::string problem = m_problem(one, read);
    if (problem.empty())
      ++result.sound_ms;
    else if (result.problem.empty())
      result.problem = fmt::format("thread structure at {:#x}: {}", one.value, problem);
  }
  return result;
}

} // namespace inspect
