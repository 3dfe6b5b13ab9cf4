#include "dwarf/raw/units/unit_names.h"

#include <algorithm>
#include <dwarf.h>

namespace inspect {
namespace {

constexpr std::size_t max_nesting = 4096;
constexpr std::size_t max_entries = 50'000'000;

bool is_class(int tag) {
  return tag == DW_TAG_class_type || tag == DW_TAG_structure_type || tag == DW_TAG_union_type ||
         tag == DW_TAG_interface_type;
}

bool is_scope(int tag) {
  return is_class(tag) || tag == DW_TAG_namespace || tag == DW_TAG_module || tag == DW_TAG_enumeration_type ||
         tag == DW_TAG_subprogram;
}

/// Their children belong to the scope around them.
bool is_see_through(int tag) {
  return tag == DW_TAG_lexical_block || tag == DW_TAG_try_block || tag == DW_TAG_catch_block ||
         tag == DW_TAG_variant_part || tag == DW_TAG_variant || tag == DW_TAG_compile_unit ||
         tag == DW_TAG_partial_unit || tag == DW_TAG_type_unit || tag == DW_TAG_common_block;
}

bool is_plain_type(int tag) {
  return tag == DW_TAG_typedef || tag == DW_TAG_base_type || tag == DW_TAG_unspecified_type ||
         tag == DW_TAG_template_alias || tag == DW_TAG_string_type;
}

class UnitWalk {
public:
  UnitWalk(RawDieReader &reader, UnitNames &unit) : reader_(reader), unit_(unit) {}

  void run(std::uint64_t position) {
    RawDie die;
    while (reader_.read(position, die) && unit_.entries.size() < max_entries) {
      if (die.tag == 0) {
        if (levels_.empty())
          return;
        levels_.pop_back();
        if (levels_.empty())
          return; // the root's children have ended
        continue;
      }
      const std::optional<std::uint32_t> scope = visit(die);
      if (!die.has_children)
        continue;
      if (!scope && die.sibling > position && die.sibling < unit_.header.end) {
        position = die.sibling;
        continue;
      }
      if (levels_.size() >= max_nesting)
        return;
      levels_.push_back(scope.value_or(ignored));
    }
  }

private:
  static constexpr std::uint32_t ignored = UINT32_MAX - 1;

  /// The scope of the DIE's children; nothing where they do not matter.
  std::optional<std::uint32_t> visit(const RawDie &die) {
    const std::uint32_t parent = levels_.empty() ? UnitNames::no_parent : levels_.back();
    if (parent == ignored)
      return std::nullopt;
    if (is_scope(die.tag))
      return add(die, parent);
    if (is_see_through(die.tag))
      return parent;
    if (is_plain_type(die.tag) || die.tag == DW_TAG_enumerator || is_variable(die, parent))
      add(die, parent);
    if (die.tag == DW_TAG_imported_module)
      see_through_import(die, parent);
    return std::nullopt;
  }

  bool is_variable(const RawDie &die, std::uint32_t parent) const {
    if (die.tag == DW_TAG_member) // a static one, before DWARF 5
      return die.is_external || die.is_declaration;
    if (die.tag != DW_TAG_variable && die.tag != DW_TAG_constant)
      return false;
    return die.is_static || !in_function(parent);
  }

  bool in_function(std::uint32_t scope) const {
    return scope < unit_.entries.size() &&
           (unit_.entries[scope].tag == DW_TAG_subprogram || unit_.entries[scope].in_function);
  }

  std::uint32_t add(const RawDie &die, std::uint32_t parent) {
    NamedEntry entry;
    entry.offset = die.offset;
    entry.name = die.name;
    entry.refers = die.refers;
    entry.signature = die.signature;
    entry.place = die.tag == DW_TAG_subprogram ? die.low_pc : die.place;
    entry.parent = parent;
    entry.line = static_cast<std::uint32_t>(die.line);
    entry.byte_size = static_cast<std::uint32_t>(die.byte_size);
    entry.tag = die.tag;
    entry.is_declaration = die.is_declaration;
    entry.has_code = die.has_code;
    entry.is_inline = die.is_inline;
    entry.is_defined = die.has_location || die.has_constant;
    entry.in_function = in_function(parent);
    entry.in_class = parent < unit_.entries.size() && is_class(unit_.entries[parent].tag);
    entry.is_transparent = (die.tag == DW_TAG_namespace && (die.exports_symbols || die.name.empty())) ||
                           (die.tag == DW_TAG_enumeration_type && !die.enum_class) ||
                           (is_class(die.tag) && die.name.empty());
    unit_.entries.push_back(entry);
    return static_cast<std::uint32_t>(unit_.entries.size() - 1);
  }

  /// How GCC before DWARF 5 says that a namespace is an inline one: the namespace around it imports it.
  void see_through_import(const RawDie &die, std::uint32_t parent) {
    if (die.import.kind != RawReference::Kind::offset)
      return;
    const NamedEntry *imported = unit_.find(die.import.value);
    if (imported != nullptr && imported->tag == DW_TAG_namespace && imported->parent == parent)
      unit_.entries[unit_.index_of(*imported)].is_transparent = true;
  }

  RawDieReader &reader_;
  UnitNames &unit_;
  std::vector<std::uint32_t> levels_; ///< the scope of each open list of children
};

} // namespace

const NamedEntry *UnitNames::find(std::uint64_t offset) const {
  const auto found = std::ranges::lower_bound(entries, offset, {}, &NamedEntry::offset);
  return found != entries.end() && found->offset == offset ? &*found : nullptr;
}

bool UnitNames::is_go() const {
  return root.language == DW_LANG_Go;
}

UnitNames read_unit_names(const DebugSections &sections, const DebugSections *common, const UnitHeader &header,
                          const AbbreviationTable &codes) {
  UnitNames unit;
  unit.header = header;
  RawDieReader reader(sections, common, header, codes);
  std::uint64_t position = 0;
  if (!reader.read_root(position, unit.root))
    return unit;
  UnitWalk(reader, unit).run(header.dies);
  unit.scopes.resize(unit.entries.size());
  return unit;
}

std::optional<RawDie> read_unit_root(const DebugSections &sections, const DebugSections *common,
                                     const UnitHeader &header, const AbbreviationTable &codes) {
  RawDieReader reader(sections, common, header, codes);
  std::uint64_t position = 0;
  RawDie root;
  return reader.read_root(position, root) ? std::optional(root) : std::nullopt;
}

} // namespace inspect
