// Lists, trees and hash tables: list, forward_list, __tree, __hash_table.
#include "values/printers/libcxx/libcxx_parts.h"
#include "values/printers/libcxx/libcxx_views.h"
#include "values/printers/library_parts.h"
#include "values/printers/library_walks.h"

#include <algorithm>
#include <fmt/format.h>

namespace inspect::libcxx {
namespace {

/// The bytes of a node before its element: __list_node_base {prev, next}; __forward_begin_node {next}; __tree_node_base
/// {left, right, parent, is_black}, whose padding at the end the element may use; __hash_node_base {next} and a hash.
constexpr std::uint64_t list_header = 16;
constexpr std::uint64_t forward_header = 8;
constexpr std::uint64_t tree_header = 25;
constexpr std::uint64_t hash_header = 16;

/// The element behind a node's header, or where the node's type is described, where that has it.
NodeContent content_of(const LibraryObject &object, std::uint64_t header, const std::optional<TypeHandle> &node,
                       const std::optional<TypeHandle> &key, const TypeHandle &value) {
  NodeContent content = content_behind(header, key, value, object.environment());
  if (const auto offset = node ? object.as(*node).offset_of("__value_") : std::nullopt)
    content.offset = std::max(*offset, header);
  return content;
}

View tree(const Value &value, bool has_keys, ChildRange wanted, ValueEnvironment &environment) {
  const LibraryObject object(value, environment);
  const auto table = object.member("__tree_");
  const auto first = pointer_of(table, {"__begin_node_"});
  const auto header = table ? first_part(*table, "__pair1_", "__end_node_") : std::nullopt;
  const auto root = pointer_of(header, {"__left_"});
  const auto size = table ? first_part(*table, "__pair3_", "__size_") : std::nullopt;
  const auto count = number_of(size);
  const auto key = object.type_argument(0);
  const auto mapped = object.type_argument(1);
  if (!first || !root || !header->address() || !count || !key || (has_keys && !mapped))
    return std::nullopt;
  LibraryView view;
  view.shape = has_keys ? LibraryView::Shape::map : LibraryView::Shape::sequence;
  view.label = fmt::format("{} with {}", std_name(object), element_count(*count));
  if ((*count == 0) != (root->address.value == 0) || *count > UINT64_MAX / tree_header) {
    view.length = count;
    view.problem = fmt::format("a count of {}, {} a root: not initialised?", *count,
                               root->address.value == 0 ? "without" : "with");
    return view;
  }
  const NodeContent content = content_of(object, tree_header, allocated_type(*table, "__pair1_", "__node_alloc_"),
                                         has_keys ? key : std::nullopt, has_keys ? *mapped : *key);
  add_tree(view, {first->address, *header->address(), *count, 0, 8, 16}, content, wanted, object);
  return view;
}

View hash_table(const Value &value, bool has_keys, ChildRange wanted, ValueEnvironment &environment) {
  const LibraryObject object(value, environment);
  const auto table = object.member("__table_");
  const auto before = table ? first_part(*table, "__p1_", "__first_node_") : std::nullopt;
  const auto first = pointer_of(before, {"__next_"});
  const auto size = table ? first_part(*table, "__p2_", "__size_") : std::nullopt;
  const auto count = number_of(size);
  const auto key = object.type_argument(0);
  const auto mapped = object.type_argument(1);
  if (!first || !count || !key || (has_keys && !mapped))
    return std::nullopt;
  LibraryView view;
  view.shape = has_keys ? LibraryView::Shape::map : LibraryView::Shape::sequence;
  view.label = fmt::format("{} with {}", std_name(object), element_count(*count));
  const NodeContent content = content_of(object, hash_header, allocated_type(*table, "__p1_", "__node_alloc_"),
                                         has_keys ? key : std::nullopt, has_keys ? *mapped : *key);
  add_chain(view, {first->address, RunAddress{}, 0, std::nullopt, count}, content, wanted, object);
  return view;
}

View pointing(const LibraryObject &iterator, const std::optional<TypedPointer> &place, std::uint64_t header,
              std::string_view container) {
  auto element = iterator.dereferenced_type();
  if (!element)
    element = iterator.type_argument(0);
  if (!place || !element)
    return std::nullopt;
  if (place->address.value == 0)
    return plain_view(fmt::format("non-dereferenceable iterator for {}", container));
  const auto node = iterator.type_argument(1);
  const NodeContent content = content_of(
      iterator, header, node ? std::optional(iterator.as(*node).type().target) : node, std::nullopt, *element);
  return single_view({}, {}, iterator.at(place->address + content.offset, *element));
}

/// Of a vector, deque or list, the iterator has the pointer itself; those of maps wrap those of trees and tables.
View iterator(const Value &value, std::initializer_list<std::string_view> names, std::uint64_t header,
              std::string_view container, ValueEnvironment &environment) {
  const LibraryObject object(value, environment);
  const auto wrapped = object.member("__i_");
  const LibraryObject &inner = wrapped && !wrapped->pointer() ? *wrapped : object;
  const auto place = inner.member_of_names(names);
  return place ? pointing(object, place->pointer(), header, container) : std::nullopt;
}

} // namespace

View list(const Value &value, ChildRange wanted, ValueEnvironment &environment) {
  const LibraryObject object(value, environment);
  const auto head = object.member("__end_");
  const auto first = pointer_of(head, {"__next_"});
  const auto size = first_part(object, "__size_alloc_", "__size_");
  const auto count = number_of(size);
  const auto element = object.type_argument(0);
  if (!first || !head->address() || !count || !element)
    return std::nullopt;
  LibraryView view;
  view.shape = LibraryView::Shape::sequence;
  view.label = first->address == head->address() ? "empty std::list" : "std::list";
  const NodeContent content =
      content_of(object, list_header, allocated_type(object, "__size_alloc_", "__node_alloc_"), std::nullopt, *element);
  add_chain(view, {first->address, *head->address(), 8, 0, count}, content, wanted, object);
  return view;
}

View forward_list(const Value &value, ChildRange wanted, ValueEnvironment &environment) {
  const LibraryObject object(value, environment);
  const auto head = first_part(object, "__before_begin_", "__before_begin_");
  const auto first = pointer_of(head, {"__next_"});
  const auto element = object.type_argument(0);
  if (!first || !element)
    return std::nullopt;
  LibraryView view;
  view.shape = LibraryView::Shape::sequence;
  view.label = first->address.value == 0 ? "empty std::forward_list" : "std::forward_list";
  const NodeContent content =
      content_of(object, forward_header, allocated_type(object, "__before_begin_", "__alloc_"), std::nullopt, *element);
  add_chain(view, {first->address, RunAddress{}, 0, std::nullopt, std::nullopt}, content, wanted, object);
  return view;
}

View map(const Value &value, ChildRange wanted, ValueEnvironment &environment) {
  return tree(value, true, wanted, environment);
}

View set(const Value &value, ChildRange wanted, ValueEnvironment &environment) {
  return tree(value, false, wanted, environment);
}

View unordered_map(const Value &value, ChildRange wanted, ValueEnvironment &environment) {
  return hash_table(value, true, wanted, environment);
}

View unordered_set(const Value &value, ChildRange wanted, ValueEnvironment &environment) {
  return hash_table(value, false, wanted, environment);
}

View vector_iterator(const Value &value, ChildRange, ValueEnvironment &environment) {
  const LibraryObject object(value, environment);
  const auto member = object.member_of_names({"__i_", "__i"}); // __i up to version 14
  const auto place = pointer_of(member);
  if (!place)
    return std::nullopt;
  if (place->address.value == 0)
    return plain_view("non-dereferenceable iterator for std::vector");
  return single_view({}, {}, object.at(place->address, place->target));
}

View deque_iterator(const Value &value, ChildRange, ValueEnvironment &environment) {
  const LibraryObject object(value, environment);
  const auto place = object.pointer("__ptr_");
  if (!place || !object.pointer("__m_iter_"))
    return std::nullopt;
  if (place->address.value == 0)
    return plain_view("non-dereferenceable iterator for std::deque");
  return single_view({}, {}, object.at(place->address, place->target));
}

View bit_iterator(const Value &value, ChildRange, ValueEnvironment &environment) {
  const LibraryObject object(value, environment);
  const auto word = object.pointer("__seg_");
  const auto bit = object.number("__ctz_");
  if (!word || !bit)
    return std::nullopt;
  if (word->address.value == 0)
    return plain_view("non-dereferenceable iterator for std::vector<bool>");
  if (*bit >= 64)
    return broken_view("std::vector<bool>::iterator", fmt::format("a bit {} of a word: not initialised?", *bit));
  LibraryView view;
  view.shape = LibraryView::Shape::single;
  const BitSequence bits{ValueSource::in_memory(environment.memory, word->address, 8), *bit, 1};
  const TypeHandle boolean = environment.types.base_type("bool", TypeEncoding::boolean, 1);
  return add_bits(view, bits, boolean, {}, object) ? std::optional(view) : std::nullopt;
}

View list_iterator(const Value &value, ChildRange, ValueEnvironment &environment) {
  return iterator(value, {"__ptr_"}, list_header, "std::list", environment);
}

View forward_list_iterator(const Value &value, ChildRange, ValueEnvironment &environment) {
  return iterator(value, {"__ptr_"}, forward_header, "std::forward_list", environment);
}

View tree_iterator(const Value &value, ChildRange, ValueEnvironment &environment) {
  return iterator(value, {"__ptr_"}, tree_header, "associative container", environment);
}

View hash_iterator(const Value &value, ChildRange, ValueEnvironment &environment) {
  return iterator(value, {"__node_"}, hash_header, "unordered associative container", environment);
}

} // namespace inspect::libcxx
