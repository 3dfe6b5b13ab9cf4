// Lists, trees and hash tables: stl_list.h, forward_list.h, stl_tree.h, hashtable_policy.h.
#include "values/printers/library_parts.h"
#include "values/printers/library_walks.h"
#include "values/printers/libstdcxx/libstdcxx_views.h"

#include <fmt/format.h>

namespace inspect::libstdcxx {
namespace {

/// The bytes of a node before its element: _List_node_base {_M_next, _M_prev}, _Fwd_list_node_base and _Hash_node_base
/// {next}, _Rb_tree_node_base {_M_color, _M_parent, _M_left, _M_right}.
constexpr std::uint64_t list_header = 16;
constexpr std::uint64_t forward_header = 8;
constexpr std::uint64_t tree_header = 32;
constexpr std::uint64_t hash_header = 8;

View tree(const Value &value, bool has_keys, ChildRange wanted, ValueEnvironment &environment) {
  const LibraryObject object(value, environment);
  const auto storage = object.member({"_M_t", "_M_impl"});
  const auto header = storage ? storage->member("_M_header") : std::nullopt;
  const auto count = number_of(storage, {"_M_node_count"});
  const auto key = object.type_argument(0);
  const auto mapped = object.type_argument(1);
  if (!header || !header->address() || !count || !key || (has_keys && !mapped) || header->size() != tree_header)
    return std::nullopt;
  const auto root = header->pointer("_M_parent");
  const auto leftmost = header->pointer("_M_left");
  const auto rightmost = header->pointer("_M_right");
  if (!root || !leftmost || !rightmost)
    return std::nullopt;
  LibraryView view;
  view.shape = has_keys ? LibraryView::Shape::map : LibraryView::Shape::sequence;
  view.label = fmt::format("{} with {}", std_name(object), element_count(*count));
  const NodeContent content =
      content_behind(tree_header, has_keys ? key : std::nullopt, has_keys ? *mapped : *key, environment);
  if ((*count == 0) != (root->address.value == 0) || *count > UINT64_MAX / tree_header) {
    view.length = count;
    view.problem = fmt::format("a count of {}, {} a root: not initialised?", *count,
                               root->address.value == 0 ? "without" : "with");
    return view;
  }
  add_tree(view, {leftmost->address, *header->address(), *count, 16, 24, 8}, content, wanted, object);
  return view;
}

View hash_table(const Value &value, bool has_keys, ChildRange wanted, ValueEnvironment &environment) {
  const LibraryObject object(value, environment);
  const auto table = object.member("_M_h");
  const auto first = pointer_of(table, {"_M_before_begin", "_M_nxt"});
  const auto count = number_of(table, {"_M_element_count"});
  const auto buckets = pointer_of(table, {"_M_buckets"});
  const auto bucket_count = number_of(table, {"_M_bucket_count"});
  const auto key = object.type_argument(0);
  const auto mapped = object.type_argument(1);
  if (!first || !count || !buckets || !bucket_count || !key || (has_keys && !mapped))
    return std::nullopt;
  LibraryView view;
  view.shape = has_keys ? LibraryView::Shape::map : LibraryView::Shape::sequence;
  view.label = fmt::format("{} with {}", std_name(object), element_count(*count));
  const NodeContent content =
      content_behind(hash_header, has_keys ? key : std::nullopt, has_keys ? *mapped : *key, environment);
  view.length = count;
  view.problem = *bucket_count == 0 ? "no buckets: not initialised?"
                                    : implausible_extent(buckets->address, *bucket_count, 8, environment);
  if (view.problem.empty())
    add_chain(view, {first->address, RunAddress{}, 0, std::nullopt, count}, content, wanted, object);
  return view;
}

/// The element behind the node that an iterator holds.
View node_iterator(const Value &value, std::string_view member, std::uint64_t header, std::string_view container,
                   ValueEnvironment &environment) {
  const LibraryObject object(value, environment);
  const auto node = object.pointer(member);
  auto element = object.dereferenced_type();
  if (!element)
    element = object.type_argument(0);
  if (!node || !element)
    return std::nullopt;
  if (node->address.value == 0)
    return plain_view(fmt::format("non-dereferenceable iterator for {}", container));
  const NodeContent content = content_behind(header, std::nullopt, *element, environment);
  return single_view({}, {}, object.at(node->address + content.offset, *element));
}

} // namespace

View list(const Value &value, ChildRange wanted, ValueEnvironment &environment) {
  const LibraryObject object(value, environment);
  const auto head = object.member({"_M_impl", "_M_node"});
  const auto first = pointer_of(head, {"_M_next"});
  const auto last = pointer_of(head, {"_M_prev"});
  const auto element = object.type_argument(0);
  if (!first || !last || !head->address() || !element)
    return std::nullopt;
  // The count is a member of its own, or in GCC 5 and 6 the element of the head, or in the old ABI nowhere.
  auto count = head->number("_M_size");
  if (!count)
    count = head->number("_M_data");
  const bool is_new = count || head->size() == 24U;
  const std::string name = is_new ? "std::__cxx11::list" : "std::list";
  LibraryView view;
  view.shape = LibraryView::Shape::sequence;
  const bool is_empty = first->address == head->address();
  view.label = is_empty ? "empty " + name : name;
  add_chain(view, {first->address, *head->address(), 0, 8, count},
            content_behind(list_header, std::nullopt, *element, environment), wanted, object);
  return view;
}

View forward_list(const Value &value, ChildRange wanted, ValueEnvironment &environment) {
  const LibraryObject object(value, environment);
  const auto first = object.pointer("_M_impl", "_M_head", "_M_next");
  const auto element = object.type_argument(0);
  if (!first || !element)
    return std::nullopt;
  LibraryView view;
  view.shape = LibraryView::Shape::sequence;
  view.label = first->address.value == 0 ? "empty std::forward_list" : "std::forward_list";
  add_chain(view, {first->address, RunAddress{}, 0, std::nullopt, std::nullopt},
            content_behind(forward_header, std::nullopt, *element, environment), wanted, object);
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
  const auto current = object.pointer("_M_current");
  if (!current)
    return std::nullopt;
  if (current->address.value == 0)
    return plain_view("non-dereferenceable iterator for std::vector");
  return single_view({}, {}, object.at(current->address, current->target));
}

View deque_iterator(const Value &value, ChildRange, ValueEnvironment &environment) {
  const LibraryObject object(value, environment);
  const auto current = object.pointer("_M_cur");
  if (!current || !object.pointer("_M_node"))
    return std::nullopt;
  if (current->address.value == 0)
    return plain_view("non-dereferenceable iterator for std::deque");
  return single_view({}, {}, object.at(current->address, current->target));
}

View bit_iterator(const Value &value, ChildRange wanted, ValueEnvironment &environment) {
  const LibraryObject object(value, environment);
  const auto word = object.pointer("_M_p");
  const auto bit = object.number("_M_offset");
  if (!word || !bit)
    return std::nullopt;
  if (word->address.value == 0)
    return plain_view("non-dereferenceable iterator for std::vector<bool>");
  if (*bit >= 64)
    return broken_view("std::vector<bool>::iterator", fmt::format("a bit {} of a word: not initialised?", *bit));
  LibraryView view;
  view.shape = LibraryView::Shape::single;
  wanted = {};
  const BitSequence bits{ValueSource::in_memory(environment.memory, word->address, 8), *bit, 1};
  const TypeHandle boolean = environment.types.base_type("bool", TypeEncoding::boolean, 1);
  if (!add_bits(view, bits, boolean, wanted, object))
    return std::nullopt;
  return view;
}

View list_iterator(const Value &value, ChildRange, ValueEnvironment &environment) {
  return node_iterator(value, "_M_node", list_header, "std::list", environment);
}

View forward_list_iterator(const Value &value, ChildRange, ValueEnvironment &environment) {
  return node_iterator(value, "_M_node", forward_header, "std::forward_list", environment);
}

View tree_iterator(const Value &value, ChildRange, ValueEnvironment &environment) {
  return node_iterator(value, "_M_node", tree_header, "associative container", environment);
}

View hash_iterator(const Value &value, ChildRange, ValueEnvironment &environment) {
  return node_iterator(value, "_M_cur", hash_header, "unordered associative container", environment);
}

} // namespace inspect::libstdcxx
