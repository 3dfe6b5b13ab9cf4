// What libstdc++ has besides the standard's containers, and small classes of both libraries: TR1's hash tables, SGI's
// singly linked list, the iterators of the debug mode, references to bits, comparison categories, locales.
//
// Sources: libstdc++-v3 of GCC 12: tr1/hashtable.h, ext/slist, debug/safe_iterator.h, bits/stl_bvector.h, compare,
// bits/locale_classes.h; libc++ 14 to 20: __bit_reference, __compare/ordering.h, valarray.
#include "values/native/native_layout.h"
#include "values/printers/cpp/cpp_parts.h"
#include "values/printers/library_type_name.h"

#include <fmt/format.h>

namespace inspect {
namespace {

using View = std::optional<LibraryView>;

constexpr std::size_t max_locale_name = 256;

/// std::strong_ordering::less
View comparison_category(const Value &value, ChildRange, ValueEnvironment &environment) {
  const LibraryObject object(value, environment);
  const auto held = object.member({"_M_value", "__value_"});
  const auto number = held ? held->signed_number() : std::nullopt;
  if (!number)
    return std::nullopt;
  const std::string name = std_name(object);
  const auto one = [&](std::string_view word) { return plain_view(fmt::format("{}::{}", name, word)); };
  switch (*number) {
  case -1:
    return one("less");
  case 0:
    return one(name == "std::strong_ordering" ? "equal" : "equivalent");
  case 1:
    return one("greater");
  case 2:    // libstdc++
  case -127: // libc++
    return one("unordered");
  default:
    return broken_view(name, fmt::format("{} is no outcome of a comparison: not initialised?", *number));
  }
}

/// A word and a mask of one bit in it.
View bit_reference(const Value &value, ChildRange, ValueEnvironment &environment) {
  const LibraryObject object(value, environment);
  const auto word = object.pointer({"_M_p", "__seg_"});
  const auto mask = object.number({"_M_mask", "__mask_"});
  if (!word || !mask)
    return std::nullopt;
  if (word->address.value == 0)
    return plain_view("std::vector<bool>::reference to no bit");
  const auto bits = read_word(environment.memory, word->address);
  if (!bits)
    return broken_view("std::vector<bool>::reference",
                       fmt::format("its word at {:#x} cannot be read: not initialised?", word->address.value));
  const TypeHandle boolean = environment.types.base_type("bool", TypeEncoding::boolean, 1);
  return single_view({}, {}, made_value(boolean, (*bits & *mask) != 0 ? 1 : 0, value.language, environment));
}

/// TR1's: an array of chains, each element in a node {_M_v, …, _M_next}; behind the last bucket stands a mark that is
/// no node.
View tr1_table(const Value &value, bool has_keys, ChildRange wanted, ValueEnvironment &environment) {
  const LibraryObject table(value, environment);
  const auto buckets = table.pointer("_M_buckets");
  const auto bucket_count = table.number("_M_bucket_count");
  const auto count = table.number("_M_element_count");
  if (!buckets || !bucket_count || !count || !is_pointer(environment.types.underlying(buckets->target)))
    return std::nullopt;
  const TypeHandle node_type = environment.types.underlying(buckets->target).target;
  LibraryView view = sequence_view(fmt::format("{} with {}", std_name(table), element_count(*count)));
  view.shape = has_keys ? LibraryView::Shape::map : LibraryView::Shape::sequence;
  view.length = count;
  view.problem = implausible_extent(buckets->address, *bucket_count, 8, environment);
  std::uint64_t seen = 0;
  for (std::uint64_t i = 0; view.problem.empty() && i < *bucket_count && seen < *count; ++i) {
    if (environment.out_of_time() || view.children.size() >= wanted.count)
      break;
    auto next = read_word(environment.memory, buckets->address + 8 * i);
    while (next && *next != 0 && seen < *count && view.children.size() < wanted.count) {
      const LibraryObject node = table.at(RunAddress{*next}, node_type);
      const auto content = node.member("_M_v");
      const auto following = node.pointer("_M_next");
      if (!content || !following || environment.out_of_time()) {
        view.problem = fmt::format("its element {} cannot be read: not initialised, or being changed?", seen);
        return view;
      }
      if (seen++ >= wanted.first) {
        const auto key = has_keys ? content->member("first") : std::nullopt;
        const auto mapped = has_keys ? content->member("second") : content;
        if (!mapped || (has_keys && !key) ||
            !add_child(view, has_keys ? std::string() : index_name(seen - 1), mapped->value(),
                       key ? std::optional(key->value()) : std::nullopt))
          return view;
      }
      next = following->address.value;
    }
  }
  return view;
}

View tr1_map(const Value &value, ChildRange wanted, ValueEnvironment &environment) {
  return tr1_table(value, true, wanted, environment);
}

View tr1_set(const Value &value, ChildRange wanted, ValueEnvironment &environment) {
  return tr1_table(value, false, wanted, environment);
}

/// A node begins with the pointer to the next one.
View slist(const Value &value, ChildRange wanted, ValueEnvironment &environment) {
  const LibraryObject list(value, environment);
  const auto first = list.pointer("_M_head._M_next");
  const auto element = list.type_argument(0);
  if (!first || !element)
    return std::nullopt;
  LibraryView view = sequence_view(first->address.value == 0 ? "empty __gnu_cxx::slist" : "__gnu_cxx::slist");
  const NodeContent content = content_behind(8, std::nullopt, *element, environment);
  add_chain(view, {first->address, RunAddress{}, 0, std::nullopt, std::nullopt}, content, wanted, list);
  return view;
}

View slist_iterator(const Value &value, ChildRange, ValueEnvironment &environment) {
  const LibraryObject iterator(value, environment);
  const auto node = iterator.pointer("_M_node");
  const auto element = iterator.type_argument(0);
  if (!node || !element)
    return std::nullopt;
  if (node->address.value == 0)
    return singular_iterator_view("__gnu_cxx::slist");
  const NodeContent content = content_behind(8, std::nullopt, *element, environment);
  return single_view({}, {}, iterator.at(node->address + content.offset, *element));
}

/// Whether the iterator stands at the end of its container, which the debug mode knows.
bool is_at_end(const LibraryObject &iterator, const LibraryObject &plain, RunAddress sequence) {
  const auto container = iterator.type_argument(1);
  const auto offset = container ? iterator.as(*container).offset_of("_M_iterators") : std::nullopt;
  if (!offset)
    return false;
  const LibraryObject whole = iterator.at(sequence - *offset, *container);
  const auto place = plain.pointer({"_M_current", "_M_node", "_M_cur"});
  if (const auto end = whole.pointer({"_M_impl._M_finish", "_M_impl._M_finish._M_cur"}))
    return place && place->address == end->address;
  const auto end = whole.member({"_M_impl._M_node", "_M_t._M_impl._M_header"});
  return place && end && end->address() == place->address;
}

/// The debug mode's iterators derive from the plain one and know their container.
View safe_iterator(const Value &value, ChildRange wanted, ValueEnvironment &environment) {
  const LibraryObject object(value, environment);
  auto plain = std::optional(object);
  for (int depth = 0; plain && plain->type().name.starts_with("_Safe_") && depth < 4; ++depth)
    plain = plain->base(0);
  const auto sequence = object.pointer("_M_sequence");
  if (!plain || !sequence)
    return std::nullopt;
  const auto container = object.type_argument(1);
  const std::string name =
      container ? without_inline_namespaces(std_name(object.as(*container))) : std::string("a container");
  if (sequence->address.value == 0 || is_at_end(object, *plain, sequence->address))
    return singular_iterator_view(name);
  return library_view(plain->value(), wanted, environment);
}

/// The debug mode's string derives from the plain one.
View safe_string(const Value &value, ChildRange wanted, ValueEnvironment &environment) {
  const LibraryObject object(value, environment);
  for (std::size_t i = 0; i < object.base_count(); ++i)
    if (const auto plain = object.base(i); plain && plain->type().name.starts_with("basic_string<"))
      return library_view(plain->value(), wanted, environment);
  return std::nullopt;
}

/// The name of each category, or of the first where it stands for all of them.
View locale(const Value &value, ChildRange, ValueEnvironment &environment) {
  const LibraryObject object(value, environment);
  const auto implementation = object.pointer("_M_impl");
  if (!implementation)
    return std::nullopt;
  const LibraryObject shared = object.at(implementation->address, implementation->target);
  const auto names = shared.pointer("_M_names");
  const auto first = names ? read_word(environment.memory, names->address) : Result<std::uint64_t>(0);
  if (!names || !first)
    return std::nullopt;
  if (*first == 0)
    return plain_view("std::locale \"*\""); // made of facets: it has no name
  const auto second = read_word(environment.memory, names->address + 8);
  const auto text = read_c_string(environment.memory, RunAddress{*first}, max_locale_name);
  if (!text || !second)
    return std::nullopt;
  return plain_view(*second == 0 ? fmt::format("std::locale \"{}\"", *text)
                                 : fmt::format("std::locale \"LC_CTYPE={};…\"", *text));
}

View valarray(const Value &value, ChildRange wanted, ValueEnvironment &environment) {
  const LibraryObject object(value, environment);
  const auto begin = object.pointer({"_M_data", "__begin_"});
  const auto end = object.pointer("__end_");
  const std::uint64_t size = begin ? bytes_of(begin->target, environment) : 0;
  auto length = object.number("_M_size");
  if (begin && end && size > 0 && end->address >= begin->address)
    length = (end->address - begin->address) / size;
  if (!begin || !length || size == 0)
    return std::nullopt;
  LibraryView view = sequence_view(fmt::format("std::valarray of length {}", *length));
  add_contiguous(view, {begin->address, *length, begin->target}, wanted, object);
  return view;
}

} // namespace

std::span<const LibraryType> cpp_extension_types() {
  static constexpr LibraryType types[] = {
      {"std::strong_ordering", comparison_category},
      {"std::weak_ordering", comparison_category},
      {"std::partial_ordering", comparison_category},
      {"std::_Bit_reference", bit_reference},
      {"std::__bit_reference", bit_reference},
      {"std::__bit_const_reference", bit_reference},
      {"std::tr1::unordered_map", tr1_map},
      {"std::tr1::unordered_multimap", tr1_map},
      {"std::tr1::unordered_set", tr1_set},
      {"std::tr1::unordered_multiset", tr1_set},
      {"__gnu_cxx::slist", slist},
      {"__gnu_cxx::_Slist_iterator", slist_iterator},
      {"__gnu_debug::_Safe_iterator", safe_iterator},
      {"__gnu_debug::_Safe_local_iterator", safe_iterator},
      {"__gnu_debug::basic_string", safe_string},
      {"std::locale", locale},
      {"std::valarray", valarray},
  };
  return types;
}

} // namespace inspect
