// What is known of one name of a program: what it names and which DIE says so. Names are kept with the scopes around
// them, a separator between ("ns::Class::method", in Go as the compiler has it: "net/http.Server"); a scope that its
// source may leave out (an unnamed or inline namespace, an enumeration that is not a class) has `transparent_mark` in
// front of its name.
#pragma once

#include <cstdint>
#include <string_view>

namespace inspect {

enum class NameKind : std::uint8_t {
  function,
  type,
  variable, ///< static ones: globals, C's and C++'s file-scope, class and function statics
  constant, ///< enumerators, and Go's constants
};

/// The section that a DIE's offset is into.
enum class NameSection : std::uint8_t {
  info,
  types,        ///< .debug_types
  split_info,   ///< .debug_info.dwo of the unit's split file
  split_types,  ///< .debug_types.dwo of the unit's split file
  common_info,  ///< .debug_info of the file that .gnu_debugaltlink names
  package_info, ///< of the split unit in the .dwp package: from the start of its part of .debug_info.dwo
  package_type, ///< of a type unit in the .dwp package: from the start of its part; `unit` is its signature
};

inline constexpr char transparent_mark = '\x01';

enum NameFlags : std::uint8_t {
  name_is_declaration = 1, ///< nothing of it is defined here
  name_has_code = 2,       ///< a function's out-of-line instance
  name_is_go = 4,          ///< scopes end with '.' and '/'
  name_is_bare = 8,        ///< the scopes around it are not in the name, for want of knowing them
  name_of_unit = 16,       ///< the DIE is not known, only the unit that has it somewhere
};

struct NameRecord {
  std::string_view name;
  NameKind kind = NameKind::variable;
  NameSection section = NameSection::info;
  std::uint8_t flags = 0; ///< NameFlags
  std::uint64_t die = 0;  ///< offset in the section
  std::uint64_t unit = 0; ///< of the root DIE of its unit in .debug_info; of split units, of the skeleton's
  /// Records of one name and kind with the same identity stand for the same thing.
  std::uint64_t identity = 0;
};

} // namespace inspect
