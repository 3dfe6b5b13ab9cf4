#include "values/printers/rust/rust_types.h"

#include <fmt/format.h>

namespace inspect {
namespace {

struct Buffer {
  RunAddress first;
  std::uint64_t capacity = 0;
};

/// RawVec: since 1.80 around a RawVecInner without the element's type.
std::optional<Buffer> buffer_of(const LibraryObject &owner) {
  const auto raw = owner.member({"buf.inner", "buf"});
  if (!raw)
    return std::nullopt;
  const auto pointer = sole_pointer(raw->member("ptr"));
  const auto capacity = sole_number(raw->member("cap"));
  if (!pointer || !capacity)
    return std::nullopt;
  return Buffer{pointer->address, *capacity};
}

std::string too_long(std::uint64_t length, std::uint64_t capacity) {
  return fmt::format("a length of {} where there is room for {}: not initialised?", length, capacity);
}

/// The vector of bytes in a string and what wraps one.
std::optional<LibraryObject> bytes_of(const LibraryObject &object) {
  LibraryObject current = object;
  for (int depth = 0; depth < 8; ++depth) {
    if (current.member("buf") && current.member("len"))
      return current;
    const auto next = current.member({"vec", "inner"});
    if (!next)
      return std::nullopt;
    current = *next;
  }
  return std::nullopt;
}

std::optional<LibraryView> vector(const Value &value, ChildRange wanted, ValueEnvironment &environment) {
  const LibraryObject vector(value, environment);
  const auto buffer = buffer_of(vector);
  const auto length = sole_number(vector.member("len"));
  const auto element = vector.type_argument(0);
  if (!buffer || !length || !element)
    return std::nullopt;
  LibraryView view = rust_sequence(buffer->first, *length, *element, value, wanted, environment);
  view.capacity = buffer->capacity;
  const bool has_size = environment.types.size_of(*element).value_or(0) > 0; // else there is room for any number
  if (has_size && *length > buffer->capacity)
    view.problem = too_long(*length, buffer->capacity);
  return view;
}

std::optional<LibraryView> deque(const Value &value, ChildRange wanted, ValueEnvironment &environment) {
  const LibraryObject deque(value, environment);
  const auto buffer = buffer_of(deque);
  const auto element = deque.type_argument(0);
  if (!buffer || !element)
    return std::nullopt;
  auto head = sole_number(deque.member("head"));
  auto length = sole_number(deque.member("len"));
  // Until 1.66 there were two ends, in a buffer of a power of two.
  if (const auto tail = sole_number(deque.member("tail")); tail && head && !length && buffer->capacity > 0) {
    length = (*head - *tail) & (buffer->capacity - 1);
    head = tail;
  }
  const auto size = environment.types.size_of(*element);
  if (!head || !length || !size)
    return std::nullopt;
  LibraryView view = sequence_view({});
  view.length = length;
  view.capacity = buffer->capacity;
  view.child_type = ValueType{.native = *element};
  if (*size > 0 && (*length > buffer->capacity || *head > buffer->capacity)) {
    view.problem = too_long(*length, buffer->capacity);
    return view;
  }
  for (std::uint64_t i = wanted.first; i < *length && i - wanted.first < wanted.count; ++i) {
    if (environment.out_of_time())
      break;
    const std::uint64_t place = buffer->capacity > 0 && *size > 0 ? (*head + i) % buffer->capacity : 0;
    view.children.push_back({{}, std::nullopt, deque.at(buffer->first + place * *size, *element).value()});
  }
  return view;
}

std::optional<LibraryView> heap(const Value &value, ChildRange wanted, ValueEnvironment &environment) {
  const auto data = LibraryObject(value, environment).member("data");
  return data ? vector(data->value(), wanted, environment) : std::nullopt;
}

/// Nodes that each know the next; `head` is an Option of a pointer to the first.
std::optional<LibraryView> linked_list(const Value &value, ChildRange wanted, ValueEnvironment &environment) {
  const LibraryObject list(value, environment);
  const auto length = sole_number(list.member("len"));
  const auto element = list.type_argument(0);
  if (!length || !element)
    return std::nullopt;
  LibraryView view = sequence_view({});
  view.length = length;
  view.child_type = ValueType{.native = *element};
  const auto next_of = [&](const std::optional<LibraryObject> &link) -> std::optional<LibraryObject> {
    if (!link || !link->type().variants)
      return std::nullopt;
    const auto variant = rust_variant(link->value(), link->type(), environment);
    const auto content =
        variant && variant->name == "Some" ? LibraryObject(variant->value, environment).member("__0") : std::nullopt;
    const auto pointer = sole_pointer(content);
    return pointer ? std::optional(list.at(pointer->address, pointer->target)) : std::nullopt;
  };
  auto node = next_of(list.member("head"));
  for (std::uint64_t i = 0; i < *length && view.children.size() < wanted.count; ++i) {
    const auto content = node ? node->member("element") : std::nullopt;
    if (!content || environment.out_of_time())
      break;
    if (i >= wanted.first && !add_child(view, {}, content->value()))
      break;
    node = next_of(node->member("next"));
  }
  if (*length > 0 && wanted.count > 0 && wanted.first == 0 && view.children.empty())
    view.problem = fmt::format("{} elements, and a list that cannot be followed: not initialised?", *length);
  return view;
}

std::optional<LibraryView> string(const Value &value, ChildRange, ValueEnvironment &environment) {
  const LibraryObject string(value, environment);
  const auto bytes = bytes_of(string);
  const auto buffer = bytes ? buffer_of(*bytes) : std::nullopt;
  const auto length = bytes ? sole_number(bytes->member("len")) : std::nullopt;
  if (!buffer || !length)
    return std::nullopt;
  LibraryView view = rust_text_view(buffer->first, *length, environment);
  view.capacity = buffer->capacity;
  if (*length > buffer->capacity)
    view.problem = too_long(*length, buffer->capacity);
  return view;
}

std::optional<LibraryView> c_string(const Value &value, ChildRange, ValueEnvironment &environment) {
  const LibraryObject string(value, environment);
  const auto data = string.pointer("inner.data_ptr");
  const auto length = string.number("inner.length");
  if (!data || !length || *length == 0)
    return std::nullopt;
  return rust_text_view(data->address, *length - 1, environment); // without the NUL
}

} // namespace

std::span<const LibraryType> rust_sequence_types() {
  static constexpr LibraryType types[] = {
      {"alloc::vec::Vec", vector},
      {"alloc::collections::binary_heap::BinaryHeap", heap},
      {"alloc::collections::linked_list::LinkedList", linked_list},
      {"alloc::string::String", string},
      {"std::path::PathBuf", string},
      {"std::ffi::os_str::OsString", string},
      {"alloc::ffi::c_str::CString", c_string},
      {"alloc::collections::vec_deque::VecDeque", deque},
  };
  return types;
}

} // namespace inspect
