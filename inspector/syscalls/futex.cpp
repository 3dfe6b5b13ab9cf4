#include "inspector/syscalls/system_call.h"
#include "inspector/syscalls/system_call_text.h"

#include <algorithm>
#include <array>
#include <fmt/format.h>
#include <linux/futex.h>
#include <sys/syscall.h>

namespace inspect {
namespace {

std::string operation_name(std::uint32_t operation) {
  constexpr std::array<std::string_view, 14> names = {
      "FUTEX_WAIT",           "FUTEX_WAKE",        "FUTEX_FD",          "FUTEX_REQUEUE",
      "FUTEX_CMP_REQUEUE",    "FUTEX_WAKE_OP",     "FUTEX_LOCK_PI",     "FUTEX_UNLOCK_PI",
      "FUTEX_TRYLOCK_PI",     "FUTEX_WAIT_BITSET", "FUTEX_WAKE_BITSET", "FUTEX_WAIT_REQUEUE_PI",
      "FUTEX_CMP_REQUEUE_PI", "FUTEX_LOCK_PI2"};
  const std::uint32_t command = operation & static_cast<std::uint32_t>(FUTEX_CMD_MASK);
  std::string name = command < names.size() ? std::string(names[command]) : fmt::format("operation {}", command);
  if ((operation & FUTEX_PRIVATE_FLAG) != 0)
    name += "_PRIVATE";
  if ((operation & FUTEX_CLOCK_REALTIME) != 0)
    name += "|FUTEX_CLOCK_REALTIME";
  return name;
}

/// The first words of glibc's pthread_mutex_t on x86-64 (sysdeps/nptl/bits/struct_mutex.h).
struct MutexWords {
  std::uint32_t lock; ///< 0 free, 1 locked, 2 locked and waited for
  std::uint32_t count;
  std::int32_t owner;
  std::uint32_t users;
  std::uint32_t kind;
};

bool is_one_of(std::span<const pid_t> threads, pid_t thread) {
  return std::ranges::find(threads, thread) != threads.end();
}

} // namespace

void describe_futex(SystemCallText &call) {
  const auto operation = static_cast<std::uint32_t>(call.word(1));
  const auto command = static_cast<int>(operation & static_cast<std::uint32_t>(FUTEX_CMD_MASK));
  call.add(fmt::format("{:#x}", call.word(0)));
  call.add(operation_name(operation));
  const clockid_t clock = (operation & FUTEX_CLOCK_REALTIME) != 0 ? CLOCK_REALTIME : CLOCK_MONOTONIC;
  switch (command) {
  case FUTEX_WAIT:
    call.add(std::to_string(static_cast<std::uint32_t>(call.word(2))));
    call.add_timeout(call.word(3));
    break;
  case FUTEX_WAIT_BITSET:
  case FUTEX_WAIT_REQUEUE_PI:
    call.add(std::to_string(static_cast<std::uint32_t>(call.word(2))));
    call.add_timeout_until(call.word(3), clock);
    break;
  case FUTEX_LOCK_PI:
    call.add_timeout_until(call.word(3), CLOCK_REALTIME);
    break;
  case FUTEX_LOCK_PI2:
    call.add_timeout_until(call.word(3), clock);
    break;
  default: // these do not wait
    call.add(std::to_string(static_cast<std::uint32_t>(call.word(2))));
  }
}

std::optional<FutexOwner> futex_owner(const SystemCall &call, pid_t waiter, const MemoryView &memory,
                                      std::span<const pid_t> threads) {
  if (call.number != SYS_futex)
    return std::nullopt;
  const auto command = static_cast<int>(call.word(1) & static_cast<std::uint64_t>(FUTEX_CMD_MASK));
  const auto words = read_value<MutexWords>(memory, RunAddress{call.word(0)});
  if (command == FUTEX_LOCK_PI || command == FUTEX_LOCK_PI2) {
    const auto word = read_value<std::uint32_t>(memory, RunAddress{call.word(0)});
    const auto owner = word ? static_cast<pid_t>(*word & FUTEX_TID_MASK) : 0;
    return is_one_of(threads, owner) ? std::optional(FutexOwner{owner, true}) : std::nullopt;
  }
  // A contended mutex is waited for with the value 2, without a bit set and without a clock: condition variables,
  // semaphores, read-write locks and joins use FUTEX_WAIT_BITSET.
  if (command != FUTEX_WAIT || static_cast<std::uint32_t>(call.word(2)) != 2 || !words)
    return std::nullopt;
  const bool locked = words->lock == 1 || words->lock == 2;
  constexpr std::uint32_t max_users = 1 << 20;
  constexpr std::uint32_t kind_bits = 0x3ff;
  if (!locked || words->owner == waiter || !is_one_of(threads, words->owner) || words->users == 0 ||
      words->users > max_users || (words->kind & ~kind_bits) != 0)
    return std::nullopt;
  return FutexOwner{words->owner, false};
}

} // namespace inspect
