// A target whose threads count in memory that the test shares, so that the test can tell that each of them runs.
#pragma once

#include "tests/support/child_process.h"

#include <array>
#include <atomic>
#include <cstddef>
#include <memory>

namespace inspect::test {

class Heartbeat {
public:
  static constexpr std::size_t max_threads = 64;

  /// Starts a process with this many threads beside its main thread; all are counting when it returns.
  explicit Heartbeat(std::size_t threads);
  Heartbeat(const Heartbeat &) = delete;
  Heartbeat &operator=(const Heartbeat &) = delete;
  ~Heartbeat();

  pid_t pid() const { return child_->pid(); }
  ChildProcess &child() { return *child_; }
  /// Whether every thread, the main thread included, has counted on from now within a generous deadline.
  bool every_thread_runs() const;
  /// Whether any thread has counted on within a tenth of a second.
  bool any_thread_runs() const;

private:
  using Counters = std::array<std::atomic<unsigned long>, max_threads>;
  std::size_t count_;
  Counters *counters_;
  std::unique_ptr<ChildProcess> child_;
};

/// Whether no thread of the process is traced or stopped (polled for a while, since stopping again takes its time).
bool is_left_alone(pid_t process);

} // namespace inspect::test
