// What a function DIE is called: the demangled linkage name where the DIE or one that it refers to has one, else its
// name with the namespaces, classes and functions around its declaration: "ns::Class::method".
//
// Sources: DWARF 5 sections 2.15 (names), 2.22 (linkage names), 3.3.8.2 (abstract origins), 3.1.1 (partial units).
#pragma once

#include "dwarf/symbolize/function_index.h"

#include <elfutils/libdw.h>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>

namespace inspect {

struct FunctionName {
  std::string display; ///< empty: the DIE has no name
  std::string linkage; ///< mangled; empty where there is none
};

class FunctionNames {
public:
  /// Kept by DIE: the reference lives as long as this object.
  const FunctionName &of(Dwarf_Die function);

private:
  FunctionName find(Dwarf_Die function);
  /// "ns::Class::" of the function `name` that `named` declares.
  std::string prefix(Dwarf_Die &named, std::string_view name);
  FunctionIndex &index_of(Dwarf_Die &die);

  std::unordered_map<void *, FunctionName> by_die_;
  /// Units that declare what others refer to; a unit here is not necessarily one that has code.
  std::unordered_map<Dwarf_CU *, std::unique_ptr<FunctionIndex>> units_;
};

} // namespace inspect
