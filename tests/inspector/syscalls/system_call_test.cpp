#include "inspector/syscalls/system_call.h"

#include "attach/ptrace/stopped_process.h"
#include "attach/snapshot/live_memory.h"
#include "inspector/syscalls/system_call_text.h"
#include "machine/file_descriptor.h"
#include "machine/x86_64/registers.h"
#include "tests/support/catch.h"
#include "tests/support/child_process.h"

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <fcntl.h>
#include <filesystem>
#include <fmt/format.h>
#include <fstream>
#include <linux/futex.h>
#include <poll.h>
#include <pthread.h>
#include <sys/epoll.h>
#include <sys/file.h>
#include <sys/ptrace.h>
#include <sys/select.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>

namespace inspect {
namespace {

using test::ChildProcess;

/// Registers of a thread as a short stop shows them; it runs again when this returns.
StoppedThread look_at(pid_t thread) {
  StoppedThread stopped;
  stopped.thread = thread;
  REQUIRE(::ptrace(PTRACE_SEIZE, thread, 0, 0) == 0);
  REQUIRE(::ptrace(PTRACE_INTERRUPT, thread, 0, 0) == 0);
  int status = 0;
  while (::waitpid(thread, &status, __WALL) < 0)
    REQUIRE(errno == EINTR);
  user_regs_struct raw{};
  REQUIRE(::ptrace(PTRACE_GETREGS, thread, 0, &raw) == 0);
  REQUIRE(::ptrace(PTRACE_DETACH, thread, 0, 0) == 0);
  stopped.state = StopState::stopped;
  stopped.system_call = static_cast<std::int64_t>(raw.orig_rax);
  using namespace x86_64;
  const std::pair<unsigned, std::uint64_t> values[] = {{rdi, raw.rdi},           {rsi, raw.rsi}, {rdx, raw.rdx},
                                                       {r10, raw.r10},           {r8, raw.r8},   {r9, raw.r9},
                                                       {return_address, raw.rip}};
  for (const auto &[number, value] : values)
    stopped.registers.set(number, value);
  return stopped;
}

std::string state_of(pid_t thread) {
  std::ifstream stat(fmt::format("/proc/{}/wchan", thread));
  std::string channel;
  std::getline(stat, channel);
  return channel;
}

/// The number of the system call a sleeping thread is in, without stopping it; -1 while it runs ("running").
long call_in_progress(pid_t thread) {
  std::ifstream file(fmt::format("/proc/{}/syscall", thread));
  long number = -1;
  return file >> number ? number : -1;
}

SystemCall call_of(const StoppedThread &thread, const MemoryView &memory) {
  return x86_64::decode_system_call(thread.system_call, thread.registers, memory);
}

/// Runs `body` in a child until that is blocked in the call of this number; describes the call then.
std::string described(long number, const std::function<int()> &body) {
  auto child = ChildProcess::forked(body);
  INFO(state_of(child.pid()));
  REQUIRE(test::wait_until([&] { return call_in_progress(child.pid()) == number; }));
  const auto memory = LiveMemory::open(child.pid());
  REQUIRE(memory.has_value());
  const StoppedThread thread = look_at(child.pid());
  FileTable files(child.pid());
  return describe_system_call(call_of(thread, **memory), **memory, &files);
}

struct Pipe {
  FileDescriptor reader, writer;
  Pipe() {
    int ends[2];
    REQUIRE(::pipe2(ends, O_CLOEXEC) == 0);
    reader = FileDescriptor(ends[0]);
    writer = FileDescriptor(ends[1]);
  }
  std::string name() const { return *FileTable(::getpid()).describe(reader.get()); }
  std::string reading() const { return fmt::format("{} <{}>", reader.get(), name()); }
};

TEST_CASE("a thread blocked in read says of what") {
  const Pipe pipe;
  CHECK(described(SYS_read, [&] {
          char byte;
          return ::read(pipe.reader.get(), &byte, 1) == 1 ? 0 : 1;
        }) == fmt::format("read({})", pipe.reading()));
}

TEST_CASE("poll, select and epoll say what they wait for, and how long") {
  const Pipe pipe;
  CHECK(described(SYS_poll, [&] {
          pollfd entry{pipe.reader.get(), POLLIN, 0};
          return ::poll(&entry, 1, 3'000'000);
        }) == fmt::format("poll([{}]), timeout 3000 s", pipe.reading()));
  CHECK(described(SYS_poll, [&] {
          std::array<pollfd, 12> entries;
          entries.fill({pipe.reader.get(), POLLIN, 0});
          return ::poll(entries.data(), entries.size(), -1);
        }).ends_with(", 4 more]), no timeout"));
  CHECK(described(SYS_pselect6, [&] {
          fd_set set;
          FD_ZERO(&set);
          FD_SET(pipe.reader.get(), &set);
          return ::syscall(SYS_pselect6, pipe.reader.get() + 1, &set, nullptr, nullptr, nullptr, nullptr) < 0 ? 1 : 0;
        }) == fmt::format("pselect6(read [{}]), no timeout", pipe.reading()));
  CHECK(described(SYS_epoll_wait, [&] {
          const FileDescriptor group(::epoll_create1(0));
          ::dup2(group.get(), 100);
          epoll_event event{};
          for (;;)
            ::epoll_wait(100, &event, 1, 900'500);
          return 0;
        }) == "epoll_wait(100 <eventpoll>), timeout 900.5 s");
}

TEST_CASE("sleeps say how long") {
  CHECK(described(SYS_clock_nanosleep, [] {
          const timespec time{5000, 250'000'000};
          return ::clock_nanosleep(CLOCK_MONOTONIC, 0, &time, nullptr);
        }) == "clock_nanosleep(CLOCK_MONOTONIC, 5000.25 s)");
  const std::string left = described(SYS_clock_nanosleep, [] {
    timespec time{};
    ::clock_gettime(CLOCK_MONOTONIC, &time);
    time.tv_sec += 4990;
    return ::clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &time, nullptr);
  });
  CHECK(left.starts_with("clock_nanosleep(CLOCK_MONOTONIC, 49"));
  CHECK(left.ends_with(" s left)"));
  CHECK(described(SYS_pause, [] { return ::pause(); }) == "pause()");
}

TEST_CASE("waits for children, locks and signals say for which") {
  CHECK(described(SYS_wait4, [] {
          const auto child = ChildProcess::forked([] { return ::pause(); });
          return static_cast<int>(::waitpid(-1, nullptr, 0));
        }) == "wait4(any child)");
  std::string path = (std::filesystem::temp_directory_path() / "inspect-lock-XXXXXX").string();
  const FileDescriptor file(::mkstemp(path.data()));
  REQUIRE(::flock(file.get(), LOCK_EX) == 0);
  const auto flocked = described(SYS_flock, [&] {
    const FileDescriptor own(::open(path.c_str(), O_RDWR | O_CLOEXEC));
    ::dup2(own.get(), 100);
    return ::flock(100, LOCK_SH);
  });
  CHECK(flocked == fmt::format("flock(100 <{}>, LOCK_SH)", path));
  struct flock lock {};
  lock.l_type = F_WRLCK;
  lock.l_start = 10;
  lock.l_len = 20;
  REQUIRE(::fcntl(file.get(), F_SETLK, &lock) == 0);
  const auto locked = described(SYS_fcntl, [&] { return ::fcntl(file.get(), F_SETLKW, &lock); });
  CHECK(locked == fmt::format("fcntl({} <{}>, F_SETLKW, write lock of 20 bytes from 10)", file.get(), path));
  ::unlink(path.c_str());
  CHECK(described(SYS_rt_sigtimedwait, [] {
          sigset_t set;
          sigemptyset(&set);
          sigaddset(&set, SIGUSR1);
          sigaddset(&set, SIGTERM);
          sigprocmask(SIG_BLOCK, &set, nullptr);
          for (;;) // a stop ends the wait with EINTR
            ::sigwaitinfo(&set, nullptr);
          return 0;
        }) == "rt_sigtimedwait({SIGUSR1 SIGTERM}), no timeout");
}

TEST_CASE("a path argument is shown") {
  std::string path = (std::filesystem::temp_directory_path() / fmt::format("inspect-fifo-{}", ::getpid())).string();
  REQUIRE(::mkfifo(path.c_str(), 0600) == 0);
  const auto opened = described(SYS_openat, [&] { return ::open(path.c_str(), O_RDONLY); });
  CHECK(opened == fmt::format("openat(AT_FDCWD, \"{}\")", path));
  ::unlink(path.c_str());
}

struct Shared {
  pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
  pthread_mutex_t inheriting;
  pthread_cond_t condition = PTHREAD_COND_INITIALIZER;
};

/// A child whose main thread holds both mutexes; its other thread does `blocked`. Says the other's thread id.
ChildProcess lock_holder(Shared &shared, void (*blocked)(Shared &)) {
  return ChildProcess::forked([&shared, blocked] {
    pthread_mutexattr_t attributes;
    pthread_mutexattr_init(&attributes);
    pthread_mutexattr_setprotocol(&attributes, PTHREAD_PRIO_INHERIT);
    pthread_mutex_init(&shared.inheriting, &attributes);
    pthread_mutex_lock(&shared.mutex);
    pthread_mutex_lock(&shared.inheriting);
    std::thread other([&] {
      test::say_line(std::to_string(::gettid()));
      blocked(shared);
    });
    for (;;)
      ::pause();
    return 0;
  });
}

struct Blocked {
  std::string text;
  std::optional<FutexOwner> owner;
  pid_t holder;
};

Blocked blocked_in_futex(Shared &shared, void (*blocked)(Shared &)) {
  auto child = lock_holder(shared, blocked);
  const pid_t waiter = std::stoi(child.read_line());
  REQUIRE(test::wait_until([&] { return call_in_progress(waiter) == SYS_futex; }));
  const StoppedThread thread = look_at(waiter);
  const auto memory = LiveMemory::open(child.pid());
  REQUIRE(memory.has_value());
  const std::array<pid_t, 2> threads = {child.pid(), waiter};
  const SystemCall call = call_of(thread, **memory);
  return {describe_system_call(call, **memory, nullptr), futex_owner(call, waiter, **memory, threads), child.pid()};
}

TEST_CASE("a thread that waits for a mutex says so, and who holds it") {
  Shared shared;
  const Blocked waiting = blocked_in_futex(shared, [](Shared &all) { pthread_mutex_lock(&all.mutex); });
  CHECK(waiting.text == fmt::format("futex({:#x}, FUTEX_WAIT_PRIVATE, 2), no timeout",
                                    reinterpret_cast<std::uintptr_t>(&shared.mutex)));
  REQUIRE(waiting.owner.has_value());
  CHECK(waiting.owner->thread == waiting.holder);
  CHECK_FALSE(waiting.owner->certain);
}

TEST_CASE("the holder of a priority-inheriting mutex is certain") {
  Shared shared;
  const Blocked waiting = blocked_in_futex(shared, [](Shared &all) { pthread_mutex_lock(&all.inheriting); });
  CHECK(waiting.text.find("FUTEX_LOCK_PI") != std::string::npos);
  REQUIRE(waiting.owner.has_value());
  CHECK(waiting.owner->thread == waiting.holder);
  CHECK(waiting.owner->certain);
}

TEST_CASE("a condition variable has no holder, and its absolute time becomes the time left") {
  Shared shared;
  const Blocked waiting = blocked_in_futex(shared, [](Shared &all) {
    pthread_mutex_t own = PTHREAD_MUTEX_INITIALIZER;
    timespec until{};
    ::clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += 4990;
    pthread_mutex_lock(&own);
    pthread_cond_timedwait(&all.condition, &own, &until);
  });
  CHECK(waiting.text.find("FUTEX_WAIT_BITSET_PRIVATE|FUTEX_CLOCK_REALTIME, ") != std::string::npos);
  INFO(waiting.text);
  CHECK(waiting.text.find("), timeout in 49") != std::string::npos);
  CHECK_FALSE(waiting.owner.has_value());
}

SystemCall made(std::int64_t number, const std::vector<std::uint64_t> &arguments) {
  SystemCall call;
  call.number = number;
  std::ranges::copy(arguments, call.arguments.begin());
  return call;
}

TEST_CASE("the call behind restart_syscall is read from the instruction before the pc") {
  BufferMemory memory;
  const std::uint8_t code[] = {0xb8, 0x07, 0x00, 0x00, 0x00, 0x0f, 0x05}; // mov $7 (poll), %eax; syscall
  const auto bytes = std::as_bytes(std::span(code));
  memory.add(RunAddress{0x1000}, {bytes.begin(), bytes.end()});
  StoppedThread thread;
  thread.system_call = SYS_restart_syscall;
  thread.registers.set(x86_64::rdi, 0);
  thread.registers.set(x86_64::rsi, 0);
  thread.registers.set(x86_64::rdx, 5000);
  thread.registers.set(x86_64::return_address, 0x1007);
  CHECK(describe_system_call(call_of(thread, memory), memory, nullptr) == "poll([]), timeout 5 s");
  thread.registers.set(x86_64::return_address, 0x1006);
  CHECK(describe_system_call(call_of(thread, memory), memory, nullptr) == "restart_syscall");
  thread.registers.forget(x86_64::return_address);
  CHECK(describe_system_call(call_of(thread, memory), memory, nullptr) == "restart_syscall");
}

TEST_CASE("a really restarted wait is recognised") {
  auto child = ChildProcess::forked([] {
    pollfd none{-1, 0, 0};
    return ::poll(&none, 1, 3'000'000);
  });
  REQUIRE(test::wait_until([&] { return call_in_progress(child.pid()) == SYS_poll; }));
  look_at(child.pid()); // the kernel continues poll with restart_syscall after this stop
  REQUIRE(test::wait_until([&] { return call_in_progress(child.pid()) == SYS_restart_syscall; }));
  const StoppedThread thread = look_at(child.pid());
  CHECK(thread.system_call == SYS_restart_syscall);
  const auto memory = LiveMemory::open(child.pid());
  REQUIRE(memory.has_value());
  CHECK(describe_system_call(call_of(thread, **memory), **memory, nullptr) == "poll([-1]), timeout 3000 s");
}

TEST_CASE("no call, unknown calls and unreadable arguments") {
  const BufferMemory nothing;
  CHECK(describe_system_call(made(-1, {}), nothing, nullptr).empty());
  CHECK(describe_system_call(made(999, {}), nothing, nullptr) == "system call 999");
  CHECK(describe_system_call(made(SYS_getpid, {}), nothing, nullptr) == "getpid");
  CHECK(describe_system_call(made(SYS_nanosleep, {0x1234}), nothing, nullptr) == "nanosleep(0x1234)");
  CHECK(describe_system_call(made(SYS_openat, {static_cast<std::uint64_t>(AT_FDCWD), 0x1234}), nothing, nullptr) ==
        "openat(AT_FDCWD, 0x1234)");
  CHECK(describe_system_call(made(SYS_poll, {0x1234, 0xffffffff, 0}), nothing, nullptr) ==
        "poll(0x1234, 4294967295 descriptors), timeout 0 s");
  CHECK(describe_system_call(made(SYS_select, {0x7fffffff, 0x1234, 0, 0, 0}), nothing, nullptr) ==
        "select(), no timeout");
  CHECK(describe_system_call(made(SYS_write, {1, 0x1234, 4096}), nothing, nullptr) == "write(1, 4096 bytes)");
  CHECK(describe_system_call(made(SYS_futex, {0x1234, FUTEX_WAIT, 2, 0x5678}), nothing, nullptr) ==
        "futex(0x1234, FUTEX_WAIT, 2), timeout at 0x5678");
  CHECK(system_call_name(SYS_futex) == "futex");
  CHECK(system_call_name(-7) == "system call -7");
}

TEST_CASE("hostile times do not overflow") {
  BufferMemory memory;
  const timespec times[] = {{INT64_MAX, INT64_MAX}, {INT64_MIN, INT64_MIN}};
  const auto bytes = std::as_bytes(std::span(times));
  memory.add(RunAddress{0x1000}, {bytes.begin(), bytes.end()});
  for (const std::uint64_t address : {0x1000, 0x1010}) {
    CHECK_FALSE(describe_system_call(made(SYS_nanosleep, {address}), memory, nullptr).empty());
    CHECK_FALSE(describe_system_call(made(SYS_futex, {0x1, FUTEX_WAIT_BITSET, 2, address}), memory, nullptr).empty());
    CHECK_FALSE(describe_system_call(made(SYS_select, {0, 0, 0, 0, address}), memory, nullptr).empty());
  }
}

TEST_CASE("durations are written as people say them") {
  using namespace std::chrono_literals;
  CHECK(duration_text(3s) == "3 s");
  CHECK(duration_text(2500ms) == "2.5 s");
  CHECK(duration_text(250ms) == "250 ms");
  CHECK(duration_text(1500us) == "1.5 ms");
  CHECK(duration_text(10ns) == "0.001 ms");
  CHECK(duration_text(0ns) == "0 s");
}

} // namespace
} // namespace inspect
