// What a value of a standard library's type means: the text of a std::string, the elements of a Vec, what a smart
// pointer points to. A printer is a function that recognises a type by its name, checks that the members it wants are
// there with the types and sizes it expects, and only then believes them; anything else is printed as the plain
// structure that it is.
//
// To add a type: write a ViewFunction in the file of its kind, and a line in the table at the end of that file.
#pragma once

#include "values/value.h"
#include "values/value_environment.h"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace inspect {

struct LibraryChild {
  std::string name;         ///< as printed: "[0]" = 1, "get()" = 0x7ff0; empty: the value alone is printed
  std::optional<Value> key; ///< of maps
  Value value;
};

struct LibraryView {
  enum class Shape : std::uint8_t {
    text,     ///< a string: `characters`, `length` of them; behind the label where it has one (a path)
    sequence, ///< label = {1, 2, 3}, or {[0] = 1, [1] = 2} where the children have names
    map,      ///< label = {[key] = value}
    single,   ///< wraps one value, as an optional, a box, a smart pointer does: children[0], or nothing in it. A smart
              ///< pointer's is the pointer itself, "get()". Without label and name only the child is printed
    plain,    ///< only `label` says what it is ("empty", "3s")
  };
  Shape shape = Shape::plain;
  std::string label;                   ///< as gdb's printer heads it: "std::vector of length 3, capacity 4"
  std::optional<std::uint64_t> length; ///< elements or characters; nothing where it cannot be known cheaply
  bool sparse = false;                 ///< of a bitset: its children are those that are set, not all of `length`
  std::optional<std::uint64_t> capacity;
  std::optional<ValueSource> characters; ///< of a text
  unsigned character_size = 1;           ///< bytes of one: 1, 2, 4
  std::vector<LibraryChild> children;    ///< those asked for, as far as they could be read
  std::optional<ValueType> child_type;   ///< of sequences, known also when they are empty
  std::string problem; ///< not empty: it cannot be believed ("a length of 1152921504606846975: not initialised?")
};

/// Which children are wanted: of a long vector only those that are printed, or one that is indexed.
struct ChildRange {
  std::size_t first = 0;
  std::size_t count = SIZE_MAX;
};

/// Nothing where the type is none that is known, or its members are not what the library's known versions have.
using ViewFunction = std::optional<LibraryView> (*)(const Value &value, ChildRange wanted,
                                                    ValueEnvironment &environment);

struct LibraryType {
  std::string_view name; ///< the type's qualified name, up to its template arguments: "std::vector". Without inline
                         ///< namespaces of the C++ libraries (std::__cxx11::, std::__1::); no two types have the same
  ViewFunction view;
};

/// The tables. Those of C++ are for libstdc++ of GCC 5 to 15, in both of its ABIs, and libc++ 14 to 22 alike: a printer
/// asks for the members of both.
std::span<const LibraryType> cpp_string_types();
std::span<const LibraryType> cpp_sequence_types();
std::span<const LibraryType> cpp_node_types();
std::span<const LibraryType> cpp_wrapper_types();
std::span<const LibraryType> cpp_thread_types();
std::span<const LibraryType> cpp_number_types();
std::span<const LibraryType> cpp_coroutine_types();
std::span<const LibraryType> cpp_extension_types();
std::span<const LibraryType> cpp_calendar_types();
std::span<const LibraryType> rust_pointer_types();
std::span<const LibraryType> rust_sequence_types();
std::span<const LibraryType> rust_map_types();
std::span<const LibraryType> rust_wrapper_types();
std::span<const LibraryType> rust_network_types();
std::span<const LibraryType> rust_error_types();

/// As many children as one view holds at most; who wants more asks for the next ones.
constexpr std::size_t max_library_children = 65'536;
/// Appends a child unless the view is full; then false.
bool add_child(LibraryView &view, std::string name, Value value, std::optional<Value> key = std::nullopt);

LibraryView plain_view(std::string label);
LibraryView broken_view(std::string label, std::string problem);
LibraryView sequence_view(std::string label); ///< without children yet
LibraryView single_view(std::string label, std::string child_name, Value child);
LibraryView hollow_view(std::string label); ///< could wrap a value, and has none

/// Of the value itself, behind typedefs and qualifiers.
std::optional<LibraryView> library_view(const Value &value, ChildRange wanted, ValueEnvironment &environment);

} // namespace inspect
