// Preloaded into a target, it starts a thread that beats every 200 µs and keeps the largest gap between two beats: the
// pause as the target feels it, whatever a tool says of itself.
//
//     INSPECT_HEARTBEAT=FILE LD_PRELOAD=…/heartbeat.so TARGET
//
// FILE then holds two 64-bit words: the number of beats and the largest gap in nanoseconds. Writing 16 zero bytes to it
// begins a new measurement. On a busy machine a gap has the scheduler's delays in it: compare tools in one run.
#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <fcntl.h>
#include <pthread.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

namespace {

struct Pulse {
  std::atomic<std::uint64_t> beats;
  std::atomic<std::uint64_t> largest_gap_ns;
};

std::uint64_t now_ns() {
  timespec time{};
  ::clock_gettime(CLOCK_MONOTONIC, &time);
  return static_cast<std::uint64_t>(time.tv_sec) * 1'000'000'000ULL + static_cast<std::uint64_t>(time.tv_nsec);
}

void *beat(void *argument) {
  Pulse &pulse = *static_cast<Pulse *>(argument);
  ::pthread_setname_np(::pthread_self(), "heartbeat");
  std::uint64_t last = now_ns();
  while (true) {
    const timespec rest{0, 200'000};
    ::nanosleep(&rest, nullptr);
    const std::uint64_t now = now_ns();
    if (now - last > pulse.largest_gap_ns.load(std::memory_order_relaxed))
      pulse.largest_gap_ns.store(now - last, std::memory_order_relaxed);
    pulse.beats.fetch_add(1, std::memory_order_relaxed);
    last = now;
  }
  return nullptr;
}

__attribute__((constructor)) void start() {
  const char *path = std::getenv("INSPECT_HEARTBEAT");
  if (path == nullptr)
    return;
  const int file = ::open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  void *page = file >= 0 && ::ftruncate(file, sizeof(Pulse)) == 0
                   ? ::mmap(nullptr, sizeof(Pulse), PROT_READ | PROT_WRITE, MAP_SHARED, file, 0)
                   : MAP_FAILED;
  if (file >= 0)
    ::close(file);
  pthread_t thread;
  if (page == MAP_FAILED || ::pthread_create(&thread, nullptr, beat, page) != 0)
    std::perror("heartbeat");
}

} // namespace
