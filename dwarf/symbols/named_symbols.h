// Where a few symbols of known names lie, by one pass over the symbol table as it is in the file: for those who need a
// handful of them and not the table (dwarf/symbols/symbol_table.h), which takes a tenth of a second to put in order for
// a large program.
#pragma once

#include "dwarf/module/module.h"

#include <span>
#include <string_view>
#include <vector>

namespace inspect {

/// In the order of `names`; 0 for those that neither the image nor its separate debug file has.
std::vector<LinkAddress> find_named_symbols(Module &module, std::span<const std::string_view> names);

} // namespace inspect
