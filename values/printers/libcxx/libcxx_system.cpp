// Time, threads and locks, and numbers.
#include "values/printers/libcxx/libcxx_views.h"
#include "values/printers/library_parts.h"

#include <fmt/format.h>

namespace inspect::libcxx {
namespace {

View described(const LibraryObject &object, const std::optional<std::string> &text) {
  return text ? std::optional(plain_view(std_name(object) + *text)) : std::nullopt;
}

/// Timed mutexes are a flag, or an owner and a count, behind a mutex that is held only to look at them.
std::optional<std::string> timed_mutex_text(const LibraryObject &mutex) {
  if (const auto locked = mutex.number("__locked_"))
    return *locked == 0 ? ", not locked" : *locked == 1 ? " locked" : ", neither locked nor free: not initialised?";
  const auto count = mutex.number("__count_");
  if (!count || !mutex.member("__id_"))
    return std::nullopt;
  return *count == 0 ? ", not locked" : *count == 1 ? " locked" : fmt::format(" locked {} times", *count);
}

} // namespace

View duration(const Value &value, ChildRange, ValueEnvironment &environment) {
  const LibraryObject object(value, environment);
  const auto count = object.member("__rep_");
  const auto text = count ? duration_text(object, *count) : std::nullopt;
  return text ? std::optional(plain_view(*text)) : std::nullopt;
}

View time_point(const Value &value, ChildRange, ValueEnvironment &environment) {
  const LibraryObject object(value, environment);
  const auto elapsed = object.member("__d_");
  const auto count = elapsed ? elapsed->member("__rep_") : std::nullopt;
  const auto text = count ? time_text(object, *count, *elapsed) : std::nullopt;
  return text ? std::optional(plain_view(*text)) : std::nullopt;
}

View mutex(const Value &value, ChildRange, ValueEnvironment &environment) {
  const LibraryObject object(value, environment);
  auto held = object.member("__m_");
  if (!held && object.type().name == "recursive_mutex")
    held = object.declared_as("pthread_mutex_t");
  if (object.member("__cv_"))
    return described(object, timed_mutex_text(object));
  return held ? described(object, mutex_text(*held)) : std::nullopt;
}

/// shared_mutex: __shared_mutex_base's __state_ has a bit for the writer, and counts readers below.
View shared_mutex(const Value &value, ChildRange, ValueEnvironment &environment) {
  constexpr std::uint64_t writer = std::uint64_t{1} << 31;
  const LibraryObject object(value, environment);
  const auto base = object.member_of_names({"__base_", "__base"});
  const auto state = number_of(base, {"__state_"});
  if (!state)
    return std::nullopt;
  const std::uint64_t readers = *state & (writer - 1);
  if (readers != 0)
    return described(object, fmt::format(" locked for reading by {} thread{}", readers, readers == 1 ? "" : "s"));
  return described(object, *state == 0 ? ", not locked" : " locked for writing");
}

View condition_variable(const Value &value, ChildRange, ValueEnvironment &environment) {
  const LibraryObject object(value, environment);
  auto condition = object.member("__cv_");
  if (!condition)
    condition = object.declared_as("pthread_cond_t");
  return condition ? described(object, condition_text(*condition)) : std::nullopt;
}

View thread(const Value &value, ChildRange, ValueEnvironment &environment) {
  const LibraryObject object(value, environment);
  auto holder = object.member("__thread_"); // of a jthread
  holder = holder ? holder->member("__t_") : object.member_of_names({"__t_", "__id_"});
  const auto handle = number_of(holder);
  if (!handle)
    return std::nullopt;
  const bool is_id = object.type().name == "__thread_id" || object.type().name == "id";
  return thread_view(is_id ? "std::thread::id" : std_name(object), *handle, environment);
}

View complex(const Value &value, ChildRange, ValueEnvironment &environment) {
  const LibraryObject object(value, environment);
  const auto real = object.member("__re_");
  const auto imaginary = object.member("__im_");
  return real && imaginary ? complex_view(*real, *imaginary) : std::nullopt;
}

} // namespace inspect::libcxx
