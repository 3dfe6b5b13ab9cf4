// bare_goroutine_loop PID ALLGS G_SIZE STATUS: the least that stopping a Go process and copying its goroutines can
// cost, when nothing is asked but where the list is. ALLGS is the address of the variable runtime.allgs, G_SIZE the
// size of a g structure and STATUS the offset of its atomicstatus, all decimal or 0x….
//
// It seizes, interrupts, waits by thread id and reads registers; reads the slice header and its slots, all g structures
// and the live part of each goroutine's stack, as many ranges in one process_vm_readv as the kernel takes; and
// detaches. It checks nothing. Prints "pause_us=… goroutines=… bytes=…"; the pause of `inspect` is compared with it.
#include "bench/bare_stop.h"

#include <chrono>
#include <cstdint>
#include <cstring>

namespace {

struct Layout {
  std::uint64_t allgs;
  std::uint64_t g_size;
  std::uint64_t status;
};

// Go 1.16 to 1.26: runtime/runtime2.go, type g. syscallsp moved in 1.25, which this does not know.
constexpr std::uint64_t stack_lo = 0;
constexpr std::uint64_t stack_hi = 8;
constexpr std::uint64_t sched_sp = 56;
constexpr std::uint64_t syscall_sp = 112;

std::uint64_t word_at(const char *structure, std::uint64_t offset) {
  std::uint64_t word;
  std::memcpy(&word, structure + offset, sizeof word);
  return word;
}

bool read_one(pid_t process, std::uint64_t address, void *into, std::size_t size) {
  const iovec local{into, size};
  const iovec remote{reinterpret_cast<void *>(address), size};
  return process_vm_readv(process, &local, 1, &remote, 1, 0) == static_cast<ssize_t>(size);
}

/// From the stack pointer of a goroutine, or of the thread that runs it, to the stack's end.
iovec live_stack(const char *g, std::uint32_t status, const std::vector<user_regs_struct> &registers) {
  const std::uint64_t low = word_at(g, stack_lo);
  const std::uint64_t high = word_at(g, stack_hi);
  std::uint64_t begin = word_at(g, status == 3 ? syscall_sp : sched_sp);
  if (status == 2 || status == 3)
    for (const user_regs_struct &one : registers)
      if (low <= one.rsp && one.rsp < high)
        begin = one.rsp;
  return {reinterpret_cast<void *>(begin), begin >= low && begin <= high ? high - begin : 0};
}

struct Copied {
  std::size_t goroutines = 0;
  std::size_t bytes = 0;
};

// The buffers are given back by the end of the program: that is not part of the pause.
Copied copy_goroutines(pid_t process, const Layout &layout, const std::vector<user_regs_struct> &registers) {
  struct {
    std::uint64_t array, length, capacity;
  } header;
  if (!read_one(process, layout.allgs, &header, sizeof header))
    return {};
  auto *slots = static_cast<std::uint64_t *>(std::malloc(header.length * sizeof(std::uint64_t)));
  if (!read_one(process, header.array, slots, header.length * sizeof(std::uint64_t)))
    return {};
  std::vector<iovec> remote(header.length);
  for (std::size_t i = 0; i < header.length; ++i)
    remote[i] = {reinterpret_cast<void *>(slots[i]), layout.g_size};
  auto *structures = static_cast<char *>(std::malloc(header.length * layout.g_size));
  Copied copied;
  copied.bytes = bare::read_all(process, remote, structures);
  remote.clear();
  std::size_t live = 0;
  for (std::size_t i = 0; i < header.length; ++i) {
    const char *g = structures + i * layout.g_size;
    const auto status = static_cast<std::uint32_t>(word_at(g, layout.status)) & 0xfffU;
    if (status == 0 || status == 6)
      continue;
    ++copied.goroutines;
    remote.push_back(live_stack(g, status, registers));
    live += remote.back().iov_len;
  }
  copied.bytes += bare::read_all(process, remote, static_cast<char *>(std::malloc(live)));
  return copied;
}

} // namespace

int main(int count, char **arguments) {
  if (count != 5) {
    std::fprintf(stderr, "usage: bare_goroutine_loop PID ALLGS G_SIZE STATUS\n");
    return 2;
  }
  const pid_t process = std::atoi(arguments[1]);
  const auto number = [&](int i) { return std::strtoull(arguments[i], nullptr, 0); };
  const Layout layout{number(2), number(3), number(4)};
  const std::vector<pid_t> threads = bare::list_threads(arguments[1]);
  if (!bare::seize(threads))
    return 1;
  const auto begin = std::chrono::steady_clock::now();
  const std::vector<user_regs_struct> registers = bare::stop(threads);
  const Copied copied = copy_goroutines(process, layout, registers);
  bare::detach(threads);
  const auto pause = std::chrono::steady_clock::now() - begin;
  std::printf("pause_us=%lld goroutines=%zu bytes=%zu\n",
              static_cast<long long>(std::chrono::duration_cast<std::chrono::microseconds>(pause).count()),
              copied.goroutines, copied.bytes);
  return copied.goroutines > 0 ? 0 : 1;
}
