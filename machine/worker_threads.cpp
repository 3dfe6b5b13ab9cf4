#include "machine/worker_threads.h"

#include "machine/cancellation_point.h"

#include <algorithm>
#include <exception>
#include <mutex>
#include <new>
#include <system_error>
#include <thread>
#include <vector>

namespace inspect {
namespace {

/// The first exception of several threads.
class FirstFailure {
public:
  void run(const std::function<void(std::size_t worker)> &work, std::size_t worker) {
    try {
      work(worker);
    } catch (...) {
      const std::scoped_lock lock(mutex_);
      if (!failure_)
        failure_ = std::current_exception();
    }
  }
  /// When all threads have ended.
  void pass_on() const {
    if (failure_)
      std::rethrow_exception(failure_);
  }

private:
  std::mutex mutex_;
  std::exception_ptr failure_;
};

} // namespace

std::size_t worker_count() {
  constexpr std::size_t max_workers = 4;
  return std::clamp<std::size_t>(std::thread::hardware_concurrency(), 1, max_workers);
}

void run_workers(std::size_t workers, const std::function<void(std::size_t worker)> &work) {
  FirstFailure failure;
  std::vector<std::thread> threads;
  threads.reserve(workers);
  std::size_t next = 1;
  for (; next < workers; ++next)
    try {
      threads.emplace_back([&, worker = next, cancellation = current_cancellation()] {
        const CancellationScope scope(cancellation);
        failure.run(work, worker);
      });
    } catch (const std::system_error &) {
      break; // a limit on threads: this one does the rest
    } catch (const std::bad_alloc &) {
      break;
    }
  failure.run(work, 0);
  for (; next < workers; ++next)
    failure.run(work, next);
  for (std::thread &one : threads)
    one.join();
  failure.pass_on();
}

} // namespace inspect
