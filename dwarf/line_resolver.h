// File, line and the chain of inlined calls at an address of one module, through libdw. Only the units that hold a
// wanted address are ever decoded; which unit that is comes from .debug_aranges, from the cached index, or from a walk
// over the units' root DIEs.
//
// Sources: DWARF 5 sections 3.1 (units), 3.3.8 (inlined calls), 6.1.2 (address ranges), 6.2 (line tables).
#pragma once

#include "dwarf/module_map.h"

namespace inspect {

class LineResolver {
public:
  explicit LineResolver(Module &module);
  ~LineResolver();
  LineResolver(const LineResolver &) = delete;
  LineResolver &operator=(const LineResolver &) = delete;

  /// Innermost first; empty where the module has no DWARF for the address. `offset` is left 0.
  std::vector<SourceFrame> at(LinkAddress address);
  /// Start of the function DIE that covers the address.
  /// All source files that the units name, sorted, for `sources`. Walks every unit's line table header.
  std::vector<std::string> files();

private:
  struct State;
  std::unique_ptr<State> state_;
};

} // namespace inspect
