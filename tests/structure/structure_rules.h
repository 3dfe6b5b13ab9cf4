// The rules a source file must keep so that the layers stay layers: docs/architecture.md says what they are for.
//
//     for (const Violation &found : check_source("dwarf/unwind/unwinder.cpp", text)) …
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace inspect::structure {

struct Violation {
  int line = 0; ///< 0: the file as a whole
  std::string rule;
};

/// In the order in which they may depend on each other.
std::vector<std::string_view> layer_names();

/// The rooms (folders) of a layer in the order in which they may include each other; "." is the layer's own folder.
std::vector<std::string> rooms_of(std::string_view layer);

/// `path` is relative to the root of the source tree and names layer and room; other folders have no rules.
std::vector<Violation> check_source(std::string_view path, std::string_view text);

/// The types that a header defines outside of classes. Two headers that define the same name in one namespace break the
/// one-definition rule: the linker keeps one copy of what the compiler makes of both, std::vector<T> for a start.
std::vector<std::string> defined_types(std::string_view text);

/// What the unnamed namespaces of a file define: types, constants, and functions with the types of their parameters;
/// and the aliases of the file ("Json = nlohmann::json"), which may be repeated, but not with another meaning. A unity
/// build compiles the files of a room as one (CMakeLists.txt), and two of one name would be one too many there.
std::vector<std::string> internal_names(std::string_view text);

/// The text with comments blanked out, and with the content of string literals too unless `keep_strings`. Line breaks
/// stay, so that line numbers hold.
std::string without_comments(std::string_view text, bool keep_strings);

} // namespace inspect::structure
