#include "inspector/process/processor_use.h"

#include "attach/procfs/process_status.h"

#include <algorithm>
#include <unistd.h>
#include <unordered_map>

namespace inspect {

Result<ProcessorSample> take_processor_sample(pid_t process) {
  ProcessorSample sample;
  sample.taken = std::chrono::steady_clock::now();
  const auto whole = read_process_stat(process);
  if (!whole)
    return std::unexpected(whole.error());
  const auto threads = read_thread_stats(process);
  if (!threads)
    return std::unexpected(threads.error());
  sample.user = whole->user_ticks;
  sample.system = whole->system_ticks;
  sample.start = whole->start_ticks;
  sample.threads.reserve(threads->size());
  for (const ProcessStat &one : *threads)
    sample.threads.push_back({one.id, one.name, one.state, one.start_ticks, one.user_ticks, one.system_ticks});
  return sample;
}

ProcessorUse processor_use(const ProcessorSample &before, const ProcessorSample &after) {
  ProcessorUse use;
  const auto passed = after.taken - before.taken;
  use.over = std::chrono::duration_cast<std::chrono::milliseconds>(passed);
  const double seconds = std::chrono::duration<double>(passed).count();
  const double ticks = seconds * static_cast<double>(::sysconf(_SC_CLK_TCK));
  if (ticks <= 0)
    return use;
  // The kernel splits the precise sum into user and system anew each time, so that one of them may shrink by a tick.
  const auto percent = [&](std::uint64_t from, std::uint64_t to) {
    return to > from ? 100 * static_cast<double>(to - from) / ticks : 0;
  };
  use.user = percent(before.user, after.user);
  use.system = percent(before.system, after.system);
  std::unordered_map<pid_t, const ThreadTicks *> known;
  for (const ThreadTicks &thread : before.threads)
    known.emplace(thread.thread, &thread);
  for (const ThreadTicks &thread : after.threads) {
    const auto found = known.find(thread.thread);
    const ThreadTicks *earlier =
        found != known.end() && found->second->start == thread.start ? found->second : nullptr; // else begun since
    const double user = percent(earlier != nullptr ? earlier->user : 0, thread.user);
    const double system = percent(earlier != nullptr ? earlier->system : 0, thread.system);
    if (user + system > 0)
      use.threads.push_back({thread.thread, thread.name, user, system});
  }
  std::ranges::stable_sort(use.threads, std::ranges::greater{},
                           [](const ThreadUse &thread) { return thread.user + thread.system; });
  return use;
}

} // namespace inspect
