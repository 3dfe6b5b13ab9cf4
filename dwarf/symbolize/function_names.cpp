#include "dwarf/symbolize/function_names.h"

#include "dwarf/die/die.h"
#include "dwarf/symbols/symbol_table.h"

#include <dwarf.h>

namespace inspect {
namespace {

/// The DIE's own name or that of the DIE it completes; of a class that is only a reference to a type unit, the type's.
/// A class without a name around operator() is what GCC makes of a lambda.
std::string scope_name(Dwarf_Die scope, std::string_view member) {
  std::string name;
  each_description(scope, [&](Dwarf_Die &die) {
    if (const char *text = string_attribute(die, DW_AT_name))
      name = text;
    return name.empty();
  });
  if (!name.empty())
    return name;
  if (std::optional<Dwarf_Die> type = referred_die(scope, DW_AT_signature))
    if (const char *text = string_attribute(*type, DW_AT_name))
      return text;
  if (dwarf_tag(&scope) == DW_TAG_namespace)
    return "(anonymous namespace)";
  return member == "operator()" ? "{lambda}" : "(unnamed)";
}

bool names_its_members(int tag) {
  switch (tag) {
  case DW_TAG_namespace:
  case DW_TAG_module:
  case DW_TAG_class_type:
  case DW_TAG_structure_type:
  case DW_TAG_union_type:
  case DW_TAG_enumeration_type:
  case DW_TAG_interface_type:
  case DW_TAG_subprogram:
    return true;
  default:
    return false; // lexical blocks, variants and the like
  }
}

bool in_c(Dwarf_Die &die) {
  Dwarf_Die root;
  switch (dwarf_diecu(&die, &root, nullptr, nullptr) ? dwarf_srclang(&root) : 0) {
  case DW_LANG_C:
  case DW_LANG_C89:
  case DW_LANG_C99:
  case DW_LANG_C11:
    return true;
  default:
    return false;
  }
}

} // namespace

const FunctionName &FunctionNames::of(Dwarf_Die function) {
  const auto known = by_die_.find(function.addr);
  if (known != by_die_.end())
    return known->second;
  return by_die_.emplace(function.addr, find(function)).first->second;
}

FunctionName FunctionNames::find(Dwarf_Die function) {
  FunctionName name;
  const char *plain = nullptr;
  Dwarf_Die declaration = function;
  each_description(function, [&](Dwarf_Die &die) {
    if (!plain)
      plain = string_attribute(die, DW_AT_name);
    for (const unsigned attribute : {DW_AT_linkage_name, DW_AT_MIPS_linkage_name})
      if (name.linkage.empty())
        if (const char *text = string_attribute(die, attribute))
          name.linkage = text;
    declaration = die;
    return true;
  });
  if (!name.linkage.empty())
    name.display = demangle(name.linkage);
  else if (plain)
    name.display = prefix(declaration, plain) + plain;
  return name;
}

std::string FunctionNames::prefix(Dwarf_Die &named, std::string_view name) {
  std::string prefix;
  if (in_c(named))
    return prefix; // GCC's nested functions: debuggers name them alone
  for (Dwarf_Die &parent : index_of(named).parents(dwarf_dieoffset(&named)))
    if (names_its_members(dwarf_tag(&parent)))
      prefix += scope_name(parent, name) + "::";
  return prefix;
}

FunctionIndex &FunctionNames::index_of(Dwarf_Die &die) {
  std::unique_ptr<FunctionIndex> &index = units_[die.cu];
  if (!index) {
    Dwarf_Die root;
    dwarf_diecu(&die, &root, nullptr, nullptr);
    index = std::make_unique<FunctionIndex>(root);
  }
  return *index;
}

} // namespace inspect
