#include "values/printers/library_parts.h"
#include "values/printers/library_walks.h"
#include "values/printers/libstdcxx/libstdcxx_views.h"

#include <algorithm>
#include <fmt/format.h>

namespace inspect::libstdcxx {
namespace {

/// stl_bvector.h: _Bit_iterator_base {_Bit_type *_M_p; unsigned _M_offset}.
View bit_vector(const LibraryObject &vector, const LibraryObject &storage, ChildRange wanted) {
  const auto begin = storage.pointer("_M_start", "_M_p");
  const auto begin_bit = storage.number("_M_start", "_M_offset");
  const auto end = storage.pointer("_M_finish", "_M_p");
  const auto end_bit = storage.number("_M_finish", "_M_offset");
  const auto capacity_end = storage.pointer("_M_end_of_storage");
  const auto element = vector.type_argument(0);
  if (!begin || !begin_bit || !end || !end_bit || !capacity_end || !element)
    return std::nullopt;
  LibraryView view;
  view.shape = LibraryView::Shape::sequence;
  view.label = "std::vector<bool>";
  if (*begin_bit != 0 || *end_bit >= 64) {
    view.problem = "bits that are outside of their word: not initialised?";
    return view;
  }
  if (!measure_extent(view, begin->address, end->address, capacity_end->address, 8))
    return view;
  const std::uint64_t length = *view.length * 64 + *end_bit;
  *view.capacity *= 64;
  view.label = fmt::format("std::vector<bool> of length {}, capacity {}", length, *view.capacity);
  view.problem = implausible_extent(begin->address, (length + 7) / 8, 1, vector.environment());
  if (view.problem.empty() && length > *view.capacity)
    view.problem = fmt::format("a length of {}, above its capacity: not initialised?", length);
  const BitSequence bits{ValueSource::in_memory(vector.environment().memory, begin->address, (length + 63) / 64 * 8), 0,
                         length};
  if (view.problem.empty() && !add_bits(view, bits, *element, wanted, vector))
    return std::nullopt;
  return view;
}

/// stl_deque.h: _Deque_iterator, and __deque_buf_size.
struct DequePlace {
  RunAddress current;
  RunAddress first;
  RunAddress last;
  RunAddress node;
};

std::optional<DequePlace> deque_place(const LibraryObject &iterator) {
  const auto current = iterator.pointer("_M_cur");
  const auto first = iterator.pointer("_M_first");
  const auto last = iterator.pointer("_M_last");
  const auto node = iterator.pointer("_M_node");
  if (!current || !first || !last || !node)
    return std::nullopt;
  return DequePlace{current->address, first->address, last->address, node->address};
}

/// Both ends' chunks are whole, and what points into them does.
bool is_plausible(const DequePlace &place, std::uint64_t size, std::uint64_t chunk) {
  return place.last - place.first == chunk * size && place.current - place.first <= chunk * size &&
         (place.current - place.first) % size == 0 && place.node.value % 8 == 0;
}

void add_deque(LibraryView &view, const DequePlace &start, std::uint64_t chunk, const TypeHandle &element,
               ChildRange wanted, const LibraryObject &deque) {
  ValueEnvironment &environment = deque.environment();
  const std::uint64_t size = *environment.types.size_of(element);
  const std::uint64_t skipped = (start.current - start.first) / size;
  std::uint64_t chunk_number = UINT64_MAX;
  RunAddress chunk_begin;
  for (std::uint64_t i = wanted.first; i < *view.length && i - wanted.first < wanted.count; ++i) {
    const std::uint64_t place = skipped + i;
    if (place / chunk != chunk_number) {
      chunk_number = place / chunk;
      const auto begin = read_word(environment.memory, start.node + 8 * chunk_number);
      if (!begin || (chunk_number == 0 && *begin != start.first.value)) {
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

} // namespace

View vector(const Value &value, ChildRange wanted, ValueEnvironment &environment) {
  const LibraryObject object(value, environment);
  const auto storage = object.member("_M_impl");
  if (!storage)
    return std::nullopt;
  const auto begin = storage->pointer("_M_start");
  if (!begin)
    return bit_vector(object, *storage, wanted);
  const auto end = storage->pointer("_M_finish");
  const auto capacity_end = storage->pointer("_M_end_of_storage");
  const auto size = environment.types.size_of(begin->target);
  if (!end || !capacity_end || !size || *size == 0)
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
  const auto elements = object.member("_M_elems");
  return elements ? array_view(object, *elements, wanted) : std::nullopt;
}

View deque(const Value &value, ChildRange wanted, ValueEnvironment &environment) {
  const LibraryObject object(value, environment);
  const auto storage = object.member("_M_impl");
  const auto map = pointer_of(storage, {"_M_map"});
  const auto map_size = number_of(storage, {"_M_map_size"});
  const auto start_iterator = storage ? storage->member("_M_start") : std::nullopt;
  const auto finish_iterator = storage ? storage->member("_M_finish") : std::nullopt;
  const auto element = object.type_argument(0);
  if (!map || !map_size || !start_iterator || !finish_iterator || !element)
    return std::nullopt;
  const auto start = deque_place(*start_iterator);
  const auto finish = deque_place(*finish_iterator);
  const auto size = environment.types.size_of(*element);
  if (!start || !finish || !size || *size == 0)
    return std::nullopt;
  const std::uint64_t chunk = *size < 512 ? 512 / *size : 1;
  LibraryView view;
  view.shape = LibraryView::Shape::sequence;
  view.label = "std::deque";
  view.child_type = ValueType{.native = *element};
  const auto within_map = [&](RunAddress node) {
    return node >= map->address && (node - map->address) % 8 == 0 && (node - map->address) / 8 < *map_size;
  };
  if (!is_plausible(*start, *size, chunk) || !is_plausible(*finish, *size, chunk) || !within_map(start->node) ||
      !within_map(finish->node) || finish->node < start->node ||
      (finish->node == start->node && finish->current < start->current)) {
    view.problem = "its ends do not fit together: not initialised?";
    return view;
  }
  const std::uint64_t chunks = (finish->node - start->node) / 8;
  view.length = chunks * chunk + (finish->current - finish->first) / *size - (start->current - start->first) / *size;
  view.label = fmt::format("std::deque with {}", element_count(*view.length));
  view.problem = implausible_extent(start->current, std::min<std::uint64_t>(*view.length, 1), *size, environment);
  if (view.problem.empty())
    add_deque(view, *start, chunk, *element, wanted, object);
  return view;
}

View span(const Value &value, ChildRange wanted, ValueEnvironment &environment) {
  const LibraryObject object(value, environment);
  const auto begin = object.pointer("_M_ptr");
  const auto extent = object.value_argument(1);
  // dynamic_extent is the largest size_t.
  const auto length = extent && *extent != -1 ? std::optional(static_cast<std::uint64_t>(*extent))
                                              : object.number("_M_extent", "_M_extent_value");
  if (!begin || !length)
    return std::nullopt;
  LibraryView view;
  view.shape = LibraryView::Shape::sequence;
  view.label = fmt::format("std::span of length {}", *length);
  add_contiguous(view, {begin->address, *length, begin->target}, wanted, object);
  return view;
}

View initializer_list(const Value &value, ChildRange wanted, ValueEnvironment &environment) {
  const LibraryObject object(value, environment);
  const auto begin = object.pointer("_M_array");
  const auto length = object.number("_M_len");
  if (!begin || !length)
    return std::nullopt;
  LibraryView view;
  view.shape = LibraryView::Shape::sequence;
  view.label = fmt::format("std::initializer_list of length {}", *length);
  add_contiguous(view, {begin->address, *length, begin->target}, wanted, object);
  return view;
}

/// std/bitset: _Base_bitset<words>, whose _M_w is one word or an array of them; of no bits it has none.
View bitset(const Value &value, ChildRange wanted, ValueEnvironment &environment) {
  const LibraryObject object(value, environment);
  const auto length = object.value_argument(0);
  const auto words = object.member("_M_w");
  if (!length || *length < 0 || (!words && *length != 0))
    return std::nullopt;
  LibraryView view;
  view.shape = LibraryView::Shape::sequence;
  view.label = "std::bitset";
  view.sparse = true;
  view.length = static_cast<std::uint64_t>(*length);
  const TypeHandle bit = environment.types.base_type("int", TypeEncoding::signed_integer, 4);
  if (words && words->size() < (*view.length + 7) / 8)
    return std::nullopt;
  if (words && !add_bits(view, {words->source(), 0, *view.length, true}, bit, wanted, object))
    return std::nullopt;
  return view;
}

} // namespace inspect::libstdcxx
