#include "values/operations/native_operations.h"

#include "dwarf/types/type_name.h"
#include "values/native/native_layout.h"
#include "values/native/native_members.h"
#include "values/native/native_numbers.h"
#include "values/printers/rust/rust_types.h"
#include "values/printers/rust/rust_unsized.h"
#include "values/value_operations.h"

#include <algorithm>
#include <fmt/format.h>

namespace inspect {
namespace {

/// Of keys of one map that are compared before giving up.
constexpr std::size_t max_keys = 1'000'000;
constexpr std::uint64_t max_slice = std::uint64_t{1} << 32;

std::string name_of(const Value &value, ValueEnvironment &environment) {
  return type_name(environment.types, value.type.native);
}

Result<std::int64_t> index_of(const Value &index, ValueEnvironment &environment) {
  const auto number = operations_of(index).number(index, environment);
  if (!number)
    return std::unexpected(
        Error(ErrorKind::usage, fmt::format("an index must be a whole number: {}", number.error().message())));
  if (number->kind == Number::Kind::floating)
    return std::unexpected(Error(ErrorKind::usage, "an index must be a whole number"));
  if (number->integer > INT64_MAX || number->integer < INT64_MIN)
    return std::unexpected(Error(ErrorKind::usage, "the index is too large"));
  return static_cast<std::int64_t>(number->integer);
}

Error outside(std::int64_t index, std::uint64_t length) {
  return {ErrorKind::usage, fmt::format("index {} is out of bounds: there {} {} element{}", index,
                                        length == 1 ? "is" : "are", length, length == 1 ? "" : "s")};
}

Result<Value> element_at(RunAddress first, const TypeHandle &type, std::int64_t index, const Value &of,
                         ValueEnvironment &environment) {
  auto size = environment.types.size_of(type);
  if (!size && (type.is_void() || environment.types.underlying(type).kind == DwarfTypeKind::subroutine))
    return std::unexpected(
        Error(ErrorKind::usage, fmt::format("what {} leads to has no size: cast it first", name_of(of, environment))));
  if (!size)
    return std::unexpected(
        Error(ErrorKind::unsupported, fmt::format("the size of {} is not known", type_name(environment.types, type))));
  const std::uint64_t offset = static_cast<std::uint64_t>(index) * *size; // negative ones wrap back
  return value_at(first + offset, type, of.language, environment);
}

Result<Value> array_element(const Value &value, const DwarfType &type, std::int64_t index,
                            ValueEnvironment &environment) {
  const auto length = array_length(type);
  // Older C ends structures with an array of one element that stands for more.
  const bool is_bounded = length && *length > 1;
  if (index < 0 || (is_bounded && static_cast<std::uint64_t>(index) >= *length))
    return std::unexpected(outside(index, length.value_or(0)));
  if (!value.source)
    return std::unexpected(missing_error(value));
  const TypeHandle element = element_type(type, environment.types);
  const auto size = environment.types.size_of(element);
  std::uint64_t offset = 0;
  if (!size || __builtin_mul_overflow(static_cast<std::uint64_t>(index), *size, &offset))
    return std::unexpected(Error(ErrorKind::unsupported,
                                 fmt::format("the size of {} is not known", type_name(environment.types, element))));
  return part_of(value, offset, element, environment);
}

bool equal_keys(const Value &key, const Value &wanted, ValueEnvironment &environment) {
  const ValueOperations &operations = operations_of(key);
  if (const auto number = operations.number(key, environment)) {
    const auto other = operations_of(wanted).number(wanted, environment);
    if (!other)
      return false;
    if (number->kind == Number::Kind::floating || other->kind == Number::Kind::floating)
      return !(real_of(*number) < real_of(*other)) && !(real_of(*number) > real_of(*other));
    return number->integer == other->integer;
  }
  constexpr std::size_t max_key_length = 4096;
  const auto text = operations.text(key, max_key_length, environment);
  const auto other = operations_of(wanted).text(wanted, max_key_length, environment);
  return text && other && *text == *other;
}

Result<Value> character_of(const LibraryView &view, std::int64_t index, const Value &value,
                           ValueEnvironment &environment) {
  if (!view.characters || !view.length || index < 0 || static_cast<std::uint64_t>(index) >= *view.length)
    return std::unexpected(outside(index, view.length.value_or(0)));
  TypeHandle type = environment.types.base_type("char", TypeEncoding::signed_character, 1);
  if (view.child_type)
    type = view.child_type->native;
  else if (view.character_size > 1)
    type = environment.types.base_type(view.character_size == 2 ? "char16_t" : "char32_t", TypeEncoding::utf,
                                       view.character_size);
  else if (value.language == SourceLanguage::rust)
    type = environment.types.base_type("u8", TypeEncoding::unsigned_integer, 1);
  Value one{.type = {.native = type}, .language = value.language, .source = std::nullopt};
  one.source = view.characters->at(static_cast<std::uint64_t>(index) * view.character_size);
  if (const auto address = one.source->address())
    one.source = ValueSource::in_memory(environment.memory, *address, view.character_size);
  return one;
}

Error doubted(const LibraryView &view) {
  return {ErrorKind::corrupt, view.problem};
}

Result<Value> library_element(const Value &value, const LibraryView &whole, const Value &index,
                              ValueEnvironment &environment) {
  if (!whole.problem.empty())
    return std::unexpected(doubted(whole));
  if (whole.shape == LibraryView::Shape::map) {
    const auto entries = view_of(value, {0, max_keys}, environment);
    for (const LibraryChild &child : entries ? entries->children : std::vector<LibraryChild>())
      if (child.key && equal_keys(*child.key, index, environment))
        return child.value;
    return std::unexpected(Error(ErrorKind::not_found, "there is no such key"));
  }
  if (whole.shape == LibraryView::Shape::single && !whole.children.empty()) // a smart pointer to an array, a box
    return native_element(whole.children.front().value, index, environment);
  const auto number = index_of(index, environment);
  if (!number)
    return std::unexpected(number.error());
  if (whole.shape == LibraryView::Shape::text)
    return character_of(whole, *number, value, environment);
  if (*number < 0 || (whole.length && static_cast<std::uint64_t>(*number) >= *whole.length))
    return std::unexpected(outside(*number, whole.length.value_or(0)));
  const auto one = view_of(value, {static_cast<std::size_t>(*number), 1}, environment);
  if (!one || one->children.empty())
    return std::unexpected(Error(ErrorKind::unreadable, fmt::format("element {} cannot be read", *number)));
  return one->children.front().value;
}

Result<std::uint64_t> slice_end(std::uint64_t low, std::optional<std::uint64_t> high,
                                std::optional<std::uint64_t> length) {
  if (!high && !length)
    return std::unexpected(Error(ErrorKind::usage, "where the slice ends must be said: the length is not known"));
  const std::uint64_t end = high.value_or(length.value_or(0));
  if (end < low || (length && end > *length) || end - low > max_slice)
    return std::unexpected(
        Error(ErrorKind::usage, fmt::format("[{}:{}] is out of bounds{}", low, end,
                                            length ? fmt::format(": the length is {}", *length) : std::string())));
  return end;
}

/// A computed pointer's or a container's elements, which lie one behind the other, as an array in memory.
Result<Value> array_from(const Value &first, std::uint64_t count, const Value &of, ValueEnvironment &environment) {
  if (!first.source || !first.source->address())
    return std::unexpected(Error(ErrorKind::usage, "the value is not in memory, and has no part there"));
  return value_at(*first.source->address(), environment.types.array_of(first.type.native, count), of.language,
                  environment);
}

Result<Value> library_slice(const Value &value, const LibraryView &view, std::uint64_t low,
                            std::optional<std::uint64_t> high, ValueEnvironment &environment) {
  if (!view.problem.empty())
    return std::unexpected(doubted(view));
  const auto end = slice_end(low, high, view.length);
  if (!end)
    return std::unexpected(end.error());
  if (view.shape == LibraryView::Shape::text) {
    auto first = character_of(view, static_cast<std::int64_t>(std::min(low, *view.length - (*view.length > 0))), value,
                              environment);
    const bool is_rust_text = value.language == SourceLanguage::rust && view.character_size == 1;
    if (first && is_rust_text && first->source && first->source->address())
      return value_at(*first->source->address(),
                      environment.types.array_of(first->type.native, *end - low, rust_text_type), value.language,
                      environment);
    return first ? array_from(*first, *end - low, value, environment) : first;
  }
  if (view.shape != LibraryView::Shape::sequence)
    return std::unexpected(Error(ErrorKind::usage, fmt::format("{} has no slices", name_of(value, environment))));
  const std::uint64_t count = *end - low;
  const auto at = [&](std::uint64_t index) -> std::optional<Value> {
    const auto part = view_of(value, {static_cast<std::size_t>(index), 1}, environment);
    return part && part->children.size() == 1 ? std::optional(part->children.front().value) : std::nullopt;
  };
  if (count == 0 && view.child_type) // of Rust's lists and of others that say what they would have in them
    return Value{.type = {.native = environment.types.array_of(view.child_type->native, 0)},
                 .language = value.language,
                 .source = ValueSource::in_memory(environment.memory, RunAddress{0}, 0)};
  const auto first = count > 0 ? at(low) : std::nullopt;
  if (!first)
    return std::unexpected(Error(ErrorKind::usage, count == 0 ? "the slice is empty" : "the elements cannot be read"));
  const std::uint64_t size = size_of(*first, environment).value_or(0);
  // Of long ones the ends and some between them.
  for (std::uint64_t i = 0; i < count; i += std::max<std::uint64_t>(1, std::min(count / 64, count - 1 - i))) {
    const auto one = at(low + i);
    const bool follows = first->source && first->source->address() && one && one->source &&
                         one->source->address() == *first->source->address() + i * size;
    if (!follows)
      return std::unexpected(
          Error(ErrorKind::usage, fmt::format("the elements of {} are not side by side: index them one by one",
                                              name_of(value, environment))));
  }
  return array_from(*first, count, value, environment);
}

Result<std::uint64_t> extent_of(const Value &given, std::optional<std::uint64_t> LibraryView::*extent,
                                std::string_view name, ValueEnvironment &environment) {
  const Value value = without_references(given, environment);
  if (const auto view = view_of(value, {0, 0}, environment)) {
    if (!view->problem.empty())
      return std::unexpected(doubted(*view));
    if ((*view).*extent)
      return *((*view).*extent);
  }
  const DwarfType &type = environment.types.underlying(value.type.native);
  if (const auto length = array_length(type); type.kind == DwarfTypeKind::array && length)
    return *length;
  return std::unexpected(Error(ErrorKind::usage, fmt::format("{} has no {}", name_of(value, environment), name)));
}

} // namespace

std::optional<LibraryView> view_of(const Value &value, ChildRange wanted, ValueEnvironment &environment) {
  if (!value.source || value.bits)
    return std::nullopt;
  if (value.language == SourceLanguage::c)
    return std::nullopt;
  const DwarfType &type = environment.types.underlying(value.type.native);
  if (value.language == SourceLanguage::rust || is_rust_language(type.language))
    return rust_view(value, wanted, environment);
  return library_view(value, wanted, environment);
}

std::optional<std::uint64_t> array_length(const DwarfType &array) {
  return array.dimensions.empty() ? std::nullopt : array.dimensions.front();
}

Result<Value> native_element(const Value &given, const Value &index, ValueEnvironment &environment) {
  const Value value = without_references(given, environment);
  if (const auto view = view_of(value, {0, 1}, environment))
    return library_element(value, *view, index, environment);
  const DwarfType &type = environment.types.underlying(value.type.native);
  if (type.kind != DwarfTypeKind::array && !is_pointer(type))
    return std::unexpected(Error(ErrorKind::usage, fmt::format("{} has no elements", name_of(value, environment))));
  const auto number = index_of(index, environment);
  if (!number)
    return std::unexpected(number.error());
  if (type.kind == DwarfTypeKind::array)
    return array_element(value, type, *number, environment);
  const auto address = pointer_target(value, environment);
  if (!address)
    return std::unexpected(address.error());
  return element_at(*address, type.target, *number, value, environment);
}

Result<Value> native_slice(const Value &given, std::uint64_t low, std::optional<std::uint64_t> high,
                           ValueEnvironment &environment) {
  const Value value = without_references(given, environment);
  if (const auto view = view_of(value, {0, 1}, environment))
    return library_slice(value, *view, low, high, environment);
  const DwarfType &type = environment.types.underlying(value.type.native);
  const bool is_array = type.kind == DwarfTypeKind::array;
  if (!is_array && !is_pointer(type))
    return std::unexpected(Error(ErrorKind::usage, fmt::format("{} has no elements", name_of(value, environment))));
  const auto end = slice_end(low, high, is_array ? array_length(type) : std::nullopt);
  if (!end)
    return std::unexpected(end.error());
  auto first = Result<Value>(value);
  if (is_array) {
    const TypeHandle element = element_type(type, environment.types);
    const std::uint64_t size = environment.types.size_of(element).value_or(0);
    first = part_of(value, low * size, element, environment);
  } else {
    const auto address = pointer_target(value, environment);
    if (!address)
      return std::unexpected(address.error());
    first = element_at(*address, type.target, static_cast<std::int64_t>(low), value, environment);
  }
  return first ? array_from(*first, *end - low, value, environment) : first;
}

Result<Value> native_dereference(const Value &given, ValueEnvironment &environment) {
  Value value = without_references(given, environment);
  const DwarfType &type = environment.types.underlying(value.type.native);
  if (value.language == SourceLanguage::rust || is_rust_language(type.language))
    if (auto target = rust_pointee(value, environment))
      return target->source ? Result<Value>(*target) : std::unexpected(Error(ErrorKind::unsupported, target->missing));
  if (const auto view = view_of(value, {0, 1}, environment)) {
    if (!view->problem.empty())
      return std::unexpected(doubted(*view));
    if (view->shape == LibraryView::Shape::single && view->children.empty())
      return std::unexpected(
          Error(ErrorKind::usage, fmt::format("{} is empty", view->label.empty() ? "it" : view->label)));
    if (view->shape == LibraryView::Shape::single) {
      const Value &child = view->children.front().value;
      const bool is_smart = view->children.front().name == "get()" || type.name.starts_with("Pin<");
      const bool leads_on = is_smart && (is_pointer(environment.types.underlying(child.type.native)) ||
                                         rust_pointee(child, environment).has_value());
      return leads_on ? native_dereference(child, environment) : Result<Value>(child);
    }
  }
  if (is_pointer(type) && type.target.is_void())
    return std::unexpected(Error(ErrorKind::usage, "void * leads to nothing of a known type: cast it first"));
  if (is_pointer(type)) {
    const auto address = pointer_target(value, environment);
    if (!address)
      return std::unexpected(address.error());
    if (address->value == 0 && !environment.null_is_a_place)
      return std::unexpected(Error(ErrorKind::unreadable, "the pointer is null"));
    return value_at(*address, type.target, value.language, environment);
  }
  if (type.kind == DwarfTypeKind::array && !type.is_vector) // as its first element's pointer
    return array_element(value, type, 0, environment);
  if (is_reference(environment.types.underlying(given.type.native)) ||
      type.kind == DwarfTypeKind::subroutine) // *f is f
    return value;
  return std::unexpected(Error(ErrorKind::usage, fmt::format("{} is not a pointer", name_of(value, environment))));
}

Result<std::uint64_t> native_length(const Value &value, ValueEnvironment &environment) {
  return extent_of(value, &LibraryView::length, "length", environment);
}

Result<std::uint64_t> native_capacity(const Value &value, ValueEnvironment &environment) {
  return extent_of(value, &LibraryView::capacity, "capacity", environment);
}

Result<std::string> native_string(const Value &given, std::size_t limit, ValueEnvironment &environment) {
  const Value value = without_references(given, environment);
  const auto view = view_of(value, {0, 0}, environment);
  if (view && view->shape == LibraryView::Shape::text && view->characters && view->length) {
    if (!view->problem.empty())
      return std::unexpected(doubted(*view));
    const std::uint64_t wanted = std::min<std::uint64_t>(*view->length, limit / view->character_size);
    std::string text(static_cast<std::size_t>(wanted * view->character_size), '\0');
    if (!view->characters->read(0, std::as_writable_bytes(std::span(text))))
      return std::unexpected(Error(ErrorKind::unreadable, "the string's characters cannot be read"));
    return text;
  }
  const DwarfType &type = environment.types.underlying(value.type.native);
  const DwarfType &element = environment.types.underlying(type.target);
  const bool has_characters = scalar_kind(element) == ScalarKind::character && element.byte_size == 1U;
  if (is_pointer(type) && has_characters) {
    const auto address = pointer_target(value, environment);
    return address ? read_c_string(environment.memory, *address, limit) : std::unexpected(address.error());
  }
  if (type.kind == DwarfTypeKind::array && has_characters && type.dimensions.size() == 1 && value.source) {
    std::string text(static_cast<std::size_t>(std::min<std::uint64_t>(array_length(type).value_or(0), limit)), '\0');
    if (!value.source->read(0, std::as_writable_bytes(std::span(text))))
      return std::unexpected(unreadable_error(value, environment));
    return text.substr(0, text.find('\0'));
  }
  return std::unexpected(Error(ErrorKind::usage, fmt::format("{} is not a string", name_of(value, environment))));
}

} // namespace inspect
