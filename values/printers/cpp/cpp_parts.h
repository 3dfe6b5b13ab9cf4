// What the printers of the C++ libraries share: labels, and walks through the shapes that containers have: elements
// side by side, chained nodes, binary trees. Each walk puts the wanted children into a view, believes nothing that it
// reads, and ends: a length that cannot be, a chain that goes in a circle, a count that disagrees with what is there
// become the view's `problem`.
//
//     LibraryView view = sequence_view(… label …);
//     add_contiguous(view, {.begin = begin, .length = 3, .element = type}, wanted, object);
//
// The wording of labels is that of libstdc++'s own printers (python/libstdcxx/v6/printers.py), for libc++ too.
#pragma once

#include "values/printers/library_object.h"
#include "values/printers/library_view.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace inspect {

/// "std::vector" of every vector, "std::tr1::unordered_map": the qualified name up to its template arguments, without
/// inline namespaces.
std::string std_name(const LibraryObject &object);
/// "std::optional<std::string>" with the first type argument.
std::string std_name_with_argument(const LibraryObject &object);
/// Of an iterator that points nowhere.
LibraryView singular_iterator_view(std::string_view container);

/// "[3]"
std::string index_name(std::uint64_t index);
/// "1 element", "3 elements"
std::string element_count(std::uint64_t count);

struct Contiguous {
  RunAddress begin;
  std::uint64_t length = 0;
  TypeHandle element;
};
/// Sets length, child_type and children; without names. `around` lends language and environment.
void add_contiguous(LibraryView &view, const Contiguous &elements, ChildRange wanted, const LibraryObject &around);
/// Where a structure has pointers to begin, end and end of storage: false, and the problem is set, where these cannot
/// be of elements of this size. Sets length and capacity.
bool measure_extent(LibraryView &view, RunAddress begin, RunAddress end, RunAddress capacity_end,
                    std::uint64_t element_size);
/// Why so many elements of this size cannot begin there; empty: nothing speaks against it. The first and the last one
/// are tried to read.
std::string implausible_extent(RunAddress begin, std::uint64_t length, std::uint64_t element_size,
                               const ValueEnvironment &environment);

/// A node's element: a value, or of maps a key and a value behind it, as in a std::pair.
inline constexpr std::uint64_t unknown_offset = UINT64_MAX;

/// Bytes of a std::string of libstdc++'s that is only declared, as clang leaves the classes that a library
/// instantiates: bits/basic_string.h has had the same layout since GCC 5. 0 of any other type.
std::uint64_t declared_string_size(TypeReader &types, const TypeHandle &type);

struct NodeContent {
  std::uint64_t offset = 0; ///< from the node's start
  std::optional<TypeHandle> key;
  TypeHandle value;
  std::uint64_t value_offset = 0; ///< from the key's start; unknown_offset: the key's size is not known
  bool named = false;             ///< children are "[0]", …
};
/// The content behind a node's own `header` bytes, aligned as its type must be. With a key: as a pair of the two.
NodeContent content_behind(std::uint64_t header, const std::optional<TypeHandle> &key, const TypeHandle &value,
                           ValueEnvironment &environment);

/// Nodes of which each points to the next one by a word at `next` bytes, up to `end`.
struct Chain {
  RunAddress first;
  RunAddress end; ///< 0, or the head of a ring
  std::uint64_t next = 0;
  std::optional<std::uint64_t> previous; ///< where a node points back, which is checked
  std::optional<std::uint64_t> count;    ///< as the container has it; where it has none, the length is known only
                                         ///< when the whole chain was walked
};
void add_chain(LibraryView &view, const Chain &chain, const NodeContent &content, ChildRange wanted,
               const LibraryObject &around);

/// Red-black trees: words at these offsets of a node.
struct SearchTree {
  RunAddress first;  ///< the leftmost node
  RunAddress header; ///< what the rightmost node's successor is, the root's parent
  std::uint64_t count = 0;
  std::uint64_t left = 0;
  std::uint64_t right = 0;
  std::uint64_t parent = 0;
};
void add_tree(LibraryView &view, const SearchTree &tree, const NodeContent &content, ChildRange wanted,
              const LibraryObject &around);

/// A text: its characters' type tells their size. False where they are not characters; where the length cannot be, the
/// problem is set.
bool add_text(LibraryView &view, RunAddress characters, std::uint64_t length, const TypeHandle &character,
              const LibraryObject &around);

} // namespace inspect
