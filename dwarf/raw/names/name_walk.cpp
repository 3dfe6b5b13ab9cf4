#include "dwarf/raw/names/name_walk.h"

#include <algorithm>
#include <dwarf.h>

namespace inspect {
namespace {

/// References that lead to references, and scopes in scopes: a few in what compilers write.
constexpr int max_nesting = 100;
constexpr std::size_t max_name_length = 64 << 10;
/// Units kept because others may refer to them.
constexpr std::size_t max_loaded_units = 64;
constexpr std::size_t max_code_tables = 256;

} // namespace

bool is_type_tag(std::uint64_t tag) {
  switch (tag) {
  case DW_TAG_class_type:
  case DW_TAG_structure_type:
  case DW_TAG_union_type:
  case DW_TAG_interface_type:
  case DW_TAG_enumeration_type:
  case DW_TAG_typedef:
  case DW_TAG_base_type:
  case DW_TAG_unspecified_type:
  case DW_TAG_template_alias:
  case DW_TAG_string_type:
    return true;
  default:
    return false;
  }
}

namespace {

std::optional<NameKind> kind_of(int tag) {
  if (is_type_tag(static_cast<std::uint64_t>(tag)))
    return NameKind::type;
  switch (tag) {
  case DW_TAG_subprogram:
    return NameKind::function;
  case DW_TAG_variable:
  case DW_TAG_member:
    return NameKind::variable;
  case DW_TAG_enumerator:
  case DW_TAG_constant:
    return NameKind::constant;
  default:
    return std::nullopt;
  }
}

} // namespace

NameWalk::NameWalk(const DebugSections &sections, const DebugSections *common, const Cancellation *cancellation)
    : sections_(sections), common_(common), cancellation_(cancellation), headers_(unit_headers(sections)) {
  first_in_types_ = static_cast<std::size_t>(
      std::ranges::find_if(headers_, [](const UnitHeader &unit) { return unit.in_types; }) - headers_.begin());
  for (std::size_t index = 0; index < headers_.size(); ++index)
    if (headers_[index].is_type_unit())
      by_signature_.emplace(headers_[index].signature, index);
  if (common) {
    common_walk_ = std::make_unique<NameWalk>(*common, nullptr, cancellation);
    common_walk_->place_in(NameSection::common_info);
  }
}

NameWalk::~NameWalk() = default;

const AbbreviationTable &NameWalk::codes(std::uint64_t offset) {
  if (codes_.size() >= max_code_tables)
    codes_.clear();
  std::unique_ptr<AbbreviationTable> &table = codes_[offset];
  if (!table)
    table = std::make_unique<AbbreviationTable>(sections_.abbreviations, offset);
  return *table;
}

std::optional<RawDie> NameWalk::root(const UnitHeader &unit) {
  return read_unit_root(sections_, common_, unit, codes(unit.abbreviations));
}

std::shared_ptr<UnitNames> NameWalk::load(std::size_t header_index) {
  if (const auto known = loaded_.find(header_index); known != loaded_.end())
    return known->second;
  if (loaded_.size() >= max_loaded_units)
    loaded_.clear();
  const UnitHeader &header = headers_[header_index];
  auto unit = std::make_shared<UnitNames>(read_unit_names(sections_, common_, header, codes(header.abbreviations)));
  loaded_.emplace(header_index, unit);
  return unit;
}

std::optional<std::size_t> NameWalk::unit_with(std::uint64_t offset, bool in_types) const {
  const auto split = headers_.begin() + static_cast<std::ptrdiff_t>(first_in_types_);
  const auto first = in_types ? split : headers_.begin();
  const auto last = in_types ? headers_.end() : split;
  const auto after = std::upper_bound(
      first, last, offset, [](std::uint64_t wanted, const UnitHeader &unit) { return wanted < unit.offset; });
  if (after == first || offset >= std::prev(after)->end)
    return std::nullopt;
  return static_cast<std::size_t>(std::prev(after) - headers_.begin());
}

std::optional<NameWalk::Place> NameWalk::follow(const RawReference &reference, bool in_types) {
  std::optional<std::size_t> index;
  std::uint64_t offset = reference.value;
  switch (reference.kind) {
  case RawReference::Kind::none:
    return std::nullopt;
  case RawReference::Kind::common:
    return common_walk_ ? common_walk_->follow({RawReference::Kind::offset, offset}, false) : std::nullopt;
  case RawReference::Kind::signature:
    if (const auto found = by_signature_.find(offset); found != by_signature_.end()) {
      index = found->second;
      offset = headers_[*index].type_offset;
    }
    break;
  case RawReference::Kind::offset:
    index = unit_with(offset, in_types);
    break;
  }
  if (!index)
    return std::nullopt;
  std::shared_ptr<UnitNames> unit = load(*index);
  const NamedEntry *entry = unit->find(offset);
  if (entry == nullptr)
    return std::nullopt;
  const std::uint32_t place = unit->index_of(*entry);
  return Place{this, std::move(unit), place};
}

/// Of a DIE that is not an entry: the abstract instance of a function's static variable.
std::optional<std::string> NameWalk::name_at(const RawReference &reference, bool in_types) {
  if (reference.kind == RawReference::Kind::common && common_walk_)
    return common_walk_->name_at({RawReference::Kind::offset, reference.value}, false);
  const auto index = reference.kind == RawReference::Kind::offset ? unit_with(reference.value, in_types) : std::nullopt;
  if (!index)
    return std::nullopt;
  const UnitHeader &header = headers_[*index];
  RawDieReader reader(sections_, common_, header, codes(header.abbreviations));
  std::uint64_t position = 0;
  RawDie die;
  if (!reader.read_root(position, die))
    return std::nullopt;
  position = reference.value;
  if (!reader.read(position, die) || die.name.empty())
    return std::nullopt;
  return std::string(die.name);
}

std::string NameWalk::type_name(const RawReference &signature) {
  if (signature.kind != RawReference::Kind::signature)
    return {};
  if (const auto type = follow(signature, false))
    return std::string(type->entry().name);
  const auto known = type_names_ ? type_names_->find(signature.value) : TypeNames::const_iterator();
  return type_names_ && known != type_names_->end() ? known->second : std::string();
}

void NameWalk::collect_types(TypeNames &names) {
  for (const auto &[signature, header] : by_signature_)
    if (const auto type = follow({RawReference::Kind::signature, signature}, false))
      names.emplace(signature, type->entry().name);
}

NameWalk::Description NameWalk::describe(const Place &place, int depth) {
  Description description;
  Place here = place;
  while (depth++ < max_nesting) {
    const NamedEntry &entry = here.entry();
    if (description.name.empty())
      description.name = entry.name;
    if (entry.line != 0)
      description.line = entry.line;
    description.in_class |= entry.in_class;
    description.is_inline |= entry.is_inline;
    const bool in_types = here.unit->header.in_types;
    std::optional<Place> next = here.walk->follow(entry.refers, in_types);
    if (!next) {
      if (description.name.empty() && entry.refers.kind != RawReference::Kind::none)
        description.name = here.walk->name_at(entry.refers, in_types).value_or("");
      break;
    }
    here = std::move(*next);
  }
  if (const RawReference signature = here.entry().signature; description.name.empty())
    description.name = here.walk->type_name(signature);
  description.declared = std::move(here);
  return description;
}

/// With its separator; empty where it has no name and its members count as those of what is around it.
std::string NameWalk::own_scope_name(const Place &place, std::string_view member, int depth) {
  const NamedEntry &entry = place.entry();
  const std::string name = describe(place, depth).name;
  std::string text;
  if (entry.is_transparent && (entry.tag != DW_TAG_enumeration_type || !name.empty()))
    text += transparent_mark;
  if (!name.empty())
    return text + name + "::";
  switch (entry.tag) {
  case DW_TAG_namespace:
    return text + "(anonymous namespace)::";
  case DW_TAG_enumeration_type:
    return {};
  default:
    return member == "operator()" ? "{lambda}::" : text + "(unnamed)::";
  }
}

/// "ns::Class::" of what `scope`, an entry of the place's unit, contains.
std::string NameWalk::scope_of(const Place &place, std::uint32_t scope, std::string_view member, int depth) {
  if (scope >= place.unit->entries.size() || depth >= max_nesting)
    return {};
  std::optional<std::string> &kept = place.unit->scopes[scope];
  const bool keepable = !place.unit->entries[scope].name.empty();
  if (kept && keepable)
    return *kept;
  const Place around{place.walk, place.unit, scope};
  const std::string own = own_scope_name(around, member, depth + 1);
  const Description description = describe(around, depth + 1);
  const Place &declared = description.declared;
  std::string text = declared.walk->scope_of(declared, declared.entry().parent, description.name, depth + 1) + own;
  if (text.size() > max_name_length)
    text.clear();
  if (keepable)
    kept = text;
  return text;
}

NameSection NameWalk::section_of(const UnitHeader &unit) const {
  if (!unit.in_types)
    return section_;
  return section_ == NameSection::info         ? NameSection::types
         : section_ == NameSection::split_info ? NameSection::split_types
                                               : section_;
}

void NameWalk::emit(const Place &place, const NameVisitor &visit) {
  const NamedEntry &entry = place.entry();
  const std::optional<NameKind> kind = kind_of(entry.tag);
  const bool is_reference_to_type_unit = *kind == NameKind::type && entry.signature.kind != RawReference::Kind::none;
  if (is_reference_to_type_unit)
    return;
  const Description description = describe(place, 0);
  if (description.name.empty() || description.name.size() > max_name_length)
    return;
  NameRecord record;
  record.kind = *kind;
  record.section = section_of(place.unit->header);
  record.die = entry.offset;
  record.unit = unit_.value_or(place.unit->header.dies);
  record.identity =
      (static_cast<std::uint64_t>(entry.tag) << 56) ^ (static_cast<std::uint64_t>(description.line) << 32);
  bool declaration = entry.is_declaration;
  switch (*kind) {
  case NameKind::type:
    record.identity ^= entry.byte_size;
    break;
  case NameKind::function:
    declaration = entry.is_declaration && !entry.has_code && !description.is_inline;
    if (declaration && description.in_class)
      return;
    if (entry.has_code)
      record.flags |= name_has_code;
    break;
  case NameKind::variable:
    declaration = entry.is_declaration || !entry.is_defined;
    record.identity = entry.is_defined && !declaration ? entry.place : 0;
    break;
  case NameKind::constant:
    record.identity = entry.parent < place.unit->entries.size()
                          ? (static_cast<std::uint64_t>(place.unit->entries[entry.parent].line) << 32) ^
                                place.unit->entries[entry.parent].byte_size
                          : 0;
    declaration = false;
    break;
  }
  if (declaration)
    record.flags |= name_is_declaration;
  if (place.unit->is_go())
    record.flags |= name_is_go;
  const Place &declared = description.declared;
  const std::string full =
      declared.walk->scope_of(declared, declared.entry().parent, description.name, 0) + description.name;
  record.name = full;
  visit(record);
}

void NameWalk::unit(const UnitHeader &unit, const NameVisitor &visit) {
  const auto index = unit_with(unit.offset, unit.in_types);
  if (!index)
    return;
  const std::shared_ptr<UnitNames> names = load(*index);
  for (std::uint32_t entry = 0; entry < names->entries.size(); ++entry)
    if (kind_of(names->entries[entry].tag))
      emit({this, names, entry}, visit);
}

bool NameWalk::all(const NameVisitor &visit) {
  for (const UnitHeader &header : headers_) {
    if (cancellation_ && cancellation_->requested())
      return false;
    unit(header, visit);
  }
  return true;
}

} // namespace inspect
