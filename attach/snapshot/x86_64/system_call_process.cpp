#include "attach/snapshot/x86_64/system_call_process.h"

#include "attach/procfs/process_status.h"

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstddef>
#include <linux/futex.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

// The code that runs in the other process uses no libc and no sanitizer: it has no thread-local storage of its own
// (errno, the stack of a sanitizer), and would use that of the thread that started it, at the same time.
#define INSPECT_BARE __attribute__((no_sanitize("address", "undefined", "thread"), no_stack_protector))

namespace inspect::x86_64 {

namespace {

using Clock = std::chrono::steady_clock;

constexpr std::size_t stack_bytes = 64U << 10;
/// Either side looks so often before it sleeps: most calls take microseconds, and waking a sleeper takes several.
constexpr int spins = 200;

INSPECT_BARE inline std::int64_t raw_call(std::int64_t number, std::uint64_t a, std::uint64_t b, std::uint64_t c,
                                          std::uint64_t d, std::uint64_t e, std::uint64_t f) {
  std::int64_t result = 0;
  register std::uint64_t r10 asm("r10") = d;
  register std::uint64_t r8 asm("r8") = e;
  register std::uint64_t r9 asm("r9") = f;
  asm volatile("syscall"
               : "=a"(result)
               : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
               : "rcx", "r11", "memory");
  return result;
}

/// Closes all descriptors but these, in one call for each gap; kernels before Linux 5.9 have no close_range(2).
INSPECT_BARE void close_others(const int *kept, std::uint32_t count) {
  constexpr std::uint64_t last = ~0U;
  constexpr std::uint64_t max_closed_one_by_one = 4096;
  std::uint64_t from = 0;
  for (std::uint32_t i = 0; i <= count; ++i) {
    const std::uint64_t below = i < count ? static_cast<std::uint64_t>(kept[i]) : last + 1;
    if (from < below && raw_call(SYS_close_range, from, below - 1, 0, 0, 0, 0) != 0)
      for (std::uint64_t one = from; one < below && one < max_closed_one_by_one; ++one)
        raw_call(SYS_close, one, 0, 0, 0, 0, 0);
    from = below + 1;
  }
}

/// Blocks all signals of this thread for as long as it lives: a process started meanwhile begins with them blocked, and
/// never runs a handler of this program's.
class AllSignalsBlocked {
public:
  AllSignalsBlocked() {
    sigset_t all;
    ::sigfillset(&all);
    ::pthread_sigmask(SIG_SETMASK, &all, &before_);
  }
  ~AllSignalsBlocked() { ::pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
  AllSignalsBlocked(const AllSignalsBlocked &) = delete;
  AllSignalsBlocked &operator=(const AllSignalsBlocked &) = delete;

private:
  sigset_t before_{};
};

} // namespace

/// Both words count calls: asked for, and answered. Plain integers with the compiler's atomics, because the other
/// process may call no function of the library.
struct SystemCallProcess::Shared {
  std::uint32_t asked;
  std::uint32_t answered;
  pid_t parent;
  std::int64_t number;
  std::uint64_t arguments[6];
  int files[max_files]; ///< ascending
  std::uint32_t file_count;
  std::int64_t result;
};

INSPECT_BARE int SystemCallProcess::serve(void *opaque) {
  auto *shared = static_cast<Shared *>(opaque);
  raw_call(SYS_prctl, PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0, 0);
  // Had this program ended before that, nobody would end this process.
  if (raw_call(SYS_getppid, 0, 0, 0, 0, 0, 0) != shared->parent)
    raw_call(SYS_exit, 0, 0, 0, 0, 0, 0);
  close_others(shared->files, shared->file_count);
  std::uint32_t done = 0;
  for (;;) {
    int looks = 0;
    while (__atomic_load_n(&shared->asked, __ATOMIC_ACQUIRE) == done) {
      if (++looks < spins)
        __builtin_ia32_pause();
      else
        raw_call(SYS_futex, reinterpret_cast<std::uint64_t>(&shared->asked), FUTEX_WAIT_PRIVATE, done, 0, 0, 0);
    }
    shared->result = raw_call(shared->number, shared->arguments[0], shared->arguments[1], shared->arguments[2],
                              shared->arguments[3], shared->arguments[4], shared->arguments[5]);
    ++done;
    __atomic_store_n(&shared->answered, done, __ATOMIC_RELEASE);
    raw_call(SYS_futex, reinterpret_cast<std::uint64_t>(&shared->answered), FUTEX_WAKE_PRIVATE, 1, 0, 0, 0);
  }
}

Result<std::unique_ptr<SystemCallProcess>> SystemCallProcess::start(std::span<const int> files) {
  constexpr std::size_t page = 4096;
  void *block = ::mmap(nullptr, page + stack_bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (block == MAP_FAILED)
    return std::unexpected(Error::from_errno(errno, "making room for a process that reads"));
  auto *shared = static_cast<Shared *>(block);
  shared->parent = ::getpid();
  for (const int file : files)
    if (file >= 0 && shared->file_count < max_files)
      shared->files[shared->file_count++] = file;
  std::sort(shared->files, shared->files + shared->file_count);
  std::unique_ptr<SystemCallProcess> started(new SystemCallProcess(shared));
  const AllSignalsBlocked blocked;
  // No signal at its end: whoever waits for children of this program does not meet it (wait(2), __WCLONE).
  started->process_ = ::clone(serve, static_cast<std::byte *>(block) + page + stack_bytes,
                              CLONE_VM | CLONE_FS | CLONE_UNTRACED, shared);
  if (started->process_ < 0)
    return std::unexpected(Error::from_errno(errno, "starting a process that reads"));
  return started;
}

SystemCallProcess::~SystemCallProcess() {
  end();
  if (!lost_)
    ::munmap(shared_, 4096 + stack_bytes);
}

std::optional<std::int64_t> SystemCallProcess::call(std::int64_t number, const Arguments &arguments,
                                                    std::chrono::nanoseconds &patience) {
  if (timed_out_)
    return std::nullopt;
  shared_->number = number;
  for (std::size_t i = 0; i < arguments.size(); ++i)
    shared_->arguments[i] = arguments[i];
  const std::uint32_t wanted = shared_->asked + 1;
  const auto is_answered = [&] { return __atomic_load_n(&shared_->answered, __ATOMIC_ACQUIRE) == wanted; };
  __atomic_store_n(&shared_->asked, wanted, __ATOMIC_RELEASE);
  ::syscall(SYS_futex, &shared_->asked, FUTEX_WAKE_PRIVATE, 1, nullptr, nullptr, 0);
  for (int looks = 0; looks < spins; ++looks) {
    if (is_answered())
      return shared_->result;
    __builtin_ia32_pause();
  }
  const auto begin = Clock::now();
  auto before = begin;
  while (!is_answered()) {
    constexpr timespec slice{0, 10'000'000};
    ::syscall(SYS_futex, &shared_->answered, FUTEX_WAIT_PRIVATE, wanted - 1, &slice, nullptr, 0);
    const auto now = Clock::now();
    if (!is_answered() && waits_in_kernel())
      patience -= now - before;
    before = now;
    if (patience.count() > 0 && now - begin < max_wall_time)
      continue;
    if (is_answered())
      break;
    timed_out_ = true;
    end();
    return std::nullopt;
  }
  return shared_->result;
}

bool SystemCallProcess::waits_in_kernel() const {
  const auto stat = read_process_stat(process_);
  return stat && stat->state == 'D';
}

void SystemCallProcess::end() {
  if (process_ < 0)
    return;
  // One that waits for work ends at once; only a wait in the kernel that heeds no signal outlasts this.
  constexpr auto patience = std::chrono::milliseconds(20);
  ::kill(process_, SIGKILL);
  const auto deadline = Clock::now() + patience;
  for (;;) {
    const pid_t ended = ::waitpid(process_, nullptr, __WCLONE | WNOHANG);
    if (ended == process_ || (ended < 0 && errno != EINTR))
      break;
    if (Clock::now() >= deadline) {
      lost_ = true;
      break;
    }
    const timespec time{0, 50'000};
    ::nanosleep(&time, nullptr);
  }
  process_ = -1;
}

} // namespace inspect::x86_64
