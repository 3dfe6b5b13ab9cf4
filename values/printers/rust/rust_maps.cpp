#include "values/native/native_layout.h"
#include "values/printers/rust/rust_types.h"

#include <bit>
#include <fmt/format.h>

namespace inspect {
namespace {

constexpr std::uint64_t max_buckets = std::uint64_t{1} << 32;
constexpr std::size_t max_entries = 1'000'000;
/// Of trees that go in circles.
constexpr std::uint64_t max_nodes = 10'000'000;
constexpr std::size_t control_chunk = 4096;
/// A tree of eleven children each is not higher.
constexpr std::uint64_t highest_tree = 20;
constexpr std::uint64_t node_capacity = 11;

struct Entries {
  LibraryView view;
  ChildRange wanted;
  std::uint64_t seen = 0;

  bool full() const { return view.children.size() >= std::min(wanted.count, max_entries) || seen >= *view.length; }
  /// Whether the one at hand is among those wanted.
  bool take() {
    const bool is_wanted = !full() && seen >= wanted.first;
    ++seen;
    return is_wanted;
  }
};

/// hashbrown's table: the entries lie before the control bytes, from high to low; a control byte below 0x80 is a full
/// bucket's.
std::optional<LibraryView> table_view(const LibraryObject &map, bool with_values, ChildRange wanted,
                                      ValueEnvironment &environment) {
  const auto typed = map.member("table");
  const auto entry = typed ? typed->type_argument(0) : std::nullopt;
  const auto table = typed ? typed->member("table") : std::nullopt;
  if (!entry || !table)
    return std::nullopt;
  const auto mask = table->number("bucket_mask");
  const auto items = table->number("items");
  const auto control = sole_pointer(table->member("ctrl"));
  const auto size = environment.types.size_of(*entry);
  if (!mask || !items || !control || !size)
    return std::nullopt;
  Entries entries{.view = {}, .wanted = wanted};
  entries.view.shape = with_values ? LibraryView::Shape::map : LibraryView::Shape::sequence;
  entries.view.label = with_values ? "" : "{}";
  entries.view.length = items;
  if (!std::has_single_bit(*mask + 1) || *mask >= max_buckets || *items > *mask + 1) {
    entries.view.problem = fmt::format("{} entries in {} buckets: not initialised?", *items, *mask + 1);
    return entries.view;
  }
  std::vector<std::byte> bytes;
  for (std::uint64_t i = 0; i <= *mask && entries.seen < *items && !entries.full(); ++i) {
    if (i % control_chunk == 0) {
      bytes.resize(static_cast<std::size_t>(std::min<std::uint64_t>(control_chunk, *mask + 1 - i)));
      if (environment.out_of_time() || !environment.memory.read(control->address + i, bytes))
        break;
    }
    if ((std::to_integer<unsigned>(bytes[i % control_chunk]) & 0x80U) != 0 || !entries.take())
      continue;
    const LibraryObject pair = map.at(control->address - (i + 1) * *size, *entry);
    const auto key = pair.member("__0");
    const auto value = pair.member("__1");
    if (!key || !value)
      return std::nullopt;
    if (with_values)
      entries.view.children.push_back({{}, key->value(), value->value()});
    else
      entries.view.children.push_back({{}, std::nullopt, key->value()});
  }
  return entries.view;
}

/// Walks a B-tree in order of its keys.
class TreeWalk {
public:
  TreeWalk(const LibraryObject &map, const TypeHandle &leaf, bool with_values, Entries &entries)
      : map_(map), leaf_(leaf), with_values_(with_values), entries_(entries) {}

  bool prepare() {
    ValueEnvironment &environment = map_.environment();
    const auto key = map_.type_argument(0);
    const auto value = map_.type_argument(1);
    if (!key || !value)
      return false;
    key_ = *key;
    value_ = *value;
    const LibraryObject node = map_.at(RunAddress{0}, leaf_);
    const auto parent = node.member("parent");
    if (!parent || !node.member("keys") || !node.member("vals") || !node.member("len") || !parent->type().variants)
      return false;
    // The type of inner nodes is where leaves refer to their parents.
    for (const DwarfVariant &variant : parent->type().variants->variants) {
      const LibraryObject shape = parent->as(variant.member.type);
      if (shape.type().members.empty())
        continue;
      const LibraryObject inner = sole_part(shape);
      if (is_pointer(inner.type()))
        inner_ = inner.type().target;
    }
    key_size_ = environment.types.size_of(key_).value_or(0);
    value_size_ = environment.types.size_of(value_).value_or(0);
    return true;
  }

  /// False where the tree contradicts itself.
  bool walk(RunAddress node, std::uint64_t height) {
    ValueEnvironment &environment = map_.environment();
    const LibraryObject leaf = map_.at(node, leaf_);
    const auto length = leaf.number("len");
    if (!length || *length > node_capacity || ++nodes_ > max_nodes || environment.out_of_time())
      return false;
    for (std::uint64_t i = 0; i <= *length; ++i) {
      if (entries_.full())
        return true;
      if (height > 0 && !walk_edge(node, i, height))
        return false;
      if (i < *length && entries_.take())
        add(leaf, i);
    }
    return true;
  }

private:
  bool walk_edge(RunAddress node, std::uint64_t index, std::uint64_t height) {
    const auto edges = map_.at(node, inner_).member("edges");
    const auto place = edges ? edges->address() : std::nullopt;
    const auto child = place ? read_word(map_.environment().memory, *place + 8 * index) : Result<std::uint64_t>(0);
    return child && *child != 0 && walk(RunAddress{*child}, height - 1);
  }

  void add(const LibraryObject &leaf, std::uint64_t index) {
    const auto keys = leaf.member("keys")->address();
    const auto values = leaf.member("vals")->address();
    if (!keys || !values)
      return;
    const Value key = map_.at(*keys + index * key_size_, key_).value();
    if (with_values_)
      entries_.view.children.push_back({{}, key, map_.at(*values + index * value_size_, value_).value()});
    else
      entries_.view.children.push_back({{}, std::nullopt, key});
  }

  const LibraryObject &map_;
  TypeHandle leaf_;
  bool with_values_;
  Entries &entries_;
  TypeHandle inner_ = {};
  TypeHandle key_ = {};
  TypeHandle value_ = {};
  std::uint64_t nodes_ = 0;
  std::uint64_t key_size_ = 0;
  std::uint64_t value_size_ = 0;
};

std::optional<LibraryView> tree_view(const LibraryObject &map, bool with_values, ChildRange wanted,
                                     ValueEnvironment &environment) {
  const auto length = map.number("length");
  const auto root = map.member("root");
  if (!length || !root || !root->type().variants)
    return std::nullopt;
  Entries entries{.view = {}, .wanted = wanted};
  entries.view.shape = with_values ? LibraryView::Shape::map : LibraryView::Shape::sequence;
  entries.view.label = with_values ? "" : "{}";
  entries.view.length = length;
  const auto variant = rust_variant(root->value(), root->type(), environment);
  if (!variant)
    return std::nullopt;
  if (*length == 0)
    return entries.view;
  const auto node = variant->name == "Some" ? LibraryObject(variant->value, environment).member("__0") : std::nullopt;
  const auto height = node ? node->number("height") : std::nullopt;
  const auto first = node ? sole_pointer(node->member("node")) : std::nullopt;
  if (!height || !first || *height > highest_tree) {
    entries.view.problem = fmt::format("{} entries and no tree: not initialised?", *length);
    return entries.view;
  }
  TreeWalk walk(map, first->target, with_values, entries);
  if (!walk.prepare())
    return std::nullopt;
  if (!walk.walk(first->address, *height) && entries.view.children.empty())
    entries.view.problem = fmt::format("{} entries, and a tree that cannot be followed", *length);
  return entries.view;
}

std::optional<LibraryView> hash_map(const Value &value, ChildRange wanted, ValueEnvironment &environment) {
  const LibraryObject map(value, environment);
  return table_view(map.member("base").value_or(map), true, wanted, environment);
}

std::optional<LibraryView> hash_set(const Value &value, ChildRange wanted, ValueEnvironment &environment) {
  const auto map = LibraryObject(value, environment).member({"base.map", "map"});
  return map ? table_view(*map, false, wanted, environment) : std::nullopt;
}

std::optional<LibraryView> tree_map(const Value &value, ChildRange wanted, ValueEnvironment &environment) {
  return tree_view(LibraryObject(value, environment), true, wanted, environment);
}

std::optional<LibraryView> tree_set(const Value &value, ChildRange wanted, ValueEnvironment &environment) {
  const auto map = LibraryObject(value, environment).member("map");
  return map ? tree_view(*map, false, wanted, environment) : std::nullopt;
}

} // namespace

std::span<const LibraryType> rust_map_types() {
  static constexpr LibraryType types[] = {
      {"std::collections::hash::map::HashMap", hash_map},
      {"std::collections::hash::set::HashSet", hash_set},
      {"hashbrown::map::HashMap", hash_map},
      {"hashbrown::set::HashSet", hash_set},
      {"alloc::collections::btree::map::BTreeMap", tree_map},
      {"alloc::collections::btree::set::BTreeSet", tree_set},
  };
  return types;
}

} // namespace inspect
