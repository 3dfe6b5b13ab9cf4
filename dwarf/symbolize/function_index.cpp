#include "dwarf/symbolize/function_index.h"

#include "dwarf/die/die.h"

#include <algorithm>
#include <dwarf.h>

namespace inspect {
namespace {

/// Namespaces in classes in functions …: far more than people write, far less than the stack holds.
constexpr int max_levels = 200;
constexpr std::size_t max_ranges_of_function = 65'536;

bool is_namespace(int tag) {
  return tag == DW_TAG_namespace || tag == DW_TAG_module;
}

/// Whether the unit is a type unit of DWARF 4, in a section of its own: .debug_types.
bool in_types_section(const Dwarf_Die &root) {
  Dwarf_Die die;
  Dwarf_Half version = 0;
  Dwarf_Off type_offset = 0;
  return dwarf_cu_die(root.cu, &die, &version, nullptr, nullptr, nullptr, nullptr, &type_offset) && version < 5 &&
         type_offset != 0;
}

/// Offset at which the unit's DIEs end.
std::uint64_t unit_end(Dwarf_Die root) {
  Dwarf_Off next = 0;
  std::size_t header_size = 0;
  std::uint64_t signature = 0;
  Dwarf_Off type_offset = 0;
  const Dwarf_Off header = dwarf_dieoffset(&root) - dwarf_cuoffset(&root);
  const bool types = in_types_section(root);
  const int status = dwarf_next_unit(dwarf_cu_getdwarf(root.cu), header, &next, &header_size, nullptr, nullptr, nullptr,
                                     nullptr, types ? &signature : nullptr, types ? &type_offset : nullptr);
  return status == 0 ? next : 0;
}

} // namespace

FunctionIndex::FunctionIndex(const Dwarf_Die &root)
    : root_(root), types_(in_types_section(root)), end_(unit_end(root)) {
  build(Depth::namespaces);
}

void FunctionIndex::build(Depth depth) {
  functions_ = {};
  scopes_.clear();
  // A sound unit has fewer DIEs than bytes; circular sibling references run out of budget.
  budget_ = std::min<std::uint64_t>(size(), max_dies);
  walk(root_, end_, no_scope, depth, 0);
  complete_ = depth == Depth::everything; // not if it was cancelled
}

void FunctionIndex::walk(Dwarf_Die &parent, std::uint64_t parent_end, std::size_t scope, Depth depth, int level) {
  if (level >= max_levels)
    return;
  each_child(parent, [&](Dwarf_Die &child, std::uint64_t end) {
    if (budget_ == 0)
      return false;
    --budget_;
    visit(child, std::min(end, parent_end), scope, depth, level);
    return true;
  });
}

void FunctionIndex::visit(Dwarf_Die &die, std::uint64_t end, std::size_t scope, Depth depth, int level) {
  const int tag = dwarf_tag(&die);
  const std::uint64_t offset = dwarf_dieoffset(&die);
  if (tag == DW_TAG_subprogram)
    each_range(die, max_ranges_of_function, [&](LinkRange range) { functions_.add(range, offset); });
  if (dwarf_haschildren(&die) <= 0)
    return;
  const bool indexed = depth == Depth::everything || is_namespace(tag);
  scopes_.push_back({offset, end, scope, indexed});
  if (indexed)
    walk(die, end, scopes_.size() - 1, depth, level + 1);
}

std::uint64_t FunctionIndex::size() const {
  Dwarf_Die root = root_;
  const std::uint64_t begin = dwarf_dieoffset(&root);
  return end_ > begin ? end_ - begin : 0;
}

std::optional<Dwarf_Die> FunctionIndex::die_at(std::uint64_t offset) const {
  Dwarf_Die die;
  Dwarf *dwarf = dwarf_cu_getdwarf(root_.cu);
  const bool found = types_ ? dwarf_offdie_types(dwarf, offset, &die) : dwarf_offdie(dwarf, offset, &die);
  return found ? std::optional<Dwarf_Die>(die) : std::nullopt;
}

std::optional<Dwarf_Die> FunctionIndex::function_at(LinkAddress address) {
  std::optional<std::uint64_t> offset = functions_.at(address);
  if (!offset && !complete_) {
    build(Depth::everything);
    offset = functions_.at(address);
  }
  return offset ? die_at(*offset) : std::nullopt;
}

std::optional<LinkRange> FunctionIndex::range_at(LinkAddress address) {
  if (!function_at(address))
    return std::nullopt;
  return functions_.find(address)->range;
}

std::vector<Dwarf_Die> FunctionIndex::parents(std::uint64_t die_offset) {
  auto after = std::upper_bound(scopes_.begin(), scopes_.end(), die_offset,
                                [](std::uint64_t wanted, const Scope &scope) { return wanted <= scope.begin; });
  std::size_t index = after == scopes_.begin() ? no_scope : static_cast<std::size_t>(after - scopes_.begin()) - 1;
  while (index != no_scope && scopes_[index].end <= die_offset)
    index = scopes_[index].parent;
  std::vector<Dwarf_Die> found;
  for (std::size_t scope = index; scope != no_scope; scope = scopes_[scope].parent)
    if (const std::optional<Dwarf_Die> die = die_at(scopes_[scope].begin))
      found.insert(found.begin(), *die);
  if (index == no_scope || scopes_[index].indexed || found.empty())
    return found;
  // Inside a function or class that the index did not enter: go down to the DIE.
  Dwarf_Die inner = found.back();
  for (int level = 0; level < max_levels; ++level) {
    std::optional<Dwarf_Die> next;
    each_child(inner, [&](Dwarf_Die &child, std::uint64_t end) {
      const std::uint64_t begin = dwarf_dieoffset(&child);
      if (begin < die_offset && die_offset < end && dwarf_haschildren(&child) > 0)
        next = child;
      return end <= die_offset;
    });
    if (!next)
      break;
    found.push_back(*next);
    inner = *next;
  }
  return found;
}

namespace {

/// Appends the inlined calls below `block` that hold the address. A lexical block without addresses is looked into.
bool collect_inlined(Dwarf_Die &block, LinkAddress address, int level, std::vector<Dwarf_Die> &calls) {
  bool found = false;
  if (level >= max_levels)
    return found;
  each_child(block, [&](Dwarf_Die &child, std::uint64_t) {
    const int tag = dwarf_tag(&child);
    const bool call = tag == DW_TAG_inlined_subroutine;
    if (!call && tag != DW_TAG_lexical_block && tag != DW_TAG_try_block && tag != DW_TAG_catch_block)
      return true;
    const Coverage covers = coverage(child, address);
    if (covers == Coverage::outside || (call && covers == Coverage::unsaid))
      return true;
    if (call)
      calls.push_back(child);
    found = collect_inlined(child, address, level + 1, calls) || covers == Coverage::inside;
    return !found;
  });
  return found;
}

} // namespace

std::vector<Dwarf_Die> inlined_calls(Dwarf_Die function, LinkAddress address) {
  std::vector<Dwarf_Die> calls;
  collect_inlined(function, address, 0, calls);
  return calls;
}

} // namespace inspect
