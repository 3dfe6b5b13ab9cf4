#include "dwarf/die/enclosing_scopes.h"

#include "dwarf/die/die.h"

#include <algorithm>

namespace inspect {
namespace {

constexpr int max_scopes = 64;
/// Of all parents together: 32 bytes each. Beyond that, it begins again.
constexpr std::size_t max_kept = 4'000'000;

} // namespace

const std::vector<Dwarf_Die> &EnclosingScopes::children(Dwarf_Die &parent) {
  if (kept_ > max_kept) {
    children_.clear();
    kept_ = 0;
  }
  const auto [entry, is_new] = children_.try_emplace(parent.addr);
  if (is_new) {
    each_child(parent, [&](Dwarf_Die &child, std::uint64_t) {
      entry->second.push_back(child);
      return entry->second.size() < max_kept;
    });
    kept_ += entry->second.size();
  }
  return entry->second;
}

std::vector<Dwarf_Die> EnclosingScopes::around(Dwarf_Die die) {
  std::vector<Dwarf_Die> parents;
  Dwarf_Die parent;
  if (dwarf_diecu(&die, &parent, nullptr, nullptr) == nullptr)
    return parents;
  const auto offset = [](Dwarf_Die one) { return dwarf_dieoffset(&one); };
  const Dwarf_Off wanted = offset(die);
  for (int depth = 0; depth < max_scopes && offset(parent) < wanted; ++depth) {
    parents.push_back(parent);
    // The last child that does not begin behind the DIE is it, or is around it.
    const std::vector<Dwarf_Die> &all = children(parent);
    const auto behind = std::ranges::upper_bound(all, wanted, {}, offset);
    if (behind == all.begin())
      break;
    parent = *(behind - 1);
    if (offset(parent) == wanted)
      return parents;
  }
  return {};
}

} // namespace inspect
