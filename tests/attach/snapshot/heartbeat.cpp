#include "tests/attach/snapshot/heartbeat.h"

#include "tests/support/process_health.h"

#include <sys/mman.h>
#include <thread>
#include <unistd.h>
#include <vector>

namespace inspect::test {
namespace {

[[noreturn]] void count_on(std::atomic<unsigned long> &counter) {
  for (;;) {
    counter.fetch_add(1);
    ::usleep(500);
  }
}

} // namespace

Heartbeat::Heartbeat(std::size_t threads) : count_(threads + 1) {
  void *memory = ::mmap(nullptr, sizeof(Counters), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  counters_ = new (memory) Counters{};
  child_ = std::make_unique<ChildProcess>(ChildProcess::forked([&]() -> int {
    std::vector<std::thread> all;
    for (std::size_t i = 1; i < count_; ++i)
      all.emplace_back([this, i] { count_on((*counters_)[i]); });
    count_on((*counters_)[0]);
  }));
  if (!every_thread_runs())
    throw std::runtime_error("the heartbeat does not start");
}

Heartbeat::~Heartbeat() {
  child_.reset();
  ::munmap(counters_, sizeof(Counters));
}

bool Heartbeat::every_thread_runs() const {
  std::vector<unsigned long> before;
  for (std::size_t i = 0; i < count_; ++i)
    before.push_back((*counters_)[i].load());
  return wait_until([&] {
    for (std::size_t i = 0; i < count_; ++i)
      if ((*counters_)[i].load() == before[i])
        return false;
    return true;
  });
}

bool Heartbeat::any_thread_runs() const {
  const auto sum = [&] {
    unsigned long total = 0;
    for (std::size_t i = 0; i < count_; ++i)
      total += (*counters_)[i].load();
    return total;
  };
  const unsigned long before = sum();
  ::usleep(100'000);
  return sum() != before;
}

bool is_left_alone(pid_t process) {
  return wait_until([&] { return what_is_wrong_with(process).empty(); });
}

} // namespace inspect::test
