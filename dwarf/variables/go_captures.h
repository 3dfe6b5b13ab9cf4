// What a Go closure has captured: the variables of the function around it, and where in the closure's memory each lies.
//
// Source: cmd/internal/dwarf, DW_AT_go_closure_offset (0x2907), Go 1.23 and later; older compilers do not say it.
#pragma once

#include "dwarf/symbolize/line_resolver.h"
#include "dwarf/types/type_reader.h"

#include <cstdint>
#include <string>
#include <vector>

namespace inspect {

struct GoCapture {
  std::string name;          ///< without the & of those captured by reference
  TypeHandle type;           ///< of a reference: the pointer's
  std::uint64_t offset = 0;  ///< bytes from the closure's start
  bool by_reference = false; ///< the closure holds a pointer to the variable
};

/// Of the function whose code begins there, by offset; empty where it captures nothing or its DWARF does not say.
std::vector<GoCapture> go_captures(LineResolver &lines, LinkAddress entry);

} // namespace inspect
