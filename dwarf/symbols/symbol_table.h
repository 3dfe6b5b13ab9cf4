// The symbols of one module as one sorted array: .symtab (of the image or its debug file), .dynsym and MiniDebugInfo
// merged, and names for the entries of the PLT ("write@plt"). A look-up is a binary search.
//
// Sources: System V gABI, "Symbol Table"; MiniDebugInfo in the gdb manual.
#pragma once

#include "dwarf/module/module.h"

#include <cstdint>
#include <functional>
#include <optional>
#include <string_view>

namespace inspect {

struct Symbol {
  std::string_view name; ///< as in the file (mangled); lives as long as the table
  LinkAddress address;
  std::uint64_t size = 0; ///< 0: the file does not say; it is then taken to reach to the next symbol of its section,
                          ///< but where only exported symbols are known, for its first byte only
  bool is_function = false;
  bool is_plt = false; ///< to be shown as name@plt
};

class SymbolTable {
public:
  explicit SymbolTable(Module &module);
  ~SymbolTable();
  SymbolTable(const SymbolTable &) = delete;
  SymbolTable &operator=(const SymbolTable &) = delete;

  /// The symbol that covers the address. Of several at one address the one people know: not local, fewer leading
  /// underscores, global before weak, sized before unsized. Never one whose size ends before the address.
  std::optional<Symbol> at(LinkAddress address);
  /// First symbol of exactly this (mangled) name.
  std::optional<Symbol> by_name(std::string_view name);
  /// Every symbol, ascending by address, until `visit` returns false.
  void each(const std::function<bool(const Symbol &)> &visit);

private:
  struct State;
  std::unique_ptr<State> state_;
};

/// "ns::f(int)" from "_ZN2ns1fEi"; Rust's v0 and legacy names (without the hash); the text itself where it is no
/// mangled name.
std::string demangle(std::string_view name);

/// The module's own, kept with it.
SymbolTable &symbols_of(Module &module);

} // namespace inspect
