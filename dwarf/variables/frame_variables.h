// The variables that are in scope at a pc: of the function there and of each one inlined into it, arguments before
// locals, the innermost block's last. What a file-scope or global name means comes from dwarf/names/program_names.h.
//
//     for (const FunctionScope &scope : function_scopes(lines_of(module), bias.to_link(lookup)))
//       for (const ScopeVariable &variable : scope.variables) … locate(variable.die, frame) …
//
// Sources: DWARF 5 sections 3.3.8 (inlined calls), 3.5 (lexical blocks), 4.1 (variables).
#pragma once

#include "dwarf/symbolize/line_resolver.h"
#include "dwarf/types/type_reader.h"

#include <cstdint>
#include <elfutils/libdw.h>
#include <string>
#include <vector>

namespace inspect {

struct ScopeVariable {
  std::string name; ///< as in the source; Go: escaped ones without the & ("x" of "&x"), then `escaped` is set
  TypeHandle type;
  Dwarf_Die die; ///< the instance with the location
  bool is_parameter = false;
  bool is_result = false;     ///< Go: DW_AT_variable_parameter
  bool is_artificial = false; ///< `this`, VLA bounds, …
  bool is_static = false;     ///< lives as long as the program
  bool escaped = false;       ///< Go moved it to the heap: the location holds a pointer to it
  bool shadowed = false;      ///< an inner block of the same function has one of its name
  unsigned depth = 0;         ///< of lexical blocks: 0 is the function itself
  int line = 0;               ///< of its declaration; 0: unknown
};

/// One function at the address, be it real or inlined.
struct FunctionScope {
  Dwarf_Die function;         ///< the subprogram or the inlined_subroutine
  std::uint64_t language = 0; ///< DW_LANG_… of its unit
  bool inlined = false;
  std::vector<ScopeVariable> variables; ///< parameters in order, then locals from the outermost block to the innermost
};

/// Innermost first: as many as the SourceFrames that LineResolver::at gives for the address, and in the same order.
/// Empty where the module has no DWARF for it.
std::vector<FunctionScope> function_scopes(LineResolver &lines, LinkAddress address);

} // namespace inspect
