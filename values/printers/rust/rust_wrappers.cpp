#include "dwarf/types/type_name.h"
#include "values/native/native_layout.h"
#include "values/native/native_numbers.h"
#include "values/native/symbol_text.h"
#include "values/printers/rust/rust_library.h"

#include <fmt/format.h>

namespace inspect {
namespace {

/// The first functions of a trait object's table follow drop_in_place, size and alignment.
constexpr std::uint64_t first_method = 3;
constexpr std::uint64_t methods_tried = 4;

/// "ns::Type" of "<ns::Type as ns::Trait>::method" and of "core::ptr::drop_in_place<ns::Type>".
std::optional<std::string> implementing_type(const std::string &function) {
  constexpr std::string_view drop = "core::ptr::drop_in_place<";
  if (function.starts_with(drop) && function.ends_with('>'))
    return function.substr(drop.size(), function.size() - drop.size() - 1);
  const std::size_t as = function.find(" as ");
  if (!function.starts_with('<') || as == std::string::npos)
    return std::nullopt;
  return function.substr(1, as - 1);
}

LibraryView labelled_view(std::string label) {
  LibraryView view;
  view.shape = LibraryView::Shape::plain;
  view.label = std::move(label);
  return view;
}

std::string fraction_text(std::uint64_t whole, std::uint64_t fraction, int digits, const char *unit) {
  std::string text = fmt::format("{:0{}}", fraction, digits);
  text.erase(text.find_last_not_of('0') + 1);
  return fmt::format("{}{}{}{}", whole, text.empty() ? "" : ".", text, unit);
}

} // namespace

std::optional<LibraryView> rust_trait_object(RunAddress data, std::uint64_t table, const LibraryObject &object) {
  ValueEnvironment &environment = object.environment();
  const auto size = read_word(environment.memory, RunAddress{table} + 8);
  LibraryView view;
  view.shape = LibraryView::Shape::single;
  std::optional<std::string> name;
  for (std::uint64_t slot = first_method; size && !name && slot < first_method + methods_tried + 1; ++slot) {
    const bool last = slot == first_method + methods_tried; // then the function that drops it
    const auto function = read_word(environment.memory, RunAddress{table} + 8 * (last ? 0 : slot));
    const auto place = function ? symbol_place(RunAddress{*function}, environment) : std::nullopt;
    if (place && place->offset == 0)
      name = implementing_type(place->name);
  }
  if (!name)
    return std::nullopt;
  const auto type = environment.find_type ? environment.find_type(*name, SourceLanguage::rust) : std::nullopt;
  // Generic types are named otherwise in symbols; a size that differs says that it is another one.
  if (!type || type->go != nullptr || environment.types.size_of(type->native) != *size) {
    view.shape = LibraryView::Shape::plain;
    view.label = fmt::format("{} at 0x{:x}", *name, data.value);
    return view;
  }
  view.children.push_back({{}, std::nullopt, object.at(data, type->native).value()});
  return view;
}

std::optional<LibraryView> rust_weak_view(const Value &value, ChildRange, ValueEnvironment &environment) {
  if (!LibraryObject(value, environment).member("ptr"))
    return std::nullopt;
  return labelled_view("(Weak)");
}

std::optional<LibraryView> rust_cell_view(const Value &value, ChildRange, ValueEnvironment &environment) {
  const LibraryObject cell(value, environment);
  const auto outer = cell.member("value");
  const auto content = outer && outer->type().name.starts_with("UnsafeCell") ? outer->member("value") : std::nullopt;
  if (!content)
    return std::nullopt;
  const std::string &name = cell.type().name;
  LibraryView view;
  view.shape = LibraryView::Shape::single;
  view.label = name.substr(0, name.find('<'));
  if (const auto borrowed = cell.member("borrow")) {
    const auto count = sole_part(*borrowed).signed_number();
    if (!count)
      return std::nullopt;
    if (*count != 0)
      view.label += *count < 0 ? "(mutably borrowed)" : fmt::format("(borrowed {} times)", *count);
  }
  view.children.push_back({"value", std::nullopt, content->value()});
  return view;
}

std::optional<LibraryView> rust_lock_view(const Value &value, ChildRange, ValueEnvironment &environment) {
  const LibraryObject lock(value, environment);
  const auto outer = lock.member("data");
  const auto content = outer ? outer->member("value") : std::nullopt;
  const auto poison = lock.member("poison");
  const auto poisoned = poison ? sole_number(*poison) : std::nullopt;
  const auto inner = lock.member("inner");
  if (!content || !poisoned || !inner)
    return std::nullopt;
  const std::string &name = lock.type().name;
  LibraryView view;
  view.shape = LibraryView::Shape::single;
  view.label = name.substr(0, name.find('<'));
  // On Linux a futex: of a Mutex 0 is free; of an RwLock the low 30 bits count readers, all of them set mean a writer.
  constexpr std::uint64_t all_readers = (1U << 30) - 1;
  const auto futex = inner->member("futex");
  const auto word = futex ? futex : inner->member("state");
  const std::uint64_t state = word ? sole_number(*word).value_or(0) : 0;
  const std::uint64_t readers = state & all_readers;
  if (name.starts_with("Mutex") && state != 0)
    view.label += "(locked)";
  else if (name.starts_with("RwLock") && readers == all_readers)
    view.label += "(write-locked)";
  else if (name.starts_with("RwLock") && readers != 0)
    view.label += fmt::format("(read-locked {} times)", readers);
  view.children.push_back({"data", std::nullopt, content->value()});
  const TypeHandle truth = environment.types.base_type("bool", TypeEncoding::boolean, 1);
  view.children.push_back({"poisoned", std::nullopt, made_value(truth, *poisoned, value.language, environment)});
  return view;
}

std::optional<LibraryView> rust_wrapper_view(const Value &value, ChildRange, ValueEnvironment &environment) {
  const LibraryObject object(value, environment);
  const LibraryObject part = sole_part(object);
  if (part.handle().die.has_value() && object.handle().die && part.handle().die->addr == object.handle().die->addr)
    return std::nullopt;
  LibraryView view;
  view.shape = LibraryView::Shape::single;
  view.children.push_back({{}, std::nullopt, part.value()});
  return view;
}

std::optional<LibraryView> rust_bool_view(const Value &value, ChildRange, ValueEnvironment &environment) {
  const auto state = sole_number(LibraryObject(value, environment));
  if (!state || *state > 1)
    return std::nullopt;
  LibraryView view;
  view.shape = LibraryView::Shape::single;
  const TypeHandle truth = environment.types.base_type("bool", TypeEncoding::boolean, 1);
  Value content = value;
  content.type.native = truth;
  view.children.push_back({{}, std::nullopt, content});
  return view;
}

std::optional<LibraryView> rust_duration_view(const Value &value, ChildRange, ValueEnvironment &environment) {
  const LibraryObject duration(value, environment);
  const auto seconds = duration.number("secs");
  const auto nanoseconds = sole_number(duration.member("nanos"));
  if (!seconds || !nanoseconds || *nanoseconds >= 1'000'000'000)
    return std::nullopt;
  LibraryView view;
  view.shape = LibraryView::Shape::plain;
  const std::uint64_t fraction = *nanoseconds;
  if (*seconds > 0)
    view.label = fraction_text(*seconds, fraction, 9, "s");
  else if (fraction >= 1'000'000)
    view.label = fraction_text(fraction / 1'000'000, fraction % 1'000'000, 6, "ms");
  else if (fraction >= 1000)
    view.label = fraction_text(fraction / 1000, fraction % 1000, 3, "µs");
  else
    view.label = fmt::format("{}ns", fraction);
  return view;
}

std::optional<LibraryView> rust_range_view(const Value &value, ChildRange, ValueEnvironment &environment) {
  const LibraryObject range(value, environment);
  const auto start = range.member("start");
  const auto end = range.member("end");
  if (!start || !end)
    return std::nullopt;
  const auto first = native_number(start->value(), environment);
  const auto last = native_number(end->value(), environment);
  if (!first || !last || first->kind == Number::Kind::floating || first->kind == Number::Kind::character)
    return std::nullopt;
  return labelled_view(fmt::format("{}..{}", decimal_text(first->integer), decimal_text(last->integer)));
}

std::span<const LibraryType> rust_types() {
  static constexpr LibraryType types[] = {
      {"alloc::vec::Vec", rust_vector_view},
      {"alloc::string::String", rust_string_view},
      {"std::path::PathBuf", rust_string_view},
      {"std::ffi::os_str::OsString", rust_string_view},
      {"alloc::ffi::c_str::CString", rust_c_string_view},
      {"alloc::collections::vec_deque::VecDeque", rust_deque_view},
      {"alloc::boxed::Box", rust_pointer_view},
      {"alloc::rc::Rc", rust_counted_view},
      {"alloc::rc::Weak", rust_weak_view},
      {"alloc::sync::Arc", rust_counted_view},
      {"alloc::sync::Weak", rust_weak_view},
      {"std::collections::hash::map::HashMap", rust_hash_map_view},
      {"std::collections::hash::set::HashSet", rust_hash_set_view},
      {"hashbrown::map::HashMap", rust_hash_map_view},
      {"hashbrown::set::HashSet", rust_hash_set_view},
      {"alloc::collections::btree::map::BTreeMap", rust_tree_map_view},
      {"alloc::collections::btree::set::BTreeSet", rust_tree_set_view},
      {"core::cell::Cell", rust_cell_view},
      {"core::cell::RefCell", rust_cell_view},
      {"std::sync::mutex::Mutex", rust_lock_view},
      {"std::sync::poison::mutex::Mutex", rust_lock_view},
      {"std::sync::rwlock::RwLock", rust_lock_view},
      {"std::sync::poison::rwlock::RwLock", rust_lock_view},
      {"core::time::Duration", rust_duration_view},
      {"core::ops::range::Range", rust_range_view},
      {"core::sync::atomic::AtomicBool", rust_bool_view},
      {"core::sync::atomic::AtomicU8", rust_wrapper_view},
      {"core::sync::atomic::AtomicI8", rust_wrapper_view},
      {"core::sync::atomic::AtomicU16", rust_wrapper_view},
      {"core::sync::atomic::AtomicI16", rust_wrapper_view},
      {"core::sync::atomic::AtomicU32", rust_wrapper_view},
      {"core::sync::atomic::AtomicI32", rust_wrapper_view},
      {"core::sync::atomic::AtomicU64", rust_wrapper_view},
      {"core::sync::atomic::AtomicI64", rust_wrapper_view},
      {"core::sync::atomic::AtomicUsize", rust_wrapper_view},
      {"core::sync::atomic::AtomicIsize", rust_wrapper_view},
      {"core::sync::atomic::AtomicPtr", rust_wrapper_view},
      {"core::sync::atomic::Atomic", rust_wrapper_view},
      {"core::num::nonzero::NonZero", rust_wrapper_view},
      {"core::num::nonzero::NonZeroU8", rust_wrapper_view},
      {"core::num::nonzero::NonZeroI8", rust_wrapper_view},
      {"core::num::nonzero::NonZeroU16", rust_wrapper_view},
      {"core::num::nonzero::NonZeroI16", rust_wrapper_view},
      {"core::num::nonzero::NonZeroU32", rust_wrapper_view},
      {"core::num::nonzero::NonZeroI32", rust_wrapper_view},
      {"core::num::nonzero::NonZeroU64", rust_wrapper_view},
      {"core::num::nonzero::NonZeroI64", rust_wrapper_view},
      {"core::num::nonzero::NonZeroU128", rust_wrapper_view},
      {"core::num::nonzero::NonZeroI128", rust_wrapper_view},
      {"core::num::nonzero::NonZeroUsize", rust_wrapper_view},
      {"core::num::nonzero::NonZeroIsize", rust_wrapper_view},
      {"core::num::wrapping::Wrapping", rust_wrapper_view},
      {"core::ptr::non_null::NonNull", rust_wrapper_view},
      {"core::mem::manually_drop::ManuallyDrop", rust_wrapper_view},
  };
  return types;
}

} // namespace inspect
