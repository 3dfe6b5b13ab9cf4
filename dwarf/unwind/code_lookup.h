// What the unwinder wants to know about a code address, remembered: the row that holds there, whether it is a signal
// trampoline, whether it can be a return address. A recursion asks the same of the same few addresses a million times.
#pragma once

#include "dwarf/cfi/cfi_table.h"
#include "dwarf/module/module_map.h"
#include "machine/memory_view.h"

#include <array>
#include <cstddef>
#include <span>

namespace inspect {

struct CodePlace {
  Module *module = nullptr;    ///< null: in none
  const CfiRow *row = nullptr; ///< null: no table covers it
  LoadBias bias;
  bool trampoline = false;  ///< returns from a signal handler, and no table says so
  bool starts_here = false; ///< nobody called from in front of the pc: names are to be looked up at the pc itself
};

class CodeLookup {
public:
  CodeLookup(ModuleMap &modules, const MemoryView &memory) : modules_(modules), memory_(memory) {}
  CodeLookup(const CodeLookup &) = delete;
  CodeLookup &operator=(const CodeLookup &) = delete;

  /// `exact`: the pc is about to be executed rather than returned to. A copy: the next address asked about may take its
  /// place among those remembered, and a caller asks about more while it still needs this one.
  CodePlace at(RunAddress pc, bool exact);

  /// Code bytes: from the module's file where there is one, else from the target.
  bool read(RunAddress address, std::span<std::byte> into) const;
  /// Whether instructions can be there: in an executable segment of a module, or in memory that belongs to none.
  bool may_be_code(RunAddress pc) const;
  /// Whether it is in an executable segment of a module.
  bool in_module_code(RunAddress pc) const;
  /// Whether a stack may hold it as a return address: it follows a call instruction, or is a signal trampoline.
  bool may_be_return_address(RunAddress address);
  /// Whether the code that a return address is in is where processes and threads begin, so that it has no caller.
  bool is_outermost(const CodePlace &place, RunAddress return_address) const;

private:
  struct Slot {
    RunAddress pc;
    bool exact = false;
    bool used = false;
    CodePlace place;
  };
  struct Verdict {
    RunAddress address;
    bool used = false;
    bool possible = false;
  };
  static constexpr std::size_t slots = 256;

  CodePlace find(RunAddress pc, bool exact) const;
  bool is_trampoline_at(RunAddress pc) const;
  bool follows_call(RunAddress pc) const;

  ModuleMap &modules_;
  const MemoryView &memory_;
  std::array<Slot, slots> places_{};
  std::array<Verdict, slots> verdicts_{};
};

} // namespace inspect
