// From an address of a process to the functions, files and lines there: what symbol tables and DWARF say of it, put
// together and remembered.
//
//     Symbolizer symbolizer(modules);
//     const Symbolized &where = symbolizer.at(stack.frames[0].lookup_address());
#pragma once

#include "dwarf/module/module_map.h"
#include "dwarf/symbolize/line_resolver.h"

#include <unordered_map>
#include <vector>

namespace inspect {

struct Symbolized {
  const Module *module = nullptr;
  std::vector<SourceFrame> frames; ///< at least one where a module was found, possibly without a function
};

class Symbolizer {
public:
  /// `modules` must outlive the object.
  explicit Symbolizer(ModuleMap &modules) : modules_(modules) {}

  /// For a return address pass it minus one byte. The answer lives until forget().
  const Symbolized &at(RunAddress address);
  /// To be called where modules came or went.
  void forget() { known_.clear(); }

private:
  ModuleMap &modules_;
  std::unordered_map<RunAddress, Symbolized> known_;
};

} // namespace inspect
