// All modules of a process by run-time address, and what each knows about an address: the front door of `dwarf/`.
//
//     ModuleMap modules = …;                       // the inspector fills it from the process' maps
//     Stack stack = unwind(registers, memory, modules, limits);
//     Symbolized where = modules.symbolize(stack.frames[0].lookup_address());
#pragma once

#include "dwarf/cfi/cfi_table.h"
#include "dwarf/module/module.h"
#include "dwarf/symbols/symbol_table.h"

#include <memory>
#include <vector>

namespace inspect {

class LineResolver; // dwarf/symbolize/line_resolver.h

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

struct Symbolized {
  const Module *module = nullptr;
  std::vector<SourceFrame> frames; ///< at least one where a module was found, possibly without a function
};

class ModuleMap {
public:
  ModuleMap();
  ~ModuleMap();
  ModuleMap(ModuleMap &&) noexcept;
  ModuleMap &operator=(ModuleMap &&) noexcept;

  void add(std::unique_ptr<Module> module);
  std::vector<Module *> modules() const; ///< ascending by address
  Module *find(RunAddress address) const;
  /// Null where no module has the address.
  CfiTable *rules(RunAddress address);
  SymbolTable *symbols(Module &module);
  LineResolver *lines(Module &module);
  /// Names, files, lines and inlined calls at an address, cached. For a return address pass it minus one byte.
  const Symbolized &symbolize(RunAddress address);
  /// Loads the unwind tables of every module, so that nothing is opened or parsed while the target is stopped.
  void warm_up();
  /// Sentences about files that could not be used; each is returned once.
  std::vector<std::string> take_warnings();

private:
  struct State;
  std::unique_ptr<State> state_;
};

} // namespace inspect
