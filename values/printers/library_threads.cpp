// Locks and threads as the C library has them below those of the C++ libraries, error categories and exceptions.
//
// Sources: glibc 2.36 sysdeps/nptl/bits/struct_mutex.h, struct_rwlock.h (the bits: nptl/pthread_rwlock_common.c),
// bits/thread-shared-types.h (pthread_cond_t: nptl/pthread_cond_wait.c), nptl/descr.h; musl 1.2 src/internal/
// pthread_impl.h; Itanium C++ ABI: 2.9.5 (type_info), exception handling 2.2.1.
#include "values/printers/library_parts.h"

#include <cstring>
#include <fmt/format.h>

namespace inspect {
namespace {

constexpr std::uint64_t kind_mask = 3;
constexpr std::uint64_t kind_recursive = 1;
constexpr std::uint64_t kind_robust_or_priority = 0x30;
constexpr std::uint64_t musl_owner = 0x3fff'ffff;
constexpr std::uint64_t max_thread_id = 1 << 22; // PID_MAX_LIMIT
constexpr std::size_t max_type_name_length = 4096;

std::string by_thread(std::uint64_t owner) {
  return owner == 0 ? std::string() : fmt::format(" by thread {}", owner);
}

std::string locked_times(std::uint64_t times, std::uint64_t owner) {
  return times > 1 ? fmt::format(" locked {} times{}", times, by_thread(owner)) : " locked" + by_thread(owner);
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

std::string threads(std::uint64_t count) {
  return count == 1 ? "1 thread" : fmt::format("{} threads", count);
}

/// The class of the object there by its own type_info: its demangled name; empty where it is no such object.
std::string type_info_name(ValueEnvironment &environment, RunAddress type_info) {
  const auto name = read_word(environment.memory, type_info + 8);
  const auto text = name ? read_c_string(environment.memory, RunAddress{*name}, max_type_name_length)
                         : Result<std::string>(std::unexpected(name.error()));
  if (!text || text->empty())
    return {};
  // GCC marks the names that are unique to an image.
  const std::string_view mangled = std::string_view(*text).substr(text->front() == '*' ? 1 : 0);
  const std::string shown = demangle(fmt::format("_ZTS{}", mangled));
  constexpr std::string_view prefix = "typeinfo name for ";
  return shown.starts_with(prefix) ? shown.substr(prefix.size()) : std::string();
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

} // namespace

std::string class_name_of(ValueEnvironment &environment, RunAddress object) {
  const auto table = read_word(environment.memory, object);
  const auto type_info = table ? read_word(environment.memory, RunAddress{*table} - 8) : table;
  return type_info ? type_info_name(environment, RunAddress{*type_info}) : std::string();
}

std::optional<std::string> mutex_text(const LibraryObject &mutex) {
  if (const auto data = mutex.member("__data"))
    return glibc_mutex(*data);
  const auto words = mutex.member({"__u", "__i"});
  return words ? musl_mutex(*words) : std::nullopt;
}

std::optional<std::string> shared_mutex_text(const LibraryObject &lock) {
  constexpr std::uint64_t write_phase = 1;
  constexpr std::uint64_t write_locked = 2;
  constexpr unsigned reader_shift = 3;
  if (const auto readers = lock.number("__data", "__readers")) {
    const auto writer = lock.number("__data", "__cur_writer");
    if (!writer)
      return std::nullopt;
    if (*writer > max_thread_id)
      return fmt::format(", a writer {}: not initialised?", *writer);
    if ((*readers & write_phase) != 0 && (*readers & write_locked) != 0)
      return " locked for writing" + by_thread(*writer);
    const std::uint64_t count = *readers >> reader_shift;
    return count == 0 ? ", not locked" : fmt::format(" locked for reading by {}", threads(count));
  }
  const auto words = lock.member({"__u", "__i"});
  const auto state = words ? words->source().unsigned_at(0, 4) : std::nullopt;
  if (!state)
    return std::nullopt;
  const std::uint64_t held = *state & INT32_MAX;
  return held == 0           ? ", not locked"
         : held == INT32_MAX ? " locked for writing"
                             : fmt::format(" locked for reading by {}", threads(held));
}

std::optional<std::string> condition_text(const LibraryObject &condition) {
  const auto waiters = condition.number("__data", "__wrefs");
  if (!waiters)
    return std::nullopt;
  const std::uint64_t count = *waiters >> 3; // below are the flags
  return count == 0 ? ", nobody waits" : fmt::format(", {} {}", threads(count), count == 1 ? "waits" : "wait");
}

LibraryView thread_view(std::string_view name, std::uint64_t handle, ValueEnvironment &environment) {
  const bool is_id = name.ends_with("id");
  if (handle == 0)
    return plain_view(fmt::format("{}{}", name, is_id ? " of no thread" : ", not running"));
  const auto number = thread_id(handle, environment);
  if (number == 0U)
    return plain_view(fmt::format("{}{}", name, is_id ? " of an ended thread" : ", ended"));
  return plain_view(fmt::format("{}{} {}", name, is_id ? "" : ", thread",
                                number ? fmt::format("{}", *number) : fmt::format("with handle {:#x}", handle)));
}

namespace {

std::string error_text(std::string_view type, std::int64_t number, RunAddress category, ValueEnvironment &environment) {
  const std::string name = class_name_of(environment, category);
  if (name.empty())
    return fmt::format("{} = {{category at {:#x}: {}}}", type, category.value, number);
  const bool is_generic = name.ends_with("generic_error_category");
  const bool is_system = name.ends_with("system_error_category");
  if (number == 0 && (type == "std::error_code" ? is_system : is_generic))
    return fmt::format("{} = {{ }}", type);
  const char *symbol = is_generic || is_system ? ::strerrorname_np(static_cast<int>(number)) : nullptr;
  const std::string shown = symbol != nullptr && number != 0 ? symbol : fmt::format("{}", number);
  if (is_generic || is_system)
    return fmt::format("{} = {{\"{}\": {}}}", type, is_generic ? "generic" : "system", shown);
  return fmt::format("{} = {{{}: {}}}", type, name, shown);
}

} // namespace

std::optional<LibraryView> error_view(const LibraryObject &error, std::string_view number, std::string_view category) {
  const auto held = error.member(number);
  const auto value = held ? held->signed_number() : std::nullopt;
  const auto named_by = error.pointer(category);
  if (!value || !named_by)
    return std::nullopt;
  return plain_view(error_text(std_name(error), *value, named_by->address, error.environment()));
}

LibraryView exception_view(RunAddress object, ValueEnvironment &environment) {
  if (object.value == 0)
    return plain_view("std::exception_ptr to no exception");
  // The last part of __cxa_exception, in both runtimes: exceptionType is 112 bytes before the exception.
  const auto type_info = read_word(environment.memory, object - 112);
  const std::string name = type_info ? type_info_name(environment, RunAddress{*type_info}) : std::string();
  if (name.empty())
    return broken_view("std::exception_ptr", fmt::format("no exception is at {:#x}: not initialised?", object.value));
  return plain_view(fmt::format("std::exception_ptr to {} at {:#x}", name, object.value));
}

} // namespace inspect
