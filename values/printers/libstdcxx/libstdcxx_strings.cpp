#include "values/printers/library_object.h"
#include "values/printers/library_walks.h"
#include "values/printers/libstdcxx/libstdcxx_views.h"

#include <fmt/format.h>

namespace inspect::libstdcxx {
namespace {

/// basic_string.h: _S_local_capacity.
constexpr std::uint64_t local_bytes = 15;

std::optional<std::uint64_t> character_size(const LibraryObject &string, const TypedPointer &characters) {
  const auto size = string.environment().types.size_of(characters.target);
  return size && (*size == 1 || *size == 2 || *size == 4) ? size : std::nullopt;
}

/// A string ends with a NUL that its length does not count.
void check_end(LibraryView &view, RunAddress characters, std::uint64_t size, ValueEnvironment &environment) {
  std::uint32_t last = 0;
  const auto bytes = std::as_writable_bytes(std::span(&last, 1)).first(static_cast<std::size_t>(size));
  if (view.problem.empty() && (!environment.memory.read(characters + *view.length * size, bytes) || last != 0))
    view.problem = fmt::format("a length of {}, and no end there: not initialised?", *view.length);
}

View counted_string(const LibraryObject &string, const TypedPointer &characters, std::uint64_t length) {
  const auto size = character_size(string, characters);
  const auto local = string.member("_M_local_buf");
  const auto allocated = string.number("_M_allocated_capacity");
  if (!size || !local || !allocated)
    return std::nullopt;
  LibraryView view;
  if (!add_text(view, characters.address, length, characters.target, string))
    return std::nullopt;
  const bool is_local = local->address() == characters.address;
  view.capacity = is_local ? local_bytes / *size : *allocated;
  if (view.problem.empty() && length > *view.capacity)
    view.problem = fmt::format("a length of {}, above its capacity of {}: not initialised?", length, *view.capacity);
  // It may have been read together with what is around it, and be nowhere else.
  if (is_local && view.problem.empty())
    view.characters = local->source();
  check_end(view, characters.address, *size, string.environment());
  return view;
}

/// Before GCC 5, and with _GLIBCXX_USE_CXX11_ABI=0: cow_string.h, _Rep_base {_M_length, _M_capacity, _M_refcount}
/// before the characters.
View shared_string(const LibraryObject &string, const TypedPointer &characters) {
  constexpr std::uint64_t header = 24;
  const auto size = character_size(string, characters);
  if (!size || string.size() != 8U)
    return std::nullopt;
  ValueEnvironment &environment = string.environment();
  const auto length = read_word(environment.memory, characters.address - header);
  const auto capacity = read_word(environment.memory, characters.address - (header - 8));
  LibraryView view;
  view.shape = LibraryView::Shape::text;
  view.character_size = static_cast<unsigned>(*size);
  if (!length || !capacity) {
    view.problem = fmt::format("its text at {:#x} cannot be read: not initialised?", characters.address.value);
    return view;
  }
  if (!add_text(view, characters.address, *length, characters.target, string))
    return std::nullopt;
  view.capacity = *capacity;
  if (view.problem.empty() && *capacity < *length)
    view.problem = fmt::format("a length of {}, above its capacity of {}: not initialised?", *length, *capacity);
  check_end(view, characters.address, *size, environment);
  return view;
}

} // namespace

View string_view(const Value &value, ChildRange, ValueEnvironment &environment) {
  const LibraryObject object(value, environment);
  const auto characters = object.pointer("_M_str");
  const auto length = object.number("_M_len");
  LibraryView view;
  if (!characters || !length || !add_text(view, characters->address, *length, characters->target, object))
    return std::nullopt;
  return view;
}

View string(const Value &value, ChildRange, ValueEnvironment &environment) {
  const LibraryObject object(value, environment);
  const auto characters = object.pointer("_M_dataplus", "_M_p");
  if (!characters)
    return std::nullopt;
  if (const auto length = object.number("_M_string_length"))
    return counted_string(object, *characters, *length);
  return shared_string(object, *characters);
}

View path(const Value &value, ChildRange wanted, ValueEnvironment &environment) {
  const auto name = LibraryObject(value, environment).member("_M_pathname");
  auto view = name ? string(name->value(), wanted, environment) : std::nullopt;
  if (view)
    view->label = "filesystem::path";
  return view;
}

} // namespace inspect::libstdcxx
