// What a function takes and gives, as its DIE says: parameters in their order, with names and types, also of functions
// whose description is elsewhere (an abstract instance, a declaration in a class).
//
//     if (const auto signature = function_signature(lines_of(module), bias.to_link(pc)))
//       for (const FunctionParameter &parameter : signature->parameters) … types.read(parameter.type) …
//
// Sources: DWARF 5 sections 3.3.1 to 3.3.4, 3.3.8 (out-of-line instances), 4.1 (formal parameters).
#pragma once

#include "dwarf/symbolize/line_resolver.h"
#include "dwarf/types/type_reader.h"

#include <string>
#include <vector>

namespace inspect {

struct FunctionParameter {
  std::string name; ///< empty: none
  TypeHandle type;
  bool is_result = false;       ///< Go: DW_AT_variable_parameter
  bool is_artificial = false;   ///< `this`
  std::optional<Dwarf_Die> die; ///< with the location, where this instance of the function has one
  /// Bytes from the frame base, upwards, to where the caller put it: of the first location that says so. Go's frame
  /// base is the CFA, where the argument area begins.
  std::optional<std::int64_t> frame_offset;
};

struct FunctionSignature {
  std::string name;     ///< as the DIE has it, without scopes; Go: with its package
  std::string producer; ///< of its unit: "Go cmd/compile go1.22.1; regabi"
  TypeHandle returned;  ///< without a DIE: nothing
  std::vector<FunctionParameter> parameters;
  Dwarf_Die die;
};

/// Of the function whose code has the address: the physical one, not one inlined into it.
std::optional<FunctionSignature> function_signature(LineResolver &lines, LinkAddress address);
/// Of a DIE of a subprogram or of an inlined call.
FunctionSignature function_signature(Dwarf_Die function);

} // namespace inspect
