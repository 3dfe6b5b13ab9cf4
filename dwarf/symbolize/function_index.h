// The functions of one compilation unit by address, the calls inlined into them, and the namespaces and classes around
// a DIE. The index is one pass over the outer levels of the unit; what is inside functions and classes is read only for
// the one function, or the one class, that is asked for.
//
// libdw has no way from a DIE to its parent. The pass therefore notes where every DIE with children begins and ends:
// the parents of a DIE are those whose bytes surround it.
//
// Sources: DWARF 5 sections 3.3 (subroutines), 3.3.8 (inlining), 7.5.3 (a DIE's children follow it).
#pragma once

#include "dwarf/elf/range_table.h"

#include <cstdint>
#include <elfutils/libdw.h>
#include <optional>
#include <vector>

namespace inspect {

class FunctionIndex {
public:
  /// `root` is the unit's root DIE; of a skeleton unit, that of its split unit.
  explicit FunctionIndex(const Dwarf_Die &root);

  /// The subprogram that has the address. The functions that compilers put inside others (GCC's nested functions,
  /// methods of local classes) are looked for when no outer one has it.
  std::optional<Dwarf_Die> function_at(LinkAddress address);

  /// The range of the function's code that holds the address: a function may have several.
  std::optional<LinkRange> range_at(LinkAddress address);

  /// The unit has more DIEs than any sound one: functions may be missing.
  bool cut_short() const { return budget_ == 0 && size() > max_dies; }
  /// Of one unit: a DIE of two bytes makes a record of thirty here. The largest units known have a million.
  static constexpr std::uint64_t max_dies = std::uint64_t{16} << 20;

  /// Bytes of the unit's DIEs.
  std::uint64_t size() const;

  /// The DIEs that contain the DIE at this offset, outermost first, without the unit's root.
  std::vector<Dwarf_Die> parents(std::uint64_t die_offset);

private:
  enum class Depth : std::uint8_t { namespaces, everything };
  /// A DIE with children.
  struct Scope {
    std::uint64_t begin;
    std::uint64_t end;
    std::size_t parent; ///< no_scope: the root
    bool indexed;       ///< its children are scopes here too
  };
  static constexpr std::size_t no_scope = SIZE_MAX;

  void build(Depth depth);
  void walk(Dwarf_Die &parent, std::uint64_t parent_end, std::size_t scope, Depth depth, int level);
  void visit(Dwarf_Die &die, std::uint64_t end, std::size_t scope, Depth depth, int level);
  std::optional<Dwarf_Die> die_at(std::uint64_t offset) const;

  Dwarf_Die root_;
  bool types_ = false; ///< the unit is in .debug_types
  std::uint64_t end_ = 0;
  std::uint64_t budget_ = 0;
  bool complete_ = false;
  RangeTable<std::uint64_t> functions_;
  std::vector<Scope> scopes_; ///< ascending by begin, parents before children
};

/// The calls inlined at the address within a function, outermost first: DW_TAG_inlined_subroutine DIEs.
std::vector<Dwarf_Die> inlined_calls(Dwarf_Die function, LinkAddress address);

} // namespace inspect
