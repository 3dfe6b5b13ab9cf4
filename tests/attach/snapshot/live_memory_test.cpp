#include "attach/snapshot/live_memory.h"

#include "attach/procfs/memory_map.h"
#include "tests/support/catch.h"
#include "tests/support/child_process.h"
#include "tests/support/skip.h"

#include <cstddef>
#include <fcntl.h>
#include <fmt/format.h>
#include <linux/audit.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>

namespace inspect {
namespace {

using test::ChildProcess;

constexpr std::size_t page = 4096;
constexpr std::size_t pages = 3000;

/// A child like this one whose memory at `area` has pages numbered in their first word; every third is unmapped.
struct Holey {
  std::byte *area;
  ChildProcess child;
};

ChildProcess start_holey(std::byte *area) {
  ChildProcess child = ChildProcess::forked([&] {
    for (std::size_t i = 0; i < pages; ++i) {
      if (i % 3 == 2)
        munmap(area + i * page, page);
      else
        *reinterpret_cast<std::size_t *>(area + i * page) = i;
    }
    test::say_line("ready");
    pause();
    return 0;
  });
  child.wait_for_line();
  return child;
}

Holey make_holey() {
  void *area = mmap(nullptr, pages * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  auto *bytes = static_cast<std::byte *>(area);
  return {bytes, start_holey(bytes)};
}

RunAddress address_of(const void *pointer) {
  return {reinterpret_cast<std::uintptr_t>(pointer)};
}

/// 3,000 ranges, more than one batch, each failing or not on its own.
void check_ranges(const LiveMemory &memory, const std::byte *area) {
  std::vector<std::size_t> numbers(pages);
  std::vector<MemoryRead> reads;
  for (std::size_t i = 0; i < pages; ++i)
    reads.push_back({address_of(area + i * page), std::as_writable_bytes(std::span(&numbers[i], 1)), i % 2 == 0});
  memory.read_many(reads);
  std::size_t wrong = 0;
  for (std::size_t i = 0; i < pages; ++i) {
    const bool mapped = i % 3 != 2;
    wrong += reads[i].done != mapped || (mapped && numbers[i] != i);
  }
  CHECK(wrong == 0);
}

void check_crossing(const LiveMemory &memory, const std::byte *area) {
  // Pages 0 and 1 are there, 2 is not.
  std::vector<std::byte> buffer(3 * page);
  CHECK(memory.read(address_of(area), std::span(buffer).first(2 * page)).has_value());
  const auto failed = memory.read(address_of(area), buffer);
  REQUIRE_FALSE(failed.has_value());
  CHECK(failed.error().kind() == ErrorKind::unreadable);
  std::vector<std::byte> first(2 * page), second(2 * page), third(2 * page);
  std::array<MemoryRead, 4> reads{{{address_of(area), first},
                                   {address_of(area + page), second},
                                   {RunAddress{~0ULL - 100}, std::span(buffer).first(10)},
                                   {address_of(area + 3 * page), third}}};
  memory.read_many(reads);
  CHECK(reads[0].done);
  CHECK_FALSE(reads[1].done);
  CHECK_FALSE(reads[2].done);
  CHECK(reads[3].done);
  CHECK(*reinterpret_cast<std::size_t *>(third.data() + page) == 4);
  CHECK(memory.read(RunAddress{0}, {}).has_value());
}

/// Makes process_vm_readv fail with EPERM in this process from now on.
bool forbid_process_vm_readv() {
  sock_filter program[] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_process_vm_readv, 0, 1),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  };
  const sock_fprog filter{4, program};
  return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 && prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) == 0;
}

TEST_CASE("a range that cannot be read does not lose the others") {
  const Holey holey = make_holey();
  const auto memory = LiveMemory::open(holey.child.pid()).value();
  check_ranges(*memory, holey.area);
  check_crossing(*memory, holey.area);
  CHECK_FALSE(memory->uses_fallback());
}

TEST_CASE("the fallback reads the same") {
  const Holey holey = make_holey();
  const auto memory = LiveMemory::open(holey.child.pid()).value();
  memory->force_fallback();
  check_ranges(*memory, holey.area);
  check_crossing(*memory, holey.area);
}

TEST_CASE("where a seccomp filter forbids process_vm_readv, /proc/PID/mem is read") {
  const Holey holey = make_holey();
  ChildProcess reader = ChildProcess::forked([&] {
    if (!forbid_process_vm_readv())
      return 77;
    const auto memory = LiveMemory::open(holey.child.pid());
    if (!memory)
      return 1;
    std::size_t number = 0;
    std::size_t other = 0;
    std::array<MemoryRead, 3> reads{{
        {address_of(holey.area + 4 * page), std::as_writable_bytes(std::span(&number, 1))},
        {address_of(holey.area + 5 * page), std::as_writable_bytes(std::span(&other, 1))},
        {address_of(holey.area + 6 * page), std::as_writable_bytes(std::span(&other, 1))},
    }};
    (*memory)->read_many(reads);
    if (!reads[0].done || reads[1].done || !reads[2].done || number != 4 || other != 6)
      return 2;
    return (*memory)->uses_fallback() ? 0 : 3;
  });
  const int status = reader.wait();
  REQUIRE(WIFEXITED(status));
  CHECK(WEXITSTATUS(status) == 0);
}

__attribute__((noinline)) int answer() {
  volatile int value = 42;
  return value;
}

TEST_CASE("program text and data of a running process can be written") {
  ChildProcess child = ChildProcess::forked([] {
    test::say_line("ready");
    char byte;
    [[maybe_unused]] const auto ignored = read(0, &byte, 1);
    return answer();
  });
  child.wait_for_line();
  const auto memory = LiveMemory::open(child.pid()).value();
  // mov eax, 7; ret
  const std::array<std::byte, 6> code{std::byte{0xb8}, std::byte{7}, std::byte{0},
                                      std::byte{0},    std::byte{0}, std::byte{0xc3}};
  REQUIRE(memory->write(address_of(reinterpret_cast<const void *>(&answer)), code).has_value());
  std::array<std::byte, 6> back{};
  REQUIRE(memory->read(address_of(reinterpret_cast<const void *>(&answer)), back).has_value());
  CHECK(back == code);
  const auto failed = memory->write(RunAddress{8}, code);
  REQUIRE_FALSE(failed.has_value());
  CHECK(failed.error().kind() == ErrorKind::unreadable);
  CHECK_FALSE(memory->write(RunAddress{~0ULL - 64}, code).has_value());
  child.close_stdin();
  const int status = child.wait();
  REQUIRE(WIFEXITED(status));
  CHECK(WEXITSTATUS(status) == 7);
  CHECK(answer() == 42);
}

TEST_CASE("the right to trace is enough for memory, without any to the target's files") {
  if (::geteuid() != 0)
    SKIP_TEST("this needs root");
  static std::uint64_t word;
  word = 4711;
  ChildProcess child = ChildProcess::forked([] {
    // Its files in /proc belong to its user only while it is dumpable, which a change of user ends.
    if (::setgid(65534) != 0 || ::setuid(65534) != 0 || ::prctl(PR_SET_DUMPABLE, 1) != 0)
      return 1;
    test::say_line("ready");
    ::pause();
    return 0;
  });
  child.wait_for_line();
  const void *text = reinterpret_cast<const void *>(&make_holey);
  std::uint64_t seen = 0, written = 4712;
  Result<void> read = std::unexpected(Error(ErrorKind::system, "not tried")), write = read, write_text = read;
  bool opened = false, refused = false;
  // Capabilities are a thread's own.
  std::thread([&] {
    __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
    __user_cap_data_struct sets[_LINUX_CAPABILITY_U32S_3] = {};
    ::syscall(SYS_capget, &header, sets);
    sets[0].effective = 1U << CAP_SYS_PTRACE;
    sets[1].effective = 0;
    ::syscall(SYS_capset, &header, sets);
    refused = ::open(fmt::format("/proc/{}/mem", child.pid()).c_str(), O_RDONLY | O_CLOEXEC) < 0;
    const auto memory = LiveMemory::open(child.pid());
    opened = memory.has_value();
    if (!opened)
      return;
    read = (*memory)->read(address_of(&word), std::as_writable_bytes(std::span(&seen, 1)));
    write = (*memory)->write(address_of(&word), std::as_bytes(std::span(&written, 1)));
    write_text = (*memory)->write(address_of(text), std::as_bytes(std::span(&written, 1)));
  }).join();
  CHECK(refused); // else this shows nothing
  REQUIRE(opened);
  CHECK(read.has_value());
  CHECK(seen == 4711);
  CHECK(write.has_value());
  REQUIRE_FALSE(write_text.has_value());
  CHECK(write_text.error().kind() == ErrorKind::not_permitted);
  CHECK_THAT(write_text.error().message(), Catch::Matchers::Contains("CAP_DAC_OVERRIDE is missing"));
  const auto memory = LiveMemory::open(child.pid()).value();
  REQUIRE(memory->read(address_of(&word), std::as_writable_bytes(std::span(&seen, 1))).has_value());
  CHECK(seen == 4712);
}

TEST_CASE("the memory of a process that has ended is an error, not a hang or nonsense") {
  Holey holey = make_holey();
  const auto memory = LiveMemory::open(holey.child.pid()).value();
  holey.child.signal(SIGKILL);
  holey.child.wait();
  CHECK_FALSE(read_word(*memory, address_of(holey.area)).has_value());
  CHECK_FALSE(memory->write(address_of(holey.area), std::as_bytes(std::span("x"))).has_value());
  CHECK(LiveMemory::open(holey.child.pid()).error().kind() == ErrorKind::no_such_process);
}

} // namespace
} // namespace inspect
