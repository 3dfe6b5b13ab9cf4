// All modules of a process by run-time address. What is read of a module (its symbols, its unwind tables, its lines) is
// kept with the module itself: Module::reader.
//
//     ModuleMap modules = …;                       // the inspector fills it from the process' maps
//     Stack stack = unwind(registers, memory, modules, limits);
#pragma once

#include "dwarf/module/module.h"

#include <memory>
#include <string>
#include <vector>

namespace inspect {

class ModuleMap {
public:
  void add(std::unique_ptr<Module> module);
  std::vector<Module *> modules() const; ///< ascending by address
  /// The module that has a segment there; null where none has.
  Module *find(RunAddress address) const;
  /// Sentences about files that could not be used; each is returned once.
  std::vector<std::string> take_warnings();

private:
  /// One loaded range. Ranges of different modules overlap only where headers lie; then the nearest start wins.
  struct Piece {
    RunRange range;
    RunAddress end_so_far; ///< the highest end of this and all pieces before it: where a search backwards may stop
    Module *module = nullptr;
  };
  void index_pieces();

  std::vector<std::unique_ptr<Module>> modules_; ///< ascending by address
  std::vector<Piece> pieces_;
};

} // namespace inspect
