#include "dwarf/types/type_completion.h"

#include "dwarf/die/die.h"

#include <dwarf.h>
#include <string>

namespace inspect {
namespace {

constexpr int max_open_scopes = 64;
constexpr std::size_t max_dies = 4'000'000;

bool is_scope(int tag) {
  return tag == DW_TAG_namespace || tag == DW_TAG_structure_type || tag == DW_TAG_class_type ||
         tag == DW_TAG_union_type || tag == DW_TAG_module;
}

bool is_named_type(int tag) {
  return is_scope(tag) ? tag != DW_TAG_namespace && tag != DW_TAG_module : tag == DW_TAG_enumeration_type;
}

} // namespace

/// The types of one unit by their names with the scopes around them.
struct TypeCompletion::UnitTypes {
  std::unordered_map<std::string, Dwarf_Die> definitions;
  std::unordered_map<const void *, std::string> declarations;
  std::size_t budget = max_dies;

  void walk(Dwarf_Die &parent, const std::string &scope, int depth) {
    each_child(parent, [&](Dwarf_Die &child, std::uint64_t) {
      const int tag = dwarf_tag(&child);
      if (is_scope(tag) || is_named_type(tag))
        visit(child, tag, scope, depth);
      return budget > 0 && --budget > 0;
    });
  }

  void visit(Dwarf_Die &die, int tag, const std::string &scope, int depth) {
    const char *name = string_attribute(die, DW_AT_name);
    const std::string full = scope + "::" + (name ? name : "");
    if (name && is_named_type(tag)) {
      if (dwarf_hasattr(&die, DW_AT_declaration))
        declarations.emplace(die.addr, full);
      else
        definitions.emplace(full, die);
    }
    if (is_scope(tag) && depth < max_open_scopes)
      walk(die, full, depth + 1);
  }
};

TypeCompletion::TypeCompletion() = default;
TypeCompletion::~TypeCompletion() = default;

std::optional<Dwarf_Die> TypeCompletion::of(Dwarf_Die declaration) {
  if (const auto by_signature = referred_die(declaration, DW_AT_signature))
    return by_signature;
  std::unique_ptr<UnitTypes> &unit = units_[declaration.cu];
  if (!unit) {
    unit = std::make_unique<UnitTypes>();
    Dwarf_Die root;
    if (dwarf_diecu(&declaration, &root, nullptr, nullptr))
      unit->walk(root, {}, 0);
  }
  const auto name = unit->declarations.find(declaration.addr);
  if (name == unit->declarations.end())
    return std::nullopt;
  const auto found = unit->definitions.find(name->second);
  return found != unit->definitions.end() ? std::optional(found->second) : std::nullopt;
}

} // namespace inspect
