// Lets the user's Ctrl-C end a long computation without ending the program: whoever works long asks now and then.
#pragma once

#include <atomic>

namespace inspect {

class Cancellation {
public:
  /// Safe in a signal handler.
  void request() { requested_.store(true, std::memory_order_relaxed); }
  void clear() { requested_.store(false, std::memory_order_relaxed); }
  bool requested() const { return requested_.load(std::memory_order_relaxed); }

private:
  std::atomic<bool> requested_{false};
};

} // namespace inspect
