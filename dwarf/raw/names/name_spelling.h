// When two spellings are the same name. Compilers, the demangler and people write template arguments in different ways
// ("Foo<unsigned long>", "Foo<long unsigned int>", "Foo<3ul>", "Foo<3>", "> >"), leave out inline and unnamed
// namespaces, and begin anywhere in the chain of scopes.
//
//     WantedName wanted("std::vector<int>", NameKind::type);
//     wanted.match("std::\1__cxx11::basic_string<char>", false)   // dwarf/raw/names/name_record.h says what \1 is
//
// Sources: Itanium C++ ABI, "Demangling"; GCC's and clang's DW_AT_name of templates; Go's linker symbol names.
#pragma once

#include "dwarf/raw/names/name_record.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace inspect {

/// The parts between "::" or, in Go, '.' and '/', those in brackets left together.
std::vector<std::string_view> name_components(std::string_view name, bool go);
/// By which a name is looked up: of its last part without template arguments.
std::uint32_t name_key(std::string_view name, bool go);
/// Without the marks of dwarf/raw/names/name_record.h.
std::string shown_name(std::string_view marked);
/// A type or a part of a name in one of its spellings: equal ones are the same.
std::string canonical_spelling(std::string_view text);

/// The better the greater.
enum class NameMatch : std::uint8_t {
  none,
  end_without_arguments, ///< as below, where only template arguments are left out
  without_arguments,
  end, ///< the name ends so
  whole,
};

class WantedName {
public:
  WantedName(std::string_view name, NameKind kind);
  WantedName(const WantedName &) = delete;
  WantedName &operator=(const WantedName &) = delete;
  NameMatch match(std::string_view marked, bool go) const;
  /// Of a name with its scopes, none of which is marked: any of them may be left out.
  NameMatch match_unmarked(std::string_view name, bool go) const { return match(name, go, true); }
  /// Of a name without its scopes: whether the last part is the same.
  NameMatch match_end(std::string_view bare, bool go) const;
  std::uint32_t key(bool go) const { return go ? go_.key : other_.key; }
  /// The same without its first part, which may name a file or a function; empty: it has only one.
  std::string_view without_first() const { return rest_; }
  std::string_view first() const { return first_; }

private:
  struct Parts {
    std::vector<std::string> written;   ///< without a function's parameters
    std::vector<std::string> canonical; ///< of each part
    std::uint32_t key = 0;
  };
  NameMatch match(std::string_view name, bool go, bool all_transparent) const;
  static Parts split(std::string_view name, NameKind kind, bool go);
  std::string name_;
  std::string_view first_, rest_;
  Parts go_, other_;
};

} // namespace inspect
