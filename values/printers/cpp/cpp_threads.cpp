// Locks and threads: as the C library has them below those of the C++ libraries, and libc++'s own.
//
// Sources: glibc 2.36 sysdeps/nptl/bits/struct_mutex.h, struct_rwlock.h (the bits: nptl/pthread_rwlock_common.c),
// bits/thread-shared-types.h (pthread_cond_t: nptl/pthread_cond_wait.c), nptl/descr.h; musl 1.2 src/internal/
// pthread_impl.h; libstdc++-v3 of GCC 12, bits/std_mutex.h, std_thread.h, std/shared_mutex; libc++ 14 to 20, mutex,
// shared_mutex, thread.
#include "values/printers/cpp/cpp_parts.h"

#include <fmt/format.h>

namespace inspect {
namespace {

using View = std::optional<LibraryView>;

constexpr std::uint64_t kind_mask = 3;
constexpr std::uint64_t kind_recursive = 1;
constexpr std::uint64_t kind_robust_or_priority = 0x30;
constexpr std::uint64_t musl_owner = 0x3fff'ffff;
constexpr std::uint64_t max_thread_id = 1 << 22; // PID_MAX_LIMIT

std::string by_thread(std::uint64_t owner) {
  return owner == 0 ? std::string() : fmt::format(" by thread {}", owner);
}

std::string locked_times(std::uint64_t times, std::uint64_t owner) {
  return times > 1 ? fmt::format(" locked {} times{}", times, by_thread(owner)) : " locked" + by_thread(owner);
}

std::string threads(std::uint64_t count) {
  return count == 1 ? "1 thread" : fmt::format("{} threads", count);
}

std::string read_locked(std::uint64_t readers) {
  return readers == 0 ? ", not locked" : fmt::format(" locked for reading by {}", threads(readers));
}

std::optional<std::string> glibc_mutex(const LibraryObject &data) {
  const auto lock = data.number("__lock");
  const auto owner = data.number("__owner");
  const auto count = data.number("__count");
  const auto kind = data.number("__kind");
  if (!lock || !owner || !count || !kind)
    return std::nullopt;
  const bool plain = (*kind & kind_robust_or_priority) == 0;
  if ((plain && *lock > 2) || *owner > max_thread_id)
    return fmt::format(", a lock word of {} and owner {}: not initialised?", *lock, *owner);
  if (*lock == 0)
    return ", not locked";
  return locked_times((*kind & kind_mask) == kind_recursive ? *count : 1, *owner);
}

/// __u.__i: [0] type, [1] lock (EBUSY without an owner in the plain type), [5] count.
std::optional<std::string> musl_mutex(const LibraryObject &words) {
  const auto type = words.source().unsigned_at(0, 4);
  const auto lock = words.source().unsigned_at(4, 4);
  const auto count = words.source().unsigned_at(20, 4);
  if (!type || !lock || !count || words.size().value_or(0) < 24)
    return std::nullopt;
  if ((*lock & musl_owner) == 0)
    return ", not locked";
  const bool plain = (*type & 15) == 0;
  return locked_times((*type & kind_mask) == kind_recursive ? *count + 1 : 1, plain ? 0 : *lock & musl_owner);
}

/// libc++: a flag, or an owner and a count, behind a mutex that is held only to look at them.
std::optional<std::string> libcxx_timed_mutex(const LibraryObject &mutex) {
  if (const auto locked = mutex.number("__locked_"))
    return *locked == 0 ? ", not locked" : *locked == 1 ? " locked" : ", neither locked nor free: not initialised?";
  const auto count = mutex.number("__count_");
  if (!count || !mutex.has("__id_"))
    return std::nullopt;
  return *count == 0 ? ", not locked" : locked_times(*count, 0);
}

/// glibc's pthread_rwlock_t.
std::optional<std::string> glibc_shared_mutex(const LibraryObject &data) {
  constexpr std::uint64_t write_phase = 1;
  constexpr std::uint64_t write_locked = 2;
  constexpr unsigned reader_shift = 3;
  const auto readers = data.number("__readers");
  const auto writer = data.number("__cur_writer");
  if (!readers || !writer)
    return std::nullopt;
  if (*writer > max_thread_id)
    return fmt::format(", a writer {}: not initialised?", *writer);
  if ((*readers & write_phase) != 0 && (*readers & write_locked) != 0)
    return " locked for writing" + by_thread(*writer);
  return read_locked(*readers >> reader_shift);
}

/// musl's pthread_rwlock_t: the first word counts readers; all bits say a writer.
std::optional<std::string> musl_shared_mutex(const LibraryObject &words) {
  const auto state = words.source().unsigned_at(0, 4);
  if (!state)
    return std::nullopt;
  const std::uint64_t held = *state & INT32_MAX;
  return held == INT32_MAX ? " locked for writing" : read_locked(held);
}

/// libc++: __shared_mutex_base's __state_ has a bit for the writer, and counts readers below.
std::string libcxx_shared_mutex(std::uint64_t state) {
  constexpr std::uint64_t writer = std::uint64_t{1} << 31;
  const std::uint64_t readers = state & (writer - 1);
  return readers == 0 && state != 0 ? " locked for writing" : read_locked(readers);
}

View described(const LibraryObject &object, const std::optional<std::string> &text) {
  return text ? std::optional(plain_view(std_name(object) + *text)) : std::nullopt;
}

View mutex(const Value &value, ChildRange, ValueEnvironment &environment) {
  const LibraryObject object(value, environment);
  if (object.has("__cv_"))
    return described(object, libcxx_timed_mutex(object));
  auto held = object.member({"_M_mutex", "__m_"});
  if (!held && object.type().name == "recursive_mutex")
    held = object.declared_as("pthread_mutex_t");
  if (!held)
    return std::nullopt;
  if (const auto data = held->member("__data"))
    return described(object, glibc_mutex(*data));
  const auto words = held->member("__u.__i");
  return words ? described(object, musl_mutex(*words)) : std::nullopt;
}

View shared_mutex(const Value &value, ChildRange, ValueEnvironment &environment) {
  const LibraryObject object(value, environment);
  if (const auto state = object.number({"__base_.__state_", "__base.__state_"}))
    return described(object, libcxx_shared_mutex(*state));
  const auto held = object.member({"_M_rwlock", "_M_impl._M_rwlock"});
  if (!held)
    return std::nullopt;
  if (const auto data = held->member("__data"))
    return described(object, glibc_shared_mutex(*data));
  const auto words = held->member("__u.__i");
  return words ? described(object, musl_shared_mutex(*words)) : std::nullopt;
}

View condition_variable(const Value &value, ChildRange, ValueEnvironment &environment) {
  const LibraryObject object(value, environment);
  auto condition = object.member({"_M_cond._M_cond", "_M_cond", "__cv_"}); // _M_cond: __condvar since GCC 11
  if (!condition)
    condition = object.declared_as("pthread_cond_t");
  const auto waiters = condition ? condition->number("__data.__wrefs") : std::nullopt;
  if (!waiters)
    return std::nullopt;
  const std::uint64_t count = *waiters >> 3; // below are the flags
  return described(object, count == 0 ? ", nobody waits"
                                      : fmt::format(", {} {}", threads(count), count == 1 ? "waits" : "wait"));
}

/// glibc's struct pthread begins with tcbhead_t, whose first and third words are its own address; tid has been 720
/// bytes in since 2.10.
std::optional<std::uint64_t> thread_id(std::uint64_t handle, const ValueEnvironment &environment) {
  const auto first = read_word(environment.memory, RunAddress{handle});
  const auto third = read_word(environment.memory, RunAddress{handle} + 16);
  const auto number = read_value<std::uint32_t>(environment.memory, RunAddress{handle} + 720);
  return first && third && number && *first == handle && *third == handle && *number <= max_thread_id
             ? std::optional<std::uint64_t>(*number)
             : std::nullopt;
}

/// thread, jthread, thread::id. With the thread's id, where the handle leads to what looks like glibc's description of
/// a thread.
View thread(const Value &value, ChildRange, ValueEnvironment &environment) {
  const LibraryObject object(value, environment);
  // Of a jthread, a thread, an id.
  const auto handle =
      object.number({"_M_thread._M_id._M_thread", "_M_id._M_thread", "_M_thread", "__thread_.__t_", "__t_", "__id_"});
  if (!handle)
    return std::nullopt;
  const bool is_id = object.type().name == "__thread_id" || object.type().name == "id";
  const std::string name = is_id ? "std::thread::id" : std_name(object);
  if (*handle == 0)
    return plain_view(name + (is_id ? " of no thread" : ", not running"));
  const auto number = thread_id(*handle, environment);
  if (number == 0U)
    return plain_view(name + (is_id ? " of an ended thread" : ", ended"));
  return plain_view(fmt::format("{}{} {}", name, is_id ? "" : ", thread",
                                number ? fmt::format("{}", *number) : fmt::format("with handle {:#x}", *handle)));
}

} // namespace

std::span<const LibraryType> cpp_thread_types() {
  static constexpr LibraryType types[] = {
      {"std::mutex", mutex},
      {"std::timed_mutex", mutex},
      {"std::recursive_mutex", mutex},
      {"std::recursive_timed_mutex", mutex},
      {"std::shared_mutex", shared_mutex},
      {"std::shared_timed_mutex", shared_mutex},
      {"std::condition_variable", condition_variable},
      {"std::thread", thread},
      {"std::jthread", thread},
      {"std::thread::id", thread},
      {"std::__thread_id", thread}, // of libc++
  };
  return types;
}

} // namespace inspect
