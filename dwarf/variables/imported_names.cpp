#include "dwarf/variables/imported_names.h"

#include "dwarf/die/die.h"
#include "dwarf/die/enclosing_scopes.h"
#include "dwarf/types/type_name.h"

#include <dwarf.h>

namespace inspect {
namespace {

constexpr unsigned max_scope_depth = 64;
constexpr std::size_t max_imports = 4096;
/// Of a unit's and its namespaces' children that are looked at.
constexpr std::size_t max_children = 1'000'000;

class ImportCollector {
public:
  explicit ImportCollector(LinkAddress address) : address_(address) {}

  void unit(Dwarf_Die function) {
    Dwarf_Die root;
    if (dwarf_diecu(&function, &root, nullptr, nullptr))
      names_space(root, {}, 0);
  }

  void block(Dwarf_Die &block, unsigned depth) {
    each_child(block, [&](Dwarf_Die &child, std::uint64_t) {
      const int tag = dwarf_tag(&child);
      if (tag == DW_TAG_lexical_block && depth < max_scope_depth && coverage(child, address_) == Coverage::inside)
        this->block(child, depth + 1);
      else
        add(child, {}, true, depth);
      return found_.size() < max_imports;
    });
  }

  std::vector<ImportedName> take() { return std::move(found_); }

private:
  void names_space(Dwarf_Die &scope, const std::string &name, unsigned depth) {
    each_child(scope, [&](Dwarf_Die &child, std::uint64_t) {
      if (dwarf_tag(&child) == DW_TAG_namespace && depth < max_scope_depth) {
        const char *inner = string_attribute(child, DW_AT_name);
        names_space(child, inner != nullptr ? name + inner + "::" : name, depth + 1);
      } else {
        add(child, name, false, 0);
      }
      return found_.size() < max_imports && ++seen_ < max_children;
    });
  }

  void add(Dwarf_Die &die, const std::string &scope, bool in_function, unsigned depth) {
    const int tag = dwarf_tag(&die);
    if (tag != DW_TAG_imported_module && tag != DW_TAG_imported_declaration)
      return;
    auto target = referred_die(die, DW_AT_import);
    if (!target)
      return;
    ImportedName one{.name = {},
                     .target = qualified_name(*target, scopes_),
                     .scope = scope,
                     .in_function = in_function,
                     .depth = depth};
    if (one.target.empty())
      return;
    if (tag == DW_TAG_imported_declaration) {
      const char *name = string_attribute(die, DW_AT_name);
      const bool is_namespace = dwarf_tag(&*target) == DW_TAG_namespace;
      one.kind = is_namespace ? ImportedName::Kind::alias : ImportedName::Kind::declaration;
      const std::size_t colons = one.target.rfind("::");
      one.name = name != nullptr ? name : one.target.substr(colons == std::string::npos ? 0 : colons + 2);
    }
    found_.push_back(std::move(one));
  }

  LinkAddress address_;
  std::vector<ImportedName> found_;
  std::size_t seen_ = 0;
  EnclosingScopes scopes_; ///< a header of the library imports hundreds of names
};

} // namespace

std::vector<ImportedName> imported_names(Dwarf_Die function, LinkAddress address) {
  ImportCollector collector(address);
  collector.unit(function);
  each_description(function, [&](Dwarf_Die &one) {
    collector.block(one, 0);
    return true;
  });
  return collector.take();
}

} // namespace inspect
