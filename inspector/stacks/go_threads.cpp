#include "inspector/stacks/go_threads.h"

#include "attach/procfs/process_status.h"

#include <algorithm>
#include <unordered_set>

namespace inspect {
namespace {

/// Our number of each thread by the number it has in its own namespace.
std::unordered_map<pid_t, pid_t> numbers_by_own(pid_t process, std::span<const StoppedThread> threads,
                                                const std::vector<GoM> &runtime_ms) {
  std::unordered_map<pid_t, pid_t> numbers;
  for (const StoppedThread &thread : threads)
    numbers.emplace(thread.thread, thread.thread);
  const bool same_namespace = std::ranges::all_of(
      runtime_ms, [&](const GoM &runtime_m) { return runtime_m.thread == 0 || numbers.contains(runtime_m.thread); });
  if (same_namespace)
    return numbers;
  std::unordered_map<pid_t, pid_t> own;
  for (const StoppedThread &thread : threads)
    if (const auto status = read_thread_status(process, thread.thread); status && status->id_in_namespace != 0)
      own.emplace(status->id_in_namespace, thread.thread);
  return own.empty() ? numbers : own;
}

} // namespace

GoThreads::GoThreads(const GoroutineCopy &copy, pid_t process, std::span<const StoppedThread> threads) {
  const auto numbers = numbers_by_own(process, threads, copy.runtime_ms());
  std::unordered_map<RunAddress, const Goroutine *> wanted;
  // Of a thread that ran on after the lists were read, they do not say what it does now.
  std::unordered_set<pid_t> ran_on;
  for (const StoppedThread &thread : threads)
    if (thread.ran_since_mark)
      ran_on.insert(thread.thread);
  for (const GoM &runtime_m : copy.runtime_ms()) {
    runtime_ms_.emplace(runtime_m.address, &runtime_m);
    if (const auto number = numbers.find(runtime_m.thread); number != numbers.end() && !ran_on.contains(number->second))
      threads_.emplace(runtime_m.address, number->second);
    if (runtime_m.current_g.value != 0)
      wanted.emplace(runtime_m.current_g, nullptr);
  }
  current_.reserve(wanted.size()); // contexts point into it
  for (const Goroutine &goroutine : copy.goroutines())
    if (const auto found = wanted.find(goroutine.address); found != wanted.end() && found->second == nullptr)
      found->second = &current_.emplace_back(goroutine);
  for (const auto &[address, thread] : threads_) {
    const GoM *runtime_m = runtime_ms_.at(address);
    const auto goroutine = wanted.find(runtime_m->current_g);
    contexts_[thread] = {goroutine != wanted.end() ? goroutine->second : nullptr, runtime_m};
  }
}

GoWalkContext GoThreads::context_of(pid_t thread) const {
  const auto found = contexts_.find(thread);
  return found != contexts_.end() ? found->second : GoWalkContext{};
}

pid_t GoThreads::thread_of(const Goroutine &goroutine) const {
  const auto found = threads_.find(goroutine.m);
  return found != threads_.end() ? found->second : 0;
}

pid_t GoThreads::thread_of_m(const Goroutine &goroutine) const {
  const GoM *runtime_m = m_of(goroutine);
  const auto found = runtime_m != nullptr ? threads_.find(runtime_m->address) : threads_.end();
  return found != threads_.end() ? found->second : 0;
}

const GoM *GoThreads::m_of(const Goroutine &goroutine) const {
  for (const RunAddress address : {goroutine.m, goroutine.locked_m})
    if (const auto found = runtime_ms_.find(address); found != runtime_ms_.end())
      return found->second;
  return nullptr;
}

bool starts_at_entry(const GoRuntime &runtime, const Goroutine &goroutine) {
  if (goroutine.status == GoroutineStatus::in_syscall && goroutine.syscall_sp.value != 0)
    return false;
  const auto place = runtime.function_at(goroutine.pc);
  return place && place->function.entry == goroutine.pc;
}

} // namespace inspect
