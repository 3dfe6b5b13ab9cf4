// The lengths of arrays that only the running program knows: C's variable-length arrays, whose bound is an expression
// or another variable of the frame.
//
//     const TypeHandle type = with_bounds(variable.type, frame, types);   // long [4], where DWARF says long [n]
//
// Sources: DWARF 5 sections 2.19 (static and dynamic values of attributes), 5.5 (arrays), 5.13 (subranges).
#pragma once

#include "dwarf/location/frame_context.h"
#include "dwarf/types/type_reader.h"

#include <cstdint>

namespace inspect {

/// A number that an attribute gives: a constant, an expression's result, or the value of the variable that it refers
/// to. not_found where there is no such attribute or its value is optimized out; the errors of locate().
Result<std::uint64_t> attribute_number(Dwarf_Die die, unsigned attribute, const FrameContext &frame,
                                       std::optional<RunAddress> object = {});

/// The type itself, unless it is an array, behind typedefs and qualifiers, whose lengths are not all in the file and
/// can be found in the frame: then an array of those lengths, made in `types`.
TypeHandle with_bounds(const TypeHandle &type, const FrameContext &frame, TypeReader &types);

} // namespace inspect
