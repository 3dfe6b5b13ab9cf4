// Lists, trees and hash tables, and the iterators over them.
//
// Sources: libstdc++-v3 of GCC 12, bits/: stl_list.h, forward_list.h, stl_tree.h, hashtable_policy.h; libc++ 14 to 20:
// list, forward_list, __tree, __hash_table.
#include "values/printers/cpp/cpp_parts.h"

#include <algorithm>
#include <fmt/format.h>

namespace inspect {
namespace {

using View = std::optional<LibraryView>;

/// The bytes of a node before its element.
struct NodeHeader {
  std::uint64_t libstdcxx;
  std::uint64_t libcxx;
};
/// _List_node_base {_M_next, _M_prev}; __list_node_base {__prev_, __next_}.
constexpr NodeHeader list_header{16, 16};
/// _Fwd_list_node_base {_M_next}; __forward_begin_node {__next_}.
constexpr NodeHeader forward_header{8, 8};
/// _Rb_tree_node_base {_M_color, _M_parent, _M_left, _M_right}; __tree_node_base {__left_, __right_, __parent_,
/// __is_black_}, whose padding at the end the element may use.
constexpr NodeHeader tree_header{32, 25};
/// _Hash_node_base {_M_nxt}; __hash_node_base {__next_} and a hash.
constexpr NodeHeader hash_header{8, 16};

/// A container's elements: values, or of maps keys and values.
struct ElementTypes {
  std::optional<TypeHandle> key;
  TypeHandle value;
};

std::optional<ElementTypes> element_types(const LibraryObject &container, bool has_keys) {
  const auto first = container.type_argument(0);
  const auto second = has_keys ? container.type_argument(1) : std::nullopt;
  if (!first || (has_keys && !second))
    return std::nullopt;
  return has_keys ? ElementTypes{first, *second} : ElementTypes{std::nullopt, *first};
}

/// The type of libc++'s nodes: what the allocator is for that is the second part of a pair, or a member of its own.
std::optional<TypeHandle> allocated_type(const std::optional<LibraryObject> &owner, std::string_view pair_name,
                                         std::string_view own_name) {
  if (!owner)
    return std::nullopt;
  const auto allocator = owner->has(pair_name) ? owner->paired_with(pair_name) : owner->member(own_name);
  return allocator ? allocator->type_argument(0) : std::nullopt;
}

/// The element behind a node's header, or where the node's type is described, where that has it.
NodeContent content_of(const LibraryObject &object, std::uint64_t header, const std::optional<TypeHandle> &node,
                       const ElementTypes &types) {
  NodeContent content = content_behind(header, types.key, types.value, object.environment());
  if (const auto offset = node ? object.as(*node).offset_of("__value_") : std::nullopt)
    content.offset = std::max(*offset, header);
  return content;
}

LibraryView counted_view(const LibraryObject &container, bool has_keys, std::uint64_t count) {
  LibraryView view = sequence_view(fmt::format("{} with {}", std_name(container), element_count(count)));
  view.shape = has_keys ? LibraryView::Shape::map : LibraryView::Shape::sequence;
  view.length = count;
  return view;
}

struct TreeParts {
  SearchTree tree;
  std::uint64_t header_size = 0; ///< of a node
  std::optional<TypeHandle> node;
  bool has_root = false;
};

std::optional<TreeParts> libstdcxx_tree(const LibraryObject &container) {
  const auto header = container.member("_M_t._M_impl._M_header");
  const auto count = container.number("_M_t._M_impl._M_node_count");
  if (!header || !header->address() || !count || header->size() != tree_header.libstdcxx)
    return std::nullopt;
  const auto root = header->pointer("_M_parent");
  const auto leftmost = header->pointer("_M_left");
  if (!root || !leftmost || !header->pointer("_M_right"))
    return std::nullopt;
  return TreeParts{{leftmost->address, *header->address(), *count, 16, 24, 8},
                   tree_header.libstdcxx,
                   std::nullopt,
                   root->address.value != 0};
}

std::optional<TreeParts> libcxx_tree(const LibraryObject &container) {
  const auto table = container.member("__tree_");
  if (!table)
    return std::nullopt;
  const auto first = table->pointer("__begin_node_");
  const auto header = table->member({"__pair1_", "__end_node_"});
  const auto root = header ? header->pointer("__left_") : std::nullopt;
  const auto count = table->number({"__pair3_", "__size_"});
  if (!first || !root || !header->address() || !count)
    return std::nullopt;
  return TreeParts{{first->address, *header->address(), *count, 0, 8, 16},
                   tree_header.libcxx,
                   allocated_type(table, "__pair1_", "__node_alloc_"),
                   root->address.value != 0};
}

View tree(const Value &value, bool has_keys, ChildRange wanted, ValueEnvironment &environment) {
  const LibraryObject object(value, environment);
  auto parts = libstdcxx_tree(object);
  if (!parts)
    parts = libcxx_tree(object);
  const auto types = element_types(object, has_keys);
  if (!parts || !types)
    return std::nullopt;
  const std::uint64_t count = parts->tree.count;
  LibraryView view = counted_view(object, has_keys, count);
  if ((count == 0) == parts->has_root || count > UINT64_MAX / parts->header_size)
    view.problem =
        fmt::format("a count of {}, {} a root: not initialised?", count, parts->has_root ? "with" : "without");
  else
    add_tree(view, parts->tree, content_of(object, parts->header_size, parts->node, *types), wanted, object);
  return view;
}

View hash_table(const Value &value, bool has_keys, ChildRange wanted, ValueEnvironment &environment) {
  const LibraryObject object(value, environment);
  const auto table = object.member({"_M_h", "__table_"});
  if (!table)
    return std::nullopt;
  const auto first = table->pointer({"_M_before_begin._M_nxt", "__p1_.__next_", "__first_node_.__next_"});
  const auto count = table->number({"_M_element_count", "__p2_", "__size_"});
  const auto types = element_types(object, has_keys);
  if (!first || !count || !types)
    return std::nullopt;
  LibraryView view = counted_view(object, has_keys, *count);
  const bool is_libstdcxx = table->has("_M_before_begin");
  if (is_libstdcxx) {
    const auto buckets = table->pointer("_M_buckets");
    const auto bucket_count = table->number("_M_bucket_count");
    if (!buckets || !bucket_count)
      return std::nullopt;
    view.problem = *bucket_count == 0 ? "no buckets: not initialised?"
                                      : implausible_extent(buckets->address, *bucket_count, 8, environment);
  }
  const NodeContent content = content_of(object, is_libstdcxx ? hash_header.libstdcxx : hash_header.libcxx,
                                         allocated_type(table, "__p1_", "__node_alloc_"), *types);
  if (view.problem.empty())
    add_chain(view, {first->address, RunAddress{}, 0, std::nullopt, count}, content, wanted, object);
  return view;
}

View list(const Value &value, ChildRange wanted, ValueEnvironment &environment) {
  const LibraryObject object(value, environment);
  const auto head = object.member({"_M_impl._M_node", "__end_"});
  const auto first = head ? head->pointer({"_M_next", "__next_"}) : std::nullopt;
  const auto types = element_types(object, false);
  if (!first || !head->pointer({"_M_prev", "__prev_"}) || !head->address() || !types)
    return std::nullopt;
  const bool is_libcxx = object.has("__end_");
  // libstdc++'s count is a member of its own, or in GCC 5 and 6 the element of the head, or in the old ABI nowhere.
  auto count = is_libcxx ? object.number({"__size_alloc_", "__size_"}) : head->number("_M_size");
  if (!count && !is_libcxx)
    count = head->number("_M_data");
  if (!count && is_libcxx)
    return std::nullopt;
  const bool is_cxx11 = !is_libcxx && (count || head->size() == 24U);
  const std::string own = std_name(object); // of the debug mode without the ABI's namespace
  const std::string name = is_cxx11 && own == "std::list" ? "std::__cxx11::list" : own;
  LibraryView view = sequence_view(first->address == head->address() ? "empty " + name : name);
  const NodeContent content = content_of(object, is_libcxx ? list_header.libcxx : list_header.libstdcxx,
                                         allocated_type(object, "__size_alloc_", "__node_alloc_"), *types);
  const std::uint64_t next = is_libcxx ? 8 : 0;
  add_chain(view, {first->address, *head->address(), next, 8 - next, count}, content, wanted, object);
  return view;
}

View forward_list(const Value &value, ChildRange wanted, ValueEnvironment &environment) {
  const LibraryObject object(value, environment);
  const auto first = object.pointer({"_M_impl._M_head._M_next", "__before_begin_.__next_"});
  const auto types = element_types(object, false);
  if (!first || !types)
    return std::nullopt;
  LibraryView view = sequence_view((first->address.value == 0 ? "empty " : "") + std_name(object));
  const NodeContent content =
      content_of(object, forward_header.libcxx, allocated_type(object, "__before_begin_", "__alloc_"), *types);
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

/// What is read at a word; 0 where nothing can be.
std::uint64_t word_or_zero(ValueEnvironment &environment, RunAddress place) {
  return read_word(environment.memory, place).value_or(0);
}

/// Whether the node is the one behind a tree's last: libstdc++'s is red and its parent's parent, as the root is, too,
/// which is black.
bool is_end_of_libstdcxx_tree(RunAddress node, ValueEnvironment &environment) {
  const auto color = ValueSource::in_memory(environment.memory, node, 4).unsigned_at(0, 4);
  const std::uint64_t parent = word_or_zero(environment, node + 8);
  return color == 0U && (parent == 0 || word_or_zero(environment, RunAddress{parent} + 8) == node.value);
}

/// libc++'s is only {left}, and lies in the tree behind the pointer to the leftmost node.
bool is_end_of_libcxx_tree(RunAddress node, ValueEnvironment &environment) {
  const std::uint64_t first = word_or_zero(environment, node - 8);
  std::uint64_t leftmost = word_or_zero(environment, node);
  if (leftmost == 0)
    return first == node.value;
  if (word_or_zero(environment, RunAddress{leftmost} + 16) != node.value)
    return false;
  constexpr int highest_tree = 128;
  for (int depth = 0; depth < highest_tree; ++depth) {
    const std::uint64_t left = word_or_zero(environment, RunAddress{leftmost});
    if (left == 0)
      return leftmost == first;
    leftmost = left;
  }
  return false;
}

/// Whether the node is a list's head, behind which the list has its length: the only one in the ring of which that can
/// be said.
bool is_end_of_list(RunAddress node, std::uint64_t next, ValueEnvironment &environment) {
  constexpr std::uint64_t longest_walk = 10'000;
  std::vector<RunAddress> ring;
  RunAddress place = node;
  do {
    if (place.value == 0 || ring.size() >= longest_walk || environment.out_of_time())
      return false;
    ring.push_back(place);
    place = RunAddress{word_or_zero(environment, place + next)};
  } while (place != node);
  const auto may_be_head = [&](RunAddress one) { return word_or_zero(environment, one + 16) == ring.size() - 1; };
  return may_be_head(node) && std::ranges::count_if(ring, may_be_head) == 1;
}

/// The element behind the node that an iterator holds: the iterator itself, or of libc++'s maps the iterator over a
/// tree or table that it wraps.
View node_iterator(const Value &value, const NodeHeader &header, std::string_view container,
                   ValueEnvironment &environment, bool (*is_end)(RunAddress node, bool is_libcxx, ValueEnvironment &)) {
  const LibraryObject object(value, environment);
  const auto libstdcxx_place = object.pointer({"_M_node", "_M_cur"});
  const auto place =
      libstdcxx_place ? libstdcxx_place : object.pointer({"__i_.__ptr_", "__i_.__node_", "__ptr_", "__node_"});
  auto element = object.dereferenced_type();
  if (!element)
    element = object.type_argument(0);
  if (!place || !element)
    return std::nullopt;
  if (place->address.value == 0 || is_end(place->address, !libstdcxx_place, environment))
    return singular_iterator_view(container);
  const auto node = object.type_argument(1);
  const NodeContent content =
      content_of(object, libstdcxx_place ? header.libstdcxx : header.libcxx,
                 node ? std::optional(object.as(*node).type().target) : node, {std::nullopt, *element});
  return single_view({}, {}, object.at(place->address + content.offset, *element));
}

/// What is behind the last node of these is no node at all.
bool ends_with_null(RunAddress, bool, ValueEnvironment &) {
  return false;
}

View list_iterator(const Value &value, ChildRange, ValueEnvironment &environment) {
  return node_iterator(value, list_header, "std::list", environment,
                       [](RunAddress node, bool is_libcxx, ValueEnvironment &around) {
                         return is_end_of_list(node, is_libcxx ? 8 : 0, around);
                       });
}

View forward_list_iterator(const Value &value, ChildRange, ValueEnvironment &environment) {
  return node_iterator(value, forward_header, "std::forward_list", environment, ends_with_null);
}

View tree_iterator(const Value &value, ChildRange, ValueEnvironment &environment) {
  return node_iterator(value, tree_header, "associative container", environment,
                       [](RunAddress node, bool is_libcxx, ValueEnvironment &around) {
                         return is_libcxx ? is_end_of_libcxx_tree(node, around)
                                          : is_end_of_libstdcxx_tree(node, around);
                       });
}

View hash_iterator(const Value &value, ChildRange, ValueEnvironment &environment) {
  return node_iterator(value, hash_header, "unordered associative container", environment, ends_with_null);
}

} // namespace

std::span<const LibraryType> cpp_node_types() {
  static constexpr LibraryType types[] = {
      {"std::list", list},
      {"std::forward_list", forward_list},
      {"std::map", map},
      {"std::multimap", map},
      {"std::set", set},
      {"std::multiset", set},
      {"std::unordered_map", unordered_map},
      {"std::unordered_multimap", unordered_map},
      {"std::unordered_set", unordered_set},
      {"std::unordered_multiset", unordered_set},
      {"std::_List_iterator", list_iterator},
      {"std::_List_const_iterator", list_iterator},
      {"std::_Fwd_list_iterator", forward_list_iterator},
      {"std::_Fwd_list_const_iterator", forward_list_iterator},
      {"std::_Rb_tree_iterator", tree_iterator},
      {"std::_Rb_tree_const_iterator", tree_iterator},
      {"std::__detail::_Node_iterator", hash_iterator},
      {"std::__detail::_Node_const_iterator", hash_iterator},
      {"std::__list_iterator", list_iterator},
      {"std::__list_const_iterator", list_iterator},
      {"std::__forward_list_iterator", forward_list_iterator},
      {"std::__forward_list_const_iterator", forward_list_iterator},
      {"std::__tree_iterator", tree_iterator},
      {"std::__tree_const_iterator", tree_iterator},
      {"std::__map_iterator", tree_iterator},
      {"std::__map_const_iterator", tree_iterator},
      {"std::__hash_iterator", hash_iterator},
      {"std::__hash_const_iterator", hash_iterator},
      {"std::__hash_map_iterator", hash_iterator},
      {"std::__hash_map_const_iterator", hash_iterator},
  };
  return types;
}

} // namespace inspect
