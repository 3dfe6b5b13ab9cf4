// The registers of a frame as values: "rip", "RIP", "$eax", and the parts that code names (eax, ax, al, ah).
#pragma once

#include "dwarf/location/frame_context.h"
#include "machine/error.h"
#include "values/value.h"
#include "values/value_environment.h"

#include <string>
#include <string_view>
#include <vector>

namespace inspect {

/// not_found where there is none of that name, with near misses, and where it is not recoverable in this frame.
/// `frame` may be null: then nothing but the names is known.
Result<Value> register_value(std::string_view name, const FrameContext *frame, SourceLanguage language,
                             ValueEnvironment &environment);
/// Whether there is a register of this name; without a dollar sign, in either case.
bool is_register_name(std::string_view name);
/// All of them, for completion.
std::vector<std::string> register_value_names();

} // namespace inspect
