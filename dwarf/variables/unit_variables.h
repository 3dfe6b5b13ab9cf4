// The variables of one source file by name, without an index of all names: for those who know in which file of which
// library to look, where an index of the whole would take longer than the answer is worth.
//
// Source: DWARF 5 sections 3.1.1 (units), 4.1 (data objects).
#pragma once

#include "dwarf/module/module.h"
#include "dwarf/types/type_reader.h"

#include <optional>
#include <span>
#include <string_view>
#include <vector>

namespace inspect {

struct UnitVariable {
  Dwarf_Die die;
  TypeHandle type;
};

/// Those that the first unit which was compiled from a file of this name (the last part of its path) and defines one of
/// them has; in the order of `names`. All absent where the module has no debug information.
std::vector<std::optional<UnitVariable>> find_unit_variables(Module &module, std::string_view file_name,
                                                             std::span<const std::string_view> names);

} // namespace inspect
