// The DIEs around a DIE. DWARF has no way up, and clang does not write where the next sibling is, so that each search
// from the unit down reads all that stands before: a hundred types of one large unit would be a hundred walks over it.
// What was passed on the way down is kept.
//
//     EnclosingScopes scopes;                       // as long as the Dwarf that the DIEs are of
//     for (Dwarf_Die scope : scopes.around(die)) …  // from the unit to its parent
#pragma once

#include <cstddef>
#include <elfutils/libdw.h>
#include <unordered_map>
#include <vector>

namespace inspect {

class EnclosingScopes {
public:
  /// Empty where the DIE cannot be found again in its unit.
  std::vector<Dwarf_Die> around(Dwarf_Die die);

private:
  const std::vector<Dwarf_Die> &children(Dwarf_Die &parent);

  std::unordered_map<const void *, std::vector<Dwarf_Die>> children_; ///< by their parent's address, in file order
  std::size_t kept_ = 0;
};

} // namespace inspect
