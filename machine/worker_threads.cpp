#include "machine/worker_threads.h"

#include <algorithm>
#include <system_error>
#include <thread>
#include <vector>

namespace inspect {

std::size_t worker_count() {
  constexpr std::size_t max_workers = 4;
  return std::clamp<std::size_t>(std::thread::hardware_concurrency(), 1, max_workers);
}

void run_workers(std::size_t workers, const std::function<void(std::size_t worker)> &work) {
  std::vector<std::thread> threads;
  threads.reserve(workers);
  std::size_t next = 1;
  for (; next < workers; ++next)
    try {
      threads.emplace_back(work, next);
    } catch (const std::system_error &) {
      break; // a limit on threads: this one does the rest
    }
  work(0);
  for (; next < workers; ++next)
    work(next);
  for (std::thread &one : threads)
    one.join();
}

} // namespace inspect
