// Time, threads and locks, and numbers.
#include "values/printers/library_parts.h"
#include "values/printers/libstdcxx/libstdcxx_views.h"

#include <fmt/format.h>

namespace inspect::libstdcxx {
namespace {

View described(const LibraryObject &object, const std::optional<std::string> &text) {
  return text ? std::optional(plain_view(std_name(object) + *text)) : std::nullopt;
}

} // namespace

View duration(const Value &value, ChildRange, ValueEnvironment &environment) {
  const LibraryObject object(value, environment);
  const auto count = object.member("__r");
  const auto text = count ? duration_text(object, *count) : std::nullopt;
  return text ? std::optional(plain_view(*text)) : std::nullopt;
}

View time_point(const Value &value, ChildRange, ValueEnvironment &environment) {
  const LibraryObject object(value, environment);
  const auto elapsed = object.member("__d");
  const auto count = elapsed ? elapsed->member("__r") : std::nullopt;
  const auto text = count ? time_text(object, *count, *elapsed) : std::nullopt;
  return text ? std::optional(plain_view(*text)) : std::nullopt;
}

View mutex(const Value &value, ChildRange, ValueEnvironment &environment) {
  const LibraryObject object(value, environment);
  const auto held = object.member("_M_mutex");
  return held ? described(object, mutex_text(*held)) : std::nullopt;
}

View shared_mutex(const Value &value, ChildRange, ValueEnvironment &environment) {
  const LibraryObject object(value, environment);
  const auto held = object.member("_M_rwlock") ? object.member("_M_rwlock") : object.member({"_M_impl", "_M_rwlock"});
  return held ? described(object, shared_mutex_text(*held)) : std::nullopt;
}

View condition_variable(const Value &value, ChildRange, ValueEnvironment &environment) {
  const LibraryObject object(value, environment);
  auto condition = object.member("_M_cond");
  if (condition && condition->member("_M_cond")) // __condvar since GCC 11
    condition = condition->member("_M_cond");
  if (!condition)
    condition = object.declared_as("pthread_cond_t");
  return condition ? described(object, condition_text(*condition)) : std::nullopt;
}

View thread(const Value &value, ChildRange, ValueEnvironment &environment) {
  const LibraryObject object(value, environment);
  auto holder = object.member("_M_thread"); // of a jthread the thread, of an id the handle
  if (holder && !holder->number())
    holder = holder->member("_M_id");
  else if (!holder)
    holder = object.member("_M_id");
  if (holder && !holder->number())
    holder = holder->member("_M_thread");
  const auto handle = number_of(holder);
  if (!handle)
    return std::nullopt;
  const bool is_id = object.type().name == "id";
  return thread_view(is_id ? "std::thread::id" : std_name(object), *handle, environment);
}

/// A _Complex number: of DWARF's base types the one that has two parts.
View complex(const Value &value, ChildRange, ValueEnvironment &environment) {
  const auto both = LibraryObject(value, environment).member("_M_value");
  const auto size = both ? both->size() : std::nullopt;
  if (!size || both->type().encoding != TypeEncoding::complex_float)
    return std::nullopt;
  const TypeHandle part = environment.types.base_type("part", TypeEncoding::floating, *size / 2);
  Value imaginary = both->as(part).value();
  imaginary.source = both->source().at(*size / 2);
  return complex_view(both->as(part), LibraryObject(imaginary, environment));
}

} // namespace inspect::libstdcxx
