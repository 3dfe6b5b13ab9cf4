// Elements side by side, in chunks or as bits, and the iterators over them.
//
// Sources: libstdc++-v3 of GCC 12: bits/stl_vector.h, stl_bvector.h, stl_deque.h, std/array, bitset, span; libc++ 14 to
// 22: vector, __vector/layout.h, deque, array, bitset, span.
#include "values/printers/cpp/cpp_parts.h"

#include <algorithm>
#include <fmt/format.h>

namespace inspect {
namespace {

using View = std::optional<LibraryView>;

/// Bits in words of memory as booleans: of a vector<bool> all; of bitsets, as gdb has it, those set, named by their
/// place, but one that is asked for alone in any case.
struct BitSequence {
  ValueSource words;
  std::uint64_t first_bit = 0;
  std::uint64_t length = 0;
  bool only_set = false;
};

std::optional<bool> bit_at(const ValueSource &words, std::uint64_t bit) {
  const auto byte = words.unsigned_at(bit / 8, 1);
  return byte ? std::optional((*byte >> (bit % 8) & 1) != 0) : std::nullopt;
}

bool add_bits(LibraryView &view, const BitSequence &bits, const TypeHandle &type, ChildRange wanted,
              const LibraryObject &around) {
  view.length = bits.length;
  view.child_type = ValueType{.native = type};
  for (std::uint64_t i = wanted.first; i < bits.length; ++i) {
    if (!bits.only_set && i - wanted.first >= wanted.count)
      break;
    const auto bit = bit_at(bits.words, bits.first_bit + i);
    if (!bit)
      return false;
    if (bits.only_set && !*bit && wanted.count != 1)
      continue;
    if (view.children.size() >= wanted.count)
      break;
    const Value value = made_value(type, *bit ? 1 : 0, around.value().language, around.environment());
    if (around.environment().out_of_time() || !add_child(view, bits.only_set ? index_name(i) : "", value))
      break;
  }
  return true;
}

struct BitVectorParts {
  RunAddress words;
  std::uint64_t length = 0;
  std::uint64_t capacity_words = 0;
  std::string problem;
};

/// _Bit_iterator {_Bit_type *_M_p; unsigned _M_offset} for both ends.
std::optional<BitVectorParts> libstdcxx_bit_vector(const LibraryObject &storage) {
  const auto begin = storage.pointer("_M_start._M_p");
  const auto begin_bit = storage.number("_M_start._M_offset");
  const auto end = storage.pointer("_M_finish._M_p");
  const auto end_bit = storage.number("_M_finish._M_offset");
  const auto capacity_end = storage.pointer("_M_end_of_storage");
  if (!begin || !begin_bit || !end || !end_bit || !capacity_end)
    return std::nullopt;
  BitVectorParts parts{.words = begin->address, .problem = {}};
  LibraryView words;
  if (*begin_bit != 0 || *end_bit >= 64)
    parts.problem = "bits that are outside of their word: not initialised?";
  else if (!measure_extent(words, begin->address, end->address, capacity_end->address, 8))
    parts.problem = words.problem;
  parts.length = words.length.value_or(0) * 64 + *end_bit;
  parts.capacity_words = words.capacity.value_or(0);
  return parts;
}

/// Words, a length in bits, a capacity in words.
std::optional<BitVectorParts> libcxx_bit_vector(const LibraryObject &vector) {
  const auto words = vector.pointer("__begin_");
  const auto length = vector.number("__size_");
  const auto capacity = vector.number({"__cap_alloc_", "__cap_"});
  return words && length && capacity ? std::optional(BitVectorParts{words->address, *length, *capacity, {}})
                                     : std::nullopt;
}

View bit_vector(const LibraryObject &vector, ChildRange wanted) {
  const auto storage = vector.member("_M_impl");
  const auto parts = storage ? libstdcxx_bit_vector(*storage) : libcxx_bit_vector(vector);
  const auto element = vector.type_argument(0);
  if (!parts || !element)
    return std::nullopt;
  const std::uint64_t length = parts->length;
  const bool fits = parts->capacity_words <= UINT64_MAX / 64 && length <= parts->capacity_words * 64;
  LibraryView view = sequence_view(std_name(vector) + "<bool>");
  view.problem = parts->problem;
  if (view.problem.empty())
    view.problem = implausible_extent(parts->words, length / 8 + (length % 8 != 0), 1, vector.environment());
  if (view.problem.empty() && !fits)
    view.problem = fmt::format("a length of {}, above its capacity: not initialised?", length);
  if (!view.problem.empty())
    return view;
  view.capacity = parts->capacity_words * 64;
  view.label = fmt::format("{} of length {}, capacity {}", view.label, length, *view.capacity);
  const auto words = ValueSource::in_memory(vector.environment().memory, parts->words, (length + 63) / 64 * 8);
  return add_bits(view, {words, 0, length}, *element, wanted, vector) ? std::optional(view) : std::nullopt;
}

View vector(const Value &value, ChildRange wanted, ValueEnvironment &environment) {
  const LibraryObject object(value, environment);
  const auto begin = object.pointer({"_M_impl._M_start", "__begin_"});
  // Since version 22 libc++'s names are those of __vector_layout, a base.
  const auto end = object.pointer({"_M_impl._M_finish", "__end_", "__boundary_"});
  if (!begin || !end)
    return bit_vector(object, wanted);
  const auto capacity_end = object.pointer({"_M_impl._M_end_of_storage", "__end_cap_", "__cap_", "__capacity_"});
  const std::uint64_t size = bytes_of(begin->target, environment);
  if (!capacity_end || size == 0)
    return std::nullopt;
  LibraryView view = sequence_view(std_name(object));
  view.child_type = ValueType{.native = begin->target};
  if (!measure_extent(view, begin->address, end->address, capacity_end->address, size))
    return view;
  view.label = fmt::format("{} of length {}, capacity {}", view.label, *view.length, *view.capacity);
  add_contiguous(view, {begin->address, *view.length, begin->target}, wanted, object);
  return view;
}

/// The elements are in chunks of the same length, which an array of pointers tells.
struct DequeParts {
  RunAddress chunks;                     ///< where the pointers are
  std::uint64_t chunk_length = 1;        ///< in elements
  std::uint64_t start = 0;               ///< elements of the first chunks that are unused
  std::uint64_t length = 0;              ///< nothing where there is a problem before it can be told
  std::optional<RunAddress> first_chunk; ///< where the object says it, too
  std::string problem = {};
};

/// _Deque_iterator {_M_cur, _M_first, _M_last, _M_node} for both ends; __deque_buf_size.
struct DequePlace {
  RunAddress current;
  RunAddress first;
  RunAddress last;
  RunAddress node;

  /// Its chunk is whole, and what points into it does.
  bool is_plausible(std::uint64_t size, std::uint64_t chunk) const {
    return last - first == chunk * size && current - first <= chunk * size && (current - first) % size == 0 &&
           node.value % 8 == 0;
  }
};

std::optional<DequePlace> deque_place(const LibraryObject &deque, std::string_view iterator) {
  const auto object = deque.member(iterator);
  const auto current = object ? object->pointer("_M_cur") : std::nullopt;
  const auto first = object ? object->pointer("_M_first") : std::nullopt;
  const auto last = object ? object->pointer("_M_last") : std::nullopt;
  const auto node = object ? object->pointer("_M_node") : std::nullopt;
  if (!current || !first || !last || !node)
    return std::nullopt;
  return DequePlace{current->address, first->address, last->address, node->address};
}

std::optional<DequeParts> libstdcxx_deque(const LibraryObject &deque, std::uint64_t size) {
  const auto map = deque.pointer("_M_impl._M_map");
  const auto map_size = deque.number("_M_impl._M_map_size");
  const auto start = deque_place(deque, "_M_impl._M_start");
  const auto finish = deque_place(deque, "_M_impl._M_finish");
  if (!map || !map_size || !start || !finish)
    return std::nullopt;
  const std::uint64_t chunk = size < 512 ? 512 / size : 1;
  const auto within_map = [&](RunAddress node) {
    return node >= map->address && (node - map->address) % 8 == 0 && (node - map->address) / 8 < *map_size;
  };
  DequeParts parts{start->node, chunk, (start->current - start->first) / size, 0, start->first};
  if (!start->is_plausible(size, chunk) || !finish->is_plausible(size, chunk) || !within_map(start->node) ||
      !within_map(finish->node) || finish->node < start->node ||
      (finish->node == start->node && finish->current < start->current)) {
    parts.problem = "its ends do not fit together: not initialised?";
    return parts;
  }
  parts.length = (finish->node - start->node) / 8 * chunk + (finish->current - finish->first) / size - parts.start;
  return parts;
}

/// {__map_ {__begin_, __end_, …}, __start_, __size_}; __deque_block_size.
std::optional<DequeParts> libcxx_deque(const LibraryObject &deque, std::uint64_t size) {
  const auto chunks = deque.pointer("__map_.__begin_");
  const auto chunks_end = deque.pointer("__map_.__end_");
  const auto start = deque.number("__start_");
  const auto length = deque.number("__size_");
  if (!chunks || !chunks_end || !start || !length)
    return std::nullopt;
  DequeParts parts{chunks->address, size < 256 ? 4096 / size : 16, *start, *length, std::nullopt};
  const std::uint64_t chunk_count = (chunks_end->address - chunks->address) / 8;
  const std::uint64_t room = chunk_count * parts.chunk_length;
  parts.problem = implausible_extent(chunks->address, chunk_count, 8, deque.environment());
  if (parts.problem.empty() && (chunks_end->address < chunks->address || *start > room || *length > room - *start))
    parts.problem = fmt::format("a length of {}, in room for {}: not initialised?", *length, room);
  return parts;
}

void add_chunked(LibraryView &view, const DequeParts &parts, const TypeHandle &element, ChildRange wanted,
                 const LibraryObject &deque) {
  ValueEnvironment &environment = deque.environment();
  const std::uint64_t size = bytes_of(element, environment);
  std::uint64_t chunk_number = UINT64_MAX;
  RunAddress chunk_begin;
  for (std::uint64_t i = wanted.first; i < parts.length && i - wanted.first < wanted.count; ++i) {
    const std::uint64_t place = parts.start + i;
    if (place / parts.chunk_length != chunk_number) {
      chunk_number = place / parts.chunk_length;
      const auto begin = read_word(environment.memory, parts.chunks + 8 * chunk_number);
      if (!begin || *begin == 0 ||
          (chunk_number == 0 && parts.first_chunk && *parts.first_chunk != RunAddress{*begin})) {
        view.problem = fmt::format("its element {} is in no chunk: not initialised, or being changed?", i);
        return;
      }
      chunk_begin = RunAddress{*begin};
    }
    const Value child = deque.at(chunk_begin + place % parts.chunk_length * size, element).value();
    if (environment.out_of_time() || !add_child(view, {}, child))
      return;
  }
}

View deque(const Value &value, ChildRange wanted, ValueEnvironment &environment) {
  const LibraryObject object(value, environment);
  const auto element = object.type_argument(0);
  const std::uint64_t size = bytes_of(element, environment);
  if (size == 0)
    return std::nullopt;
  auto parts = libstdcxx_deque(object, size);
  if (!parts)
    parts = libcxx_deque(object, size);
  if (!parts)
    return std::nullopt;
  LibraryView view = sequence_view(std_name(object));
  view.child_type = ValueType{.native = *element};
  view.problem = parts->problem;
  if (!view.problem.empty())
    return view;
  view.length = parts->length;
  view.label = fmt::format("{} with {}", view.label, element_count(parts->length));
  if (parts->first_chunk && parts->length > 0)
    view.problem = implausible_extent(*parts->first_chunk + parts->start * size, 1, size, environment);
  if (view.problem.empty())
    add_chunked(view, *parts, *element, wanted, object);
  return view;
}

View array(const Value &value, ChildRange wanted, ValueEnvironment &environment) {
  const LibraryObject object(value, environment);
  const auto elements = object.member({"_M_elems", "__elems_"});
  const auto length = object.value_argument(1);
  const auto element = object.type_argument(0);
  const std::uint64_t size = bytes_of(element, environment);
  std::uint64_t bytes = 0;
  if (!elements || !length || *length < 0 || size == 0 ||
      __builtin_mul_overflow(static_cast<std::uint64_t>(*length), size, &bytes) ||
      (*length > 0 && elements->size() != bytes))
    return std::nullopt;
  LibraryView view = sequence_view(fmt::format("std::array of length {}", *length));
  view.length = static_cast<std::uint64_t>(*length);
  view.child_type = ValueType{.native = *element};
  for (std::uint64_t i = wanted.first; i < *view.length && i - wanted.first < wanted.count; ++i) {
    Value child = elements->as(*element).value();
    child.source = elements->source().at(i * size);
    if (!add_child(view, {}, child))
      break;
  }
  return view;
}

View counted(std::string_view name, const std::optional<TypedPointer> &begin, std::optional<std::uint64_t> length,
             ChildRange wanted, const LibraryObject &object) {
  if (!begin || !length)
    return std::nullopt;
  LibraryView view = sequence_view(fmt::format("{} of length {}", name, *length));
  add_contiguous(view, {begin->address, *length, begin->target}, wanted, object);
  return view;
}

View span(const Value &value, ChildRange wanted, ValueEnvironment &environment) {
  const LibraryObject object(value, environment);
  const auto begin = object.pointer({"_M_ptr", "__data_", "__data"});
  auto length = object.number({"_M_extent._M_extent_value", "__size_", "__size"});
  // Else it is in the type: dynamic_extent is the largest size_t.
  if (const auto extent = object.value_argument(1); !length && extent && *extent >= 0)
    length = static_cast<std::uint64_t>(*extent);
  return counted("std::span", begin, length, wanted, object);
}

View initializer_list(const Value &value, ChildRange wanted, ValueEnvironment &environment) {
  const LibraryObject object(value, environment);
  return counted("std::initializer_list", object.pointer({"_M_array", "__begin_"}),
                 object.number({"_M_len", "__size_"}), wanted, object);
}

/// One word or an array of them; of no bits there is none.
View bitset(const Value &value, ChildRange wanted, ValueEnvironment &environment) {
  const LibraryObject object(value, environment);
  const auto length = object.value_argument(0);
  const auto words = object.member({"_M_w", "__first_"});
  if (!length || *length < 0 || (!words && *length != 0))
    return std::nullopt;
  LibraryView view = sequence_view("std::bitset");
  view.sparse = true;
  view.length = static_cast<std::uint64_t>(*length);
  if (!words)
    return view;
  const TypeHandle bit = environment.types.base_type("int", TypeEncoding::signed_integer, 4);
  const bool fits = words->size().value_or(0) >= (*view.length + 7) / 8;
  return fits && add_bits(view, {words->source(), 0, *view.length, true}, bit, wanted, object) ? std::optional(view)
                                                                                               : std::nullopt;
}

View element_iterator(const LibraryObject &iterator, const std::optional<TypedPointer> &place,
                      std::string_view container) {
  if (!place)
    return std::nullopt;
  return place->address.value == 0 ? singular_iterator_view(container)
                                   : single_view({}, {}, iterator.at(place->address, place->target));
}

View vector_iterator(const Value &value, ChildRange, ValueEnvironment &environment) {
  const LibraryObject object(value, environment);
  return element_iterator(object, object.pointer({"_M_current", "__i_", "__i"}), "std::vector"); // __i up to version 14
}

View deque_iterator(const Value &value, ChildRange, ValueEnvironment &environment) {
  const LibraryObject object(value, environment);
  return object.pointer({"_M_node", "__m_iter_"})
             ? element_iterator(object, object.pointer({"_M_cur", "__ptr_"}), "std::deque")
             : std::nullopt;
}

View bit_iterator(const Value &value, ChildRange, ValueEnvironment &environment) {
  const LibraryObject object(value, environment);
  const auto word = object.pointer({"_M_p", "__seg_"});
  const auto bit = object.number({"_M_offset", "__ctz_"});
  if (!word || !bit)
    return std::nullopt;
  if (word->address.value == 0)
    return singular_iterator_view("std::vector<bool>");
  if (*bit >= 64)
    return broken_view("std::vector<bool>::iterator", fmt::format("a bit {} of a word: not initialised?", *bit));
  LibraryView view = hollow_view({});
  const BitSequence bits{ValueSource::in_memory(environment.memory, word->address, 8), *bit, 1};
  const TypeHandle boolean = environment.types.base_type("bool", TypeEncoding::boolean, 1);
  return add_bits(view, bits, boolean, {}, object) ? std::optional(view) : std::nullopt;
}

} // namespace

std::span<const LibraryType> cpp_sequence_types() {
  static constexpr LibraryType types[] = {
      {"std::vector", vector},
      {"std::array", array},
      {"std::deque", deque},
      {"std::span", span},
      {"std::initializer_list", initializer_list},
      {"std::bitset", bitset},
      {"__gnu_cxx::__normal_iterator", vector_iterator},
      {"std::__wrap_iter", vector_iterator},
      {"std::_Bit_iterator", bit_iterator},
      {"std::_Bit_const_iterator", bit_iterator},
      {"std::__bit_iterator", bit_iterator},
      {"std::_Deque_iterator", deque_iterator},
      {"std::__deque_iterator", deque_iterator},
  };
  return types;
}

} // namespace inspect
