#include "values/printers/libcxx/libcxx_parts.h"
#include "values/printers/libcxx/libcxx_views.h"
#include "values/printers/library_parts.h"
#include "values/printers/library_walks.h"

#include <fmt/format.h>

namespace inspect::libcxx {
namespace {

/// vector<bool>: words, a length in bits, a capacity in words.
View bit_vector(const LibraryObject &vector, const TypedPointer &words, ChildRange wanted) {
  const auto length = vector.number("__size_");
  const auto capacity = first_part(vector, "__cap_alloc_", "__cap_");
  const auto capacity_words = number_of(capacity);
  const auto element = vector.type_argument(0);
  if (!length || !capacity_words || !element)
    return std::nullopt;
  LibraryView view;
  view.shape = LibraryView::Shape::sequence;
  view.label = "std::vector<bool>";
  view.problem = implausible_extent(words.address, *length / 8 + (*length % 8 != 0), 1, vector.environment());
  if (view.problem.empty() && (*capacity_words > UINT64_MAX / 64 || *length > *capacity_words * 64))
    view.problem = fmt::format("a length of {}, above its capacity: not initialised?", *length);
  if (!view.problem.empty())
    return view;
  view.capacity = *capacity_words * 64;
  view.label = fmt::format("std::vector<bool> of length {}, capacity {}", *length, *view.capacity);
  const ValueSource source =
      ValueSource::in_memory(vector.environment().memory, words.address, (*length + 63) / 64 * 8);
  return add_bits(view, {source, 0, *length}, *element, wanted, vector) ? std::optional(view) : std::nullopt;
}

/// deque: __deque_block_size.
std::uint64_t chunk_length(std::uint64_t element_size) {
  return element_size < 256 ? 4096 / element_size : 16;
}

void add_deque(LibraryView &view, RunAddress chunks, std::uint64_t start, const TypeHandle &element, ChildRange wanted,
               const LibraryObject &deque) {
  ValueEnvironment &environment = deque.environment();
  const std::uint64_t size = *environment.types.size_of(element);
  const std::uint64_t chunk = chunk_length(size);
  std::uint64_t chunk_number = UINT64_MAX;
  RunAddress chunk_begin;
  for (std::uint64_t i = wanted.first; i < *view.length && i - wanted.first < wanted.count; ++i) {
    const std::uint64_t place = start + i;
    if (place / chunk != chunk_number) {
      chunk_number = place / chunk;
      const auto begin = read_word(environment.memory, chunks + 8 * chunk_number);
      if (!begin || *begin == 0) {
        view.problem = fmt::format("its element {} is in no chunk: not initialised, or being changed?", i);
        return;
      }
      chunk_begin = RunAddress{*begin};
    }
    const Value child = deque.at(chunk_begin + place % chunk * size, element).value();
    if (environment.out_of_time() || !add_child(view, {.name = {}, .key = std::nullopt, .value = child}))
      return;
  }
}

View counted(std::string_view name, const std::optional<TypedPointer> &begin, std::optional<std::uint64_t> length,
             ChildRange wanted, const LibraryObject &object) {
  if (!begin || !length)
    return std::nullopt;
  LibraryView view;
  view.shape = LibraryView::Shape::sequence;
  view.label = fmt::format("{} of length {}", name, *length);
  add_contiguous(view, {begin->address, *length, begin->target}, wanted, object);
  return view;
}

} // namespace

View vector(const Value &value, ChildRange wanted, ValueEnvironment &environment) {
  const LibraryObject object(value, environment);
  const auto begin = object.pointer("__begin_");
  // Since version 22 the names are those of __vector_layout, a base.
  const auto end = pointer_of(object.member_of_names({"__end_", "__boundary_"}));
  if (begin && !end)
    return bit_vector(object, *begin, wanted);
  auto capacity = first_part(object, "__end_cap_", "__cap_");
  if (!capacity)
    capacity = object.member("__capacity_");
  const auto capacity_end = pointer_of(capacity);
  const auto size = begin ? environment.types.size_of(begin->target) : std::nullopt;
  if (!begin || !capacity_end || !size || *size == 0)
    return std::nullopt;
  LibraryView view;
  view.shape = LibraryView::Shape::sequence;
  view.label = "std::vector";
  view.child_type = ValueType{.native = begin->target};
  if (!measure_extent(view, begin->address, end->address, capacity_end->address, *size))
    return view;
  view.label = fmt::format("std::vector of length {}, capacity {}", *view.length, *view.capacity);
  add_contiguous(view, {begin->address, *view.length, begin->target}, wanted, object);
  return view;
}

View array(const Value &value, ChildRange wanted, ValueEnvironment &environment) {
  const LibraryObject object(value, environment);
  const auto elements = object.member("__elems_");
  return elements ? array_view(object, *elements, wanted) : std::nullopt;
}

View deque(const Value &value, ChildRange wanted, ValueEnvironment &environment) {
  const LibraryObject object(value, environment);
  const auto map = object.member("__map_");
  const auto chunks = pointer_of(map, {"__begin_"});
  const auto chunks_end = pointer_of(map, {"__end_"});
  const auto start = object.number("__start_");
  const auto size_member = first_part(object, "__size_", "__size_");
  const auto length = number_of(size_member);
  const auto element = object.type_argument(0);
  const std::uint64_t size = bytes_of(element, environment);
  if (!chunks || !chunks_end || !start || !length || size == 0)
    return std::nullopt;
  LibraryView view;
  view.shape = LibraryView::Shape::sequence;
  view.label = "std::deque";
  view.child_type = ValueType{.native = *element};
  view.length = length;
  view.problem = implausible_extent(chunks->address, (chunks_end->address - chunks->address) / 8, 8, environment);
  const std::uint64_t room = (chunks_end->address - chunks->address) / 8 * chunk_length(size);
  if (view.problem.empty() && (chunks_end->address < chunks->address || *start > room || *length > room - *start))
    view.problem = fmt::format("a length of {}, in room for {}: not initialised?", *length, room);
  if (!view.problem.empty())
    return view;
  view.label = fmt::format("std::deque with {}", element_count(*length));
  add_deque(view, chunks->address, *start, *element, wanted, object);
  return view;
}

View span(const Value &value, ChildRange wanted, ValueEnvironment &environment) {
  const LibraryObject object(value, environment);
  const auto data = object.member_of_names({"__data_", "__data"});
  const auto extent = object.value_argument(1);
  const auto size = object.member_of_names({"__size_", "__size"});
  auto length = number_of(size);
  if (!size && extent && *extent >= 0)
    length = static_cast<std::uint64_t>(*extent);
  return counted("std::span", pointer_of(data), length, wanted, object);
}

View initializer_list(const Value &value, ChildRange wanted, ValueEnvironment &environment) {
  const LibraryObject object(value, environment);
  return counted("std::initializer_list", object.pointer("__begin_"), object.number("__size_"), wanted, object);
}

View bitset(const Value &value, ChildRange wanted, ValueEnvironment &environment) {
  const LibraryObject object(value, environment);
  const auto length = object.value_argument(0);
  const auto words = object.member("__first_");
  if (!length || *length < 0 || (!words && *length != 0))
    return std::nullopt;
  LibraryView view;
  view.shape = LibraryView::Shape::sequence;
  view.label = "std::bitset";
  view.sparse = true;
  view.length = static_cast<std::uint64_t>(*length);
  if (!words)
    return view;
  const TypeHandle bit = environment.types.base_type("int", TypeEncoding::signed_integer, 4);
  const bool fits = words->size().value_or(0) >= (*view.length + 7) / 8;
  return fits && add_bits(view, {words->source(), 0, *view.length, true}, bit, wanted, object) ? std::optional(view)
                                                                                               : std::nullopt;
}

} // namespace inspect::libcxx
