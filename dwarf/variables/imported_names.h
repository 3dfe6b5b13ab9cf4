// What C++'s using-directives, using-declarations and namespace aliases make of names where a function stands: names of
// other scopes that are visible there as if they were its own.
//
//     for (const ImportedName &one : imported_names(function, address)) …
//
// Sources: DWARF 5 sections 3.2.3 (imported declarations), 3.2.4 (imported modules); C++23 [namespace.udir],
// [namespace.udecl], [namespace.alias].
#pragma once

#include "machine/address.h"

#include <cstdint>
#include <elfutils/libdw.h>
#include <string>
#include <vector>

namespace inspect {

struct ImportedName {
  enum class Kind : std::uint8_t {
    directive,   ///< using namespace N: all names of `target`
    declaration, ///< using N::x: `name` stands for `target`
    alias,       ///< namespace Q = N: `name` stands for `target`
  };
  Kind kind = Kind::directive;
  std::string name;
  std::string target;       ///< qualified: "N", "N::x"
  std::string scope;        ///< of the namespace that it stands in, with the separator: "N::"; empty: of none
  bool in_function = false; ///< it stands in the function, and `scope` means nothing
  unsigned depth = 0;       ///< of lexical blocks, in the function: 0 is the function itself
};

/// Of the function's blocks that hold the address, innermost last, and of all namespaces of its unit.
std::vector<ImportedName> imported_names(Dwarf_Die function, LinkAddress address);

} // namespace inspect
