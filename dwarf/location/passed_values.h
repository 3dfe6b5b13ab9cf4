// What a frame's caller passed to it, as far as the caller's DWARF tells and the caller still knows: the description of
// the call that led here, found by its return address. That the caller called this function, and not another which
// ended in a tail call to it, is verified first; what cannot be verified is not believed. Where it called another, and
// there is one way of tail calls from that one to this function, they are asked in its place.
//
// Sources: DWARF 5 section 3.4 (call site entries); GNU's form for DWARF 4 (DW_TAG_GNU_call_site): GCC's dwarf2out.cc.
#pragma once

#include "dwarf/expression/typed_stack_value.h"
#include "dwarf/location/frame_context.h"
#include "dwarf/location/location_machine.h"

#include <cstdint>
#include <elfutils/libdw.h>

namespace inspect {

/// Where a function finds one parameter when it is entered.
struct PassedPlace {
  enum class Kind : std::uint8_t {
    in_register,
    on_stack,  ///< above the return address
    parameter, ///< nowhere: the function has a parameter that its callers need not pass
  };
  Kind kind = Kind::in_register;
  std::uint64_t number = 0;      ///< of in_register: by DWARF
  std::int64_t stack_offset = 0; ///< of on_stack: bytes from the CFA
  Dwarf_Die parameter{};         ///< of parameter: its DIE, or the one that it is an instance of
  bool pointed_to = false;       ///< wanted is not what was passed, but what it pointed to then
};

/// The value that the frame's function was entered with. not_found: the caller does not know it any more, or may not
/// have called this function; the errors of the evaluation in the caller.
Result<StackValue> passed_value(const PassedPlace &place, const FrameContext &frame, EvaluationBudget &budget);

} // namespace inspect
