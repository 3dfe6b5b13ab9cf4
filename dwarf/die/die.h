// What several readers of DIEs need: the ranges of a DIE, and its relatives, with bounds that a crafted file
// cannot exceed. libdw has no parent pointers and no protection against references that go in circles.
//
// Sources: DWARF 5 sections 2.3 (relationship of entries), 2.17.3 (non-contiguous ranges), 3.3.8.2 (concrete
// instances).
#pragma once

#include "machine/address.h"

#include <cstddef>
#include <cstdint>
#include <elfutils/libdw.h>
#include <functional>
#include <optional>

namespace inspect {

/// Here and in each_child() a command may be cancelled (machine/cancellation_point.h).
/// Calls `visit` for each range of the DIE, at most `limit` of them; ranges that begin at address 0 are those of code
/// which the linker threw away, and are left out.
void each_range(Dwarf_Die &die, std::size_t limit, const std::function<void(LinkRange)> &visit);

enum class Coverage : std::uint8_t {
  unsaid,  ///< the DIE has no addresses
  outside, ///< it has, and the address is not among them
  inside,
};
Coverage coverage(Dwarf_Die &die, LinkAddress address);

/// The DIE that `attribute` (DW_AT_abstract_origin, DW_AT_specification, DW_AT_signature) refers to, be it in another
/// unit or another file.
std::optional<Dwarf_Die> referred_die(Dwarf_Die &die, unsigned attribute);

/// Calls `visit` for the DIE and then for those that describe it further: its abstract origin, that one's
/// specification, and so on, until `visit` returns false or a bound is reached.
void each_description(Dwarf_Die die, const std::function<bool(Dwarf_Die &)> &visit);

/// Calls `visit(child, end)` for each child in file order until it returns false. `end` is the offset where the child's
/// own descendants end at the latest.
void each_child(Dwarf_Die &parent, const std::function<bool(Dwarf_Die &, std::uint64_t)> &visit);

/// Whether other units see the variable or function by its name (DW_AT_external).
bool has_external_linkage(const Dwarf_Die &die);
/// Whether a flag is there and set.
bool has_flag_attribute(Dwarf_Die &die, unsigned attribute);
std::optional<std::uint64_t> unsigned_attribute(Dwarf_Die &die, unsigned attribute);
/// Null where it has none.
const char *string_attribute(Dwarf_Die &die, unsigned attribute);

} // namespace inspect
