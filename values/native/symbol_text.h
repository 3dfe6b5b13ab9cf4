// The symbol at an address as gdb shows it behind one: "<main+4>", "<vtable for Shape+16>".
#pragma once

#include "machine/address.h"
#include "values/value_environment.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace inspect {

struct SymbolPlace {
  std::string mangled;
  std::string name; ///< demangled
  std::uint64_t offset = 0;
  bool is_function = false;
};

/// Nothing where no module has the address or no symbol covers it.
std::optional<SymbolPlace> symbol_place(RunAddress address, ValueEnvironment &environment);
/// "<name+offset>"; empty where there is no symbol.
std::string symbol_text(RunAddress address, ValueEnvironment &environment);
/// Where the variable of this mangled name is; nothing where no module has it.
std::optional<RunAddress> address_of_symbol(std::string_view mangled, ValueEnvironment &environment);

} // namespace inspect
