#include "values/printers/cpp/cpp_parts.h"

#include "values/native/native_layout.h"
#include "values/printers/library_type_name.h"

#include <algorithm>
#include <array>
#include <fmt/format.h>

namespace inspect {
namespace {

/// User space ends below this on x86-64 even with five-level page tables; no object of a library is larger than what
/// four-level ones can map.
constexpr std::uint64_t max_extent = std::uint64_t{1} << 47;
/// Nodes that one walk passes, at most.
constexpr std::uint64_t max_steps = 1 << 22;
/// A red-black tree is at most twice as high as the logarithm of its count.
constexpr int max_height = 2 * 64;

bool can_read(const ValueEnvironment &environment, RunAddress address) {
  std::byte byte{};
  return environment.memory.read(address, std::span(&byte, 1)).has_value();
}

std::optional<std::uint64_t> word_at(const ValueEnvironment &environment, RunAddress address) {
  const auto word = read_word(environment.memory, address);
  return word ? std::optional(*word) : std::nullopt;
}

bool is_aligned(std::uint64_t address) {
  return address % 8 == 0;
}

std::string unreadable_node(std::uint64_t address, std::uint64_t place) {
  return fmt::format("its element {} at {:#x} cannot be read: not initialised, or being changed?", place, address);
}

std::string wrong_count(std::uint64_t counted, std::uint64_t there) {
  return fmt::format("it counts {} and has {}: not initialised, or being changed?", element_count(counted), there);
}

bool add_node(LibraryView &view, RunAddress node, const NodeContent &content, std::uint64_t index,
              const LibraryObject &around) {
  const RunAddress begin = node + content.offset;
  return add_child(
      view, content.named ? index_name(index) : "",
      content.value_offset == unknown_offset
          ? missing_value({.native = content.value}, SourceLanguage::cpp, "how large the key before it is is not known")
          : around.at(begin + content.value_offset, content.value).value(),
      content.key ? std::optional(around.at(begin, *content.key).value()) : std::nullopt);
}

/// In-order steps through a tree, each of them checked.
class TreeWalk {
public:
  TreeWalk(const SearchTree &tree, const ValueEnvironment &environment)
      : tree_(tree), environment_(environment), node_(tree.first.value) {}

  std::uint64_t node() const { return node_; }
  bool at_end() const { return node_ == tree_.header.value; }
  bool readable() const { return word(node_, tree_.left).has_value(); }

  /// False with a problem where the tree cannot be followed.
  bool advance(std::string &problem) {
    const auto right = word(node_, tree_.right);
    if (!right)
      return fail(problem, fmt::format("its node at {:#x} cannot be read: not initialised, or being changed?", node_));
    return *right != 0 ? descend(*right, problem) : ascend(problem);
  }

private:
  std::optional<std::uint64_t> word(std::uint64_t node, std::uint64_t offset) const {
    return is_aligned(node) ? word_at(environment_, RunAddress{node} + offset) : std::nullopt;
  }
  bool fail(std::string &problem, std::string text) {
    problem = std::move(text);
    return false;
  }
  bool is_circle(std::string &problem) {
    return fail(problem, "its nodes go in a circle: not initialised, or being changed?");
  }
  bool descend(std::uint64_t child, std::string &problem) {
    std::uint64_t parent = node_;
    for (int height = 0; child != 0; ++height) {
      if (height == max_height)
        return is_circle(problem);
      if (word(child, tree_.parent) != parent)
        return fail(problem, fmt::format("its node at {:#x} does not know its parent: not initialised, or being "
                                         "changed?",
                                         child));
      parent = child;
      node_ = child;
      child = word(child, tree_.left).value_or(0);
    }
    return true;
  }
  bool ascend(std::string &problem) {
    std::uint64_t child = node_;
    for (int height = 0; height < max_height; ++height) {
      const auto parent = word(child, tree_.parent);
      if (!parent || *parent == 0)
        return fail(problem, fmt::format("its node at {:#x} has no parent: not initialised, or being changed?", child));
      if (*parent == tree_.header.value || word(*parent, tree_.left) == child) {
        node_ = *parent;
        return true;
      }
      child = *parent;
    }
    return is_circle(problem);
  }

  const SearchTree &tree_;
  const ValueEnvironment &environment_;
  std::uint64_t node_;
};

} // namespace

std::string index_name(std::uint64_t index) {
  return fmt::format("[{}]", index);
}

std::string element_count(std::uint64_t count) {
  return count == 1 ? "1 element" : fmt::format("{} elements", count);
}

std::string std_name(const LibraryObject &object) {
  const std::string name = object.environment().types.qualified_name(object.handle());
  std::string shown = name.substr(0, name.find('<'));
  constexpr std::string_view debug_mode = "std::__debug::"; // as gdb has it: its objects are larger, and know more
  if (shown.starts_with(debug_mode))
    return shown;
  shown = without_inline_namespaces(shown);
  constexpr std::string_view usual_in_debug_mode = "std::__cxx1998::";
  if (shown.starts_with(usual_in_debug_mode))
    shown.replace(0, usual_in_debug_mode.size(), "std::");
  return shown;
}

std::string std_name_with_argument(const LibraryObject &object) {
  const auto argument = object.type_argument(0);
  return argument ? fmt::format("{}<{}>", std_name(object), short_type_name(object.environment().types, *argument))
                  : std_name(object);
}

LibraryView singular_iterator_view(std::string_view container) {
  return plain_view(fmt::format("non-dereferenceable iterator for {}", container));
}

std::string implausible_extent(RunAddress begin, std::uint64_t length, std::uint64_t element_size,
                               const ValueEnvironment &environment) {
  std::uint64_t bytes = 0;
  if (__builtin_mul_overflow(length, element_size, &bytes) || bytes > max_extent || length > max_extent)
    return fmt::format("a length of {}: not initialised?", length);
  if (length > 0 && begin.value == 0)
    return fmt::format("a length of {}, and no elements: not initialised?", length);
  if (bytes > 0 && (!can_read(environment, begin) || !can_read(environment, begin + (bytes - 1))))
    return fmt::format("its {} at {:#x} cannot be read: not initialised?", element_count(length), begin.value);
  return {};
}

bool measure_extent(LibraryView &view, RunAddress begin, RunAddress end, RunAddress capacity_end,
                    std::uint64_t element_size) {
  if (element_size == 0)
    return false;
  if (end < begin) {
    view.problem = "it ends before it begins: not initialised?";
    return false;
  }
  const std::uint64_t bytes = end - begin;
  if (capacity_end < end) {
    view.problem = fmt::format("a length of {}, above its capacity: not initialised?", bytes / element_size);
    return false;
  }
  if (bytes % element_size != 0) {
    view.problem = fmt::format("{} bytes of elements of {}: not initialised?", bytes, element_size);
    return false;
  }
  view.length = bytes / element_size;
  view.capacity = (capacity_end - begin) / element_size;
  return true;
}

void add_contiguous(LibraryView &view, const Contiguous &elements, ChildRange wanted, const LibraryObject &around) {
  ValueEnvironment &environment = around.environment();
  const std::uint64_t size = environment.types.size_of(elements.element).value_or(0);
  view.length = elements.length;
  view.child_type = ValueType{.native = elements.element};
  view.problem = implausible_extent(elements.begin, elements.length, size, environment);
  if (!view.problem.empty())
    return;
  for (std::uint64_t i = wanted.first; i < elements.length && i - wanted.first < wanted.count; ++i) {
    const LibraryObject element = around.at(elements.begin + i * size, elements.element);
    if (environment.out_of_time() || !add_child(view, {}, element.value()))
      break;
  }
}

std::uint64_t declared_string_size(TypeReader &types, const TypeHandle &type) {
  const TypeHandle string = without_aliases(type, types);
  const std::string &name = types.qualified_name(string);
  const bool is_known = types.read(string).is_declaration && name.starts_with("std::__cxx11::basic_string<");
  return is_known ? 32 : 0;
}

NodeContent content_behind(std::uint64_t header, const std::optional<TypeHandle> &key, const TypeHandle &value,
                           ValueEnvironment &environment) {
  TypeReader &types = environment.types;
  NodeContent content{.offset = 0, .key = key, .value = value, .value_offset = 0, .named = !key};
  const std::uint64_t alignment = alignment_of(types, value);
  content.offset = round_up(header, alignment);
  if (key) {
    content.offset = round_up(header, std::max(alignment, alignment_of(types, *key)));
    const auto size = types.size_of(*key);
    const std::uint64_t key_size = size ? *size : declared_string_size(types, *key);
    content.value_offset = key_size == 0 ? unknown_offset : round_up(key_size, alignment);
  }
  return content;
}

void add_chain(LibraryView &view, const Chain &chain, const NodeContent &content, ChildRange wanted,
               const LibraryObject &around) {
  ValueEnvironment &environment = around.environment();
  view.child_type = ValueType{.native = content.value};
  view.length = chain.count;
  const std::uint64_t limit = std::min(chain.count.value_or(max_steps), max_steps);
  RunAddress node = chain.first;
  RunAddress before = chain.end;
  // Brent's way to notice a circle: compare with a node kept since the last power of two.
  RunAddress kept = node;
  std::uint64_t kept_for = 0;
  std::uint64_t power = 64;
  std::uint64_t index = 0;
  for (; node != chain.end && index < limit; ++index) {
    if (environment.out_of_time() || (index >= wanted.first && index - wanted.first >= wanted.count))
      return;
    const auto next = is_aligned(node.value) ? word_at(environment, node + chain.next) : std::nullopt;
    if (!next) {
      view.problem = unreadable_node(node.value, index);
      return;
    }
    if (chain.previous && word_at(environment, node + *chain.previous) != before.value) {
      view.problem = fmt::format("its element {} at {:#x} does not know the one before it: not initialised, or being "
                                 "changed?",
                                 index, node.value);
      return;
    }
    if (index >= wanted.first && !add_node(view, node, content, index, around))
      return;
    before = node;
    node = RunAddress{*next};
    if (node == kept && node != chain.end) {
      view.problem = "its elements go in a circle: not initialised, or being changed?";
      return;
    }
    if (++kept_for == power) {
      kept = node;
      kept_for = 0;
      power *= 2;
    }
  }
  if (node != chain.end && index == max_steps)
    return;
  if (node == chain.end && !chain.count)
    view.length = index;
  else if (node == chain.end && chain.count != index)
    view.problem = wrong_count(*chain.count, index);
  else if (chain.count == index && node != chain.end)
    view.problem = fmt::format("it counts {} and has more: not initialised, or being changed?", element_count(index));
}

void add_tree(LibraryView &view, const SearchTree &tree, const NodeContent &content, ChildRange wanted,
              const LibraryObject &around) {
  ValueEnvironment &environment = around.environment();
  view.child_type = ValueType{.native = content.value};
  view.length = tree.count;
  TreeWalk walk(tree, environment);
  std::uint64_t index = 0;
  for (; index < tree.count && !walk.at_end(); ++index) {
    if (index >= max_steps || environment.out_of_time() ||
        (index >= wanted.first && index - wanted.first >= wanted.count))
      return;
    if (!walk.readable()) {
      view.problem = unreadable_node(walk.node(), index);
      return;
    }
    if (index >= wanted.first && !add_node(view, RunAddress{walk.node()}, content, index, around))
      return;
    if (!walk.advance(view.problem))
      return;
  }
  if (index < tree.count)
    view.problem = wrong_count(tree.count, index);
  else if (!walk.at_end())
    view.problem = fmt::format("it counts {} and has more: not initialised, or being changed?", element_count(index));
}

bool add_text(LibraryView &view, RunAddress characters, std::uint64_t length, const TypeHandle &character,
              const LibraryObject &around) {
  ValueEnvironment &environment = around.environment();
  const DwarfType &type = environment.types.underlying(character);
  const std::uint64_t size = environment.types.size_of(character).value_or(0);
  if (type.kind != DwarfTypeKind::base || (size != 1 && size != 2 && size != 4))
    return false;
  view.shape = LibraryView::Shape::text;
  view.character_size = static_cast<unsigned>(size);
  view.child_type = ValueType{.native = character};
  view.length = length;
  view.problem = implausible_extent(characters, length, size, environment);
  if (view.problem.empty())
    view.characters = ValueSource::in_memory(environment.memory, characters, length * size);
  return true;
}

} // namespace inspect
