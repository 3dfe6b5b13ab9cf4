// From a variable's description to its value: where it is in this frame, and what is there. What cannot be had has its
// reason in Value::missing.
#pragma once

#include "dwarf/location/frame_context.h"
#include "dwarf/location/location.h"
#include "dwarf/names/program_names.h"
#include "dwarf/variables/frame_variables.h"
#include "values/value.h"
#include "values/value_environment.h"

namespace inspect {

/// By DWARF, of what can be set as a whole: a value that is in one register and nowhere else.
std::optional<unsigned> only_register(const Location &location);

/// Of a variable that is in scope in the frame. What a parameter was when the function was called is its value where
/// nothing else is known, and is marked as such. Go's are put together otherwise
/// (inspector/scope/go_variable_reading.h).
Value variable_value(const ScopeVariable &variable, SourceLanguage language, const FrameContext &frame,
                     ValueEnvironment &environment);

/// What a parameter was when its function was called, where the caller still knows it.
std::optional<Value> passed_value(const ScopeVariable &parameter, SourceLanguage language, const FrameContext &frame,
                                  ValueEnvironment &environment);

/// Of a global, a static, a constant. `frame`: of the thread whose thread-local variables are meant; its registers need
/// not be known.
Value global_value(const NamedDie &variable, SourceLanguage language, const FrameContext &frame,
                   ValueEnvironment &environment);

} // namespace inspect
