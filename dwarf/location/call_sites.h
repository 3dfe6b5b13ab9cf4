// The calls that a function's code makes, as its debug information describes them, and the tail calls over which a
// function can have been reached: functions that left for another in their place have no frame on the stack any more.
//
// Sources: DWARF 5 section 3.4 (call site entries); GNU's form for DWARF 4 (DW_TAG_GNU_call_site): GCC's dwarf2out.cc.
#pragma once

#include "dwarf/location/frame_context.h"

#include <cstddef>
#include <cstdint>
#include <elfutils/libdw.h>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace inspect {

/// Functions that tail calls are followed through.
inline constexpr std::size_t max_tail_callees = 64;

/// Calls `visit` for each call that the function's code makes, in its blocks and in calls inlined into it too, until it
/// returns false; `blocks` chooses which blocks are looked into.
class CallSites {
public:
  CallSites(std::function<bool(Dwarf_Die &)> visit, std::function<bool(Dwarf_Die &)> blocks)
      : visit_(std::move(visit)), blocks_(std::move(blocks)) {}

  /// False where `visit` ended it, or there are too many.
  bool walk(Dwarf_Die &parent, int level = 0);

private:
  std::function<bool(Dwarf_Die &)> visit_;
  std::function<bool(Dwarf_Die &)> blocks_;
  std::size_t count_ = 0;
};

/// The call in the function that returns to the address.
std::optional<Dwarf_Die> find_call_site(Dwarf_Die function, LinkAddress return_address);
/// The function that a call names; nothing where it calls through a pointer.
std::optional<Dwarf_Die> origin_of_call(Dwarf_Die &site);
bool is_tail_call(Dwarf_Die &site);

/// As the linker knows the function, else its name.
std::string linkage_name_of(Dwarf_Die function);
bool is_external(Dwarf_Die function);
/// Where the function's code begins in the process; nothing where it has none.
std::optional<RunAddress> run_entry_of(Dwarf_Die function, Module &module);
/// The function with code that a call's origin is, where that is in the frame's module and can be found.
std::optional<Dwarf_Die> code_of_function(Dwarf_Die origin, const FrameContext &frame);
/// Whether what a call names is the function of the frame. Names say so only of functions that are the same everywhere.
bool is_function_of_frame(const Dwarf_Die &named, const Dwarf_Die &function, const FrameContext &frame);

/// The one way of tail calls from one function to another: of each the address behind the jump, in order. Nothing where
/// there is none, or several, or one that goes who knows where.
std::optional<std::vector<LinkAddress>> way_of_tail_calls(const Dwarf_Die &first, const Dwarf_Die &last,
                                                          const FrameContext &frame);

/// The functions that are missing on the stack between the frame and its caller, the innermost first: of each the
/// address behind the jump with which it left. Empty where none is, and where it cannot be told.
std::vector<RunAddress> missing_tail_callers(const FrameContext &frame);

} // namespace inspect
