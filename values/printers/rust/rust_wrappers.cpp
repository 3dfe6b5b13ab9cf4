#include "dwarf/types/type_name.h"
#include "values/native/native_layout.h"
#include "values/native/native_numbers.h"
#include "values/native/symbol_text.h"
#include "values/printers/rust/rust_types.h"

#include <fmt/format.h>

namespace inspect {
namespace {

std::string fraction_text(std::uint64_t whole, std::uint64_t fraction, int digits, const char *unit) {
  std::string text = fmt::format("{:0{}}", fraction, digits);
  text.erase(text.find_last_not_of('0') + 1);
  return fmt::format("{}{}{}{}", whole, text.empty() ? "" : ".", text, unit);
}

std::optional<LibraryView> weak_pointer(const Value &value, ChildRange, ValueEnvironment &environment) {
  if (!LibraryObject(value, environment).member("ptr"))
    return std::nullopt;
  return plain_view("(Weak)");
}

std::optional<LibraryView> cell(const Value &value, ChildRange, ValueEnvironment &environment) {
  const LibraryObject cell(value, environment);
  const auto outer = cell.member("value");
  const auto content = outer && outer->type().name.starts_with("UnsafeCell") ? outer->member("value") : std::nullopt;
  if (!content)
    return std::nullopt;
  const std::string &name = cell.type().name;
  LibraryView view = single_view(name.substr(0, name.find('<')), "value", *content);
  if (const auto borrowed = cell.member("borrow")) {
    const auto count = sole_part(*borrowed).signed_number();
    if (!count)
      return std::nullopt;
    if (*count != 0)
      view.label += *count < 0 ? "(mutably borrowed)" : fmt::format("(borrowed {} times)", *count);
  }
  return view;
}

std::optional<LibraryView> lock(const Value &value, ChildRange, ValueEnvironment &environment) {
  const LibraryObject lock(value, environment);
  const auto outer = lock.member("data");
  const auto content = outer ? outer->member("value") : std::nullopt;
  const auto poison = lock.member("poison");
  const auto poisoned = sole_number(poison);
  const auto inner = lock.member("inner");
  if (!content || !poisoned || !inner)
    return std::nullopt;
  const std::string &name = lock.type().name;
  LibraryView view = single_view(name.substr(0, name.find('<')), "data", *content);
  // On Linux a futex: of a Mutex 0 is free; of an RwLock the low 30 bits count readers, all of them set mean a writer.
  constexpr std::uint64_t all_readers = (1U << 30) - 1;
  const auto futex = inner->member("futex");
  const auto word = futex ? futex : inner->member("state");
  const std::uint64_t state = sole_number(word).value_or(0);
  const std::uint64_t readers = state & all_readers;
  if (name.starts_with("Mutex") && state != 0)
    view.label += "(locked)";
  else if (name.starts_with("RwLock") && readers == all_readers)
    view.label += "(write-locked)";
  else if (name.starts_with("RwLock") && readers != 0)
    view.label += fmt::format("(read-locked {} times)", readers);
  const TypeHandle truth = environment.types.base_type("bool", TypeEncoding::boolean, 1);
  add_child(view, "poisoned", made_value(truth, *poisoned, value.language, environment));
  return view;
}

std::optional<LibraryView> wrapper(const Value &value, ChildRange, ValueEnvironment &environment) {
  const LibraryObject object(value, environment);
  const LibraryObject part = sole_part(object);
  if (part.handle().die.has_value() && object.handle().die && part.handle().die->addr == object.handle().die->addr)
    return std::nullopt;
  return single_view({}, {}, part);
}

/// Its pointer, which is shown and followed as it would be by itself.
std::optional<LibraryView> pinned(const Value &value, ChildRange, ValueEnvironment &environment) {
  const auto pointer = LibraryObject(value, environment).member({"pointer", "__pointer"});
  return pointer ? std::optional(single_view({}, "", *pointer)) : std::nullopt;
}

std::optional<LibraryView> boolean(const Value &value, ChildRange, ValueEnvironment &environment) {
  const auto state = sole_number(LibraryObject(value, environment));
  if (!state || *state > 1)
    return std::nullopt;
  Value content = value;
  content.type.native = environment.types.base_type("bool", TypeEncoding::boolean, 1);
  return single_view({}, {}, std::move(content));
}

std::optional<LibraryView> duration(const Value &value, ChildRange, ValueEnvironment &environment) {
  const LibraryObject duration(value, environment);
  const auto seconds = duration.number("secs");
  const auto nanoseconds = sole_number(duration.member("nanos"));
  if (!seconds || !nanoseconds || *nanoseconds >= 1'000'000'000)
    return std::nullopt;
  const std::uint64_t fraction = *nanoseconds;
  if (*seconds > 0)
    return plain_view(fraction_text(*seconds, fraction, 9, "s"));
  if (fraction >= 1'000'000)
    return plain_view(fraction_text(fraction / 1'000'000, fraction % 1'000'000, 6, "ms"));
  if (fraction >= 1000)
    return plain_view(fraction_text(fraction / 1000, fraction % 1000, 3, "µs"));
  return plain_view(fmt::format("{}ns", fraction));
}

/// OnceCell: an Option that is filled once.
std::optional<LibraryView> once_cell(const Value &value, ChildRange, ValueEnvironment &environment) {
  const auto option = LibraryObject(value, environment).member("inner.value");
  if (!option || !option->type().variants)
    return std::nullopt;
  const auto variant = rust_variant(option->value(), option->type(), environment);
  if (!variant)
    return std::nullopt;
  const auto content = LibraryObject(variant->value, environment).member("__0");
  return variant->name == "Some" && content ? single_view("OnceCell", "__0", *content)
                                            : plain_view("OnceCell(<uninit>)");
}

/// Instant { tv_sec: 5, tv_nsec: 7 }, whatever they are wrapped in.
std::optional<LibraryView> moment(const Value &value, ChildRange, ValueEnvironment &environment) {
  const LibraryObject object(value, environment);
  const LibraryObject time = sole_part(object);
  const auto seconds = time.member("tv_sec");
  const auto count = seconds ? seconds->signed_number() : std::nullopt;
  const auto nanoseconds = sole_number(time.member("tv_nsec"));
  if (!count || !nanoseconds)
    return std::nullopt;
  return plain_view(fmt::format("{} {{ tv_sec: {}, tv_nsec: {} }}", object.type().name, *count, *nanoseconds));
}

/// What a guard gives access to: Ref, RefMut and RwLockReadGuard point to it, MutexGuard and RwLockWriteGuard to the
/// lock that has it.
std::optional<LibraryView> guard(const Value &value, ChildRange, ValueEnvironment &environment) {
  const LibraryObject object(value, environment);
  if (const auto lock = object.pointer("lock")) {
    const auto content = object.at(lock->address, lock->target).member("data.value");
    return content ? std::optional(single_view({}, {}, *content)) : std::nullopt;
  }
  const auto content = sole_pointer(object.member({"value", "data"}));
  return content ? std::optional(single_view({}, {}, object.at(content->address, content->target))) : std::nullopt;
}

} // namespace

std::span<const LibraryType> rust_wrapper_types() {
  static constexpr LibraryType types[] = {
      {"alloc::rc::Weak", weak_pointer},
      {"alloc::sync::Weak", weak_pointer},
      {"core::cell::Cell", cell},
      {"core::cell::RefCell", cell},
      {"std::sync::mutex::Mutex", lock},
      {"std::sync::poison::mutex::Mutex", lock},
      {"std::sync::rwlock::RwLock", lock},
      {"std::sync::poison::rwlock::RwLock", lock},
      {"core::cell::once::OnceCell", once_cell},
      {"core::cell::Ref", guard},
      {"core::cell::RefMut", guard},
      {"std::sync::mutex::MutexGuard", guard},
      {"std::sync::poison::mutex::MutexGuard", guard},
      {"std::sync::rwlock::RwLockReadGuard", guard},
      {"std::sync::poison::rwlock::RwLockReadGuard", guard},
      {"std::sync::rwlock::RwLockWriteGuard", guard},
      {"std::sync::poison::rwlock::RwLockWriteGuard", guard},
      {"std::time::Instant", moment},
      {"std::time::SystemTime", moment},
      {"core::pin::Pin", pinned},
      {"core::time::Duration", duration},
      {"core::sync::atomic::AtomicBool", boolean},
      {"core::sync::atomic::AtomicU8", wrapper},
      {"core::sync::atomic::AtomicI8", wrapper},
      {"core::sync::atomic::AtomicU16", wrapper},
      {"core::sync::atomic::AtomicI16", wrapper},
      {"core::sync::atomic::AtomicU32", wrapper},
      {"core::sync::atomic::AtomicI32", wrapper},
      {"core::sync::atomic::AtomicU64", wrapper},
      {"core::sync::atomic::AtomicI64", wrapper},
      {"core::sync::atomic::AtomicUsize", wrapper},
      {"core::sync::atomic::AtomicIsize", wrapper},
      {"core::sync::atomic::AtomicPtr", wrapper},
      {"core::sync::atomic::Atomic", wrapper},
      {"core::num::nonzero::NonZero", wrapper},
      {"core::num::nonzero::NonZeroU8", wrapper},
      {"core::num::nonzero::NonZeroI8", wrapper},
      {"core::num::nonzero::NonZeroU16", wrapper},
      {"core::num::nonzero::NonZeroI16", wrapper},
      {"core::num::nonzero::NonZeroU32", wrapper},
      {"core::num::nonzero::NonZeroI32", wrapper},
      {"core::num::nonzero::NonZeroU64", wrapper},
      {"core::num::nonzero::NonZeroI64", wrapper},
      {"core::num::nonzero::NonZeroU128", wrapper},
      {"core::num::nonzero::NonZeroI128", wrapper},
      {"core::num::nonzero::NonZeroUsize", wrapper},
      {"core::num::nonzero::NonZeroIsize", wrapper},
      {"core::num::wrapping::Wrapping", wrapper},
      {"core::ptr::non_null::NonNull", wrapper},
  };
  return types;
}
} // namespace inspect
