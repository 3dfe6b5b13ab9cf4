// File, line and the chain of inlined calls at an address of one module: it puts together what
// dwarf/symbolize/line_table.h, dwarf/symbolize/function_index.h and dwarf/symbolize/function_names.h say of one unit.
// Only the units that hold a wanted address are ever decoded; which unit that is comes from
// dwarf/unit_index/unit_ranges.h (.debug_aranges, the cached index, or a walk over the units' root DIEs).
//
// Sources: DWARF 5 sections 3.1 (units), 3.3.8 (inlined calls), 6.1.2 (address ranges), 6.2 (line tables).
#pragma once

#include "dwarf/module/module.h"
#include "dwarf/unit_index/unit_ranges.h"
#include "machine/cancellation.h"

namespace inspect {

/// One function at an address: several where calls were inlined, innermost first.
struct SourceFrame {
  std::string function;     ///< demangled; empty: unknown
  std::string linkage_name; ///< as in the symbol table; empty where only a DIE named it
  std::uint64_t offset = 0; ///< bytes from the function's start; meaningful on the outermost of an inlined chain only
  std::string file;         ///< empty: unknown
  int line = 0;             ///< 0: unknown
  int column = 0;           ///< 0: unknown
  bool inlined = false;     ///< this function's code was inlined into the next frame's
};

class LineResolver {
public:
  explicit LineResolver(Module &module);
  /// On DWARF that belongs to no module. `dwarf` must outlive this object and may be null.
  explicit LineResolver(Dwarf *dwarf, UnitRangeProvider provider = {});
  ~LineResolver();
  LineResolver(const LineResolver &) = delete;
  LineResolver &operator=(const LineResolver &) = delete;

  /// Innermost first; empty where the module has no DWARF for the address. `offset` is left 0.
  std::vector<SourceFrame> at(LinkAddress address);
  /// The piece of the function's code, as its DIE gives it, that holds the address.
  std::optional<LinkRange> function_range(LinkAddress address);
  /// The DIE of the function, not of one inlined into it, whose code has the address.
  std::optional<Dwarf_Die> function_at(LinkAddress address);
  /// The same, with the calls inlined there before it, innermost first: DIEs of the functions that at() names.
  std::vector<Dwarf_Die> functions_at(LinkAddress address);
  /// An address of the module as its debug information has it (Module::debug_offset).
  LinkAddress in_debug_info(LinkAddress address) const;
  /// All source files that the units name, sorted, for `sources`. Walks every unit's line table header, which takes
  /// long in large files: what was found so far when `cancellation` asks for it.
  std::vector<std::string> files(const Cancellation *cancellation = nullptr);

private:
  struct State;
  std::unique_ptr<State> state_;
};

/// The module's own, kept with it.
LineResolver &lines_of(Module &module);

} // namespace inspect
