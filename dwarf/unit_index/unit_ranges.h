// Which compilation unit holds an address. Answered from .debug_aranges where it names the address; since clang, rustc
// and assemblers leave their units out of it, an address it does not name makes us read the ranges of every unit's root
// DIE, once: from the cached index if the caller has one, else by a walk that touches one DIE per unit.
//
//     UnitRanges units(dwarf, [&] { return index.unit_ranges(); });
//     std::optional<std::uint64_t> unit = units.unit_at(address);   // offset for dwarf_offdie
//
// Sources: DWARF 5 sections 2.17 (code addresses and ranges), 3.1 (unit entries), 6.1.2 (look-up by address).
#pragma once

#include "machine/address.h"

#include <cstddef>
#include <cstdint>
#include <elfutils/libdw.h>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

namespace inspect {

/// Code of one unit. A unit has as many of them as it has separate pieces of code.
struct UnitRange {
  LinkRange range;
  /// Offset in .debug_info of the unit's root DIE (not of the unit's header): what dwarf_offdie takes and
  /// dwarf_dieoffset gives. Of a split unit it is the skeleton's.
  std::uint64_t unit_offset = 0;

  friend constexpr auto operator<=>(const UnitRange &, const UnitRange &) = default;
};

/// Ranges of all units of one file from elsewhere (the cached index); nothing where it has none. Order and overlaps do
/// not matter. It is asked at most once, and only for an address that .debug_aranges does not name in a file where it
/// does not name every unit.
using UnitRangeProvider = std::function<std::optional<std::vector<UnitRange>>()>;

class UnitRanges {
public:
  /// A walk is preferred to the provider where .debug_info is smaller than this: it costs less than opening an index.
  static constexpr std::uint64_t large_debug_info = 32 << 20;

  /// `dwarf` must outlive this object.
  /// `large`: from which size of .debug_info on the provider is asked.
  explicit UnitRanges(Dwarf *dwarf, UnitRangeProvider provider = {}, std::uint64_t large = large_debug_info);
  ~UnitRanges();
  UnitRanges(const UnitRanges &) = delete;
  UnitRanges &operator=(const UnitRanges &) = delete;

  /// Offset of the root DIE of the unit whose code the address is. Where several claim it, the shortest range wins.
  std::optional<std::uint64_t> unit_at(LinkAddress address);

private:
  struct State;
  std::unique_ptr<State> state_;
};

} // namespace inspect
