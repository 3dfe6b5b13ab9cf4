// The arguments and locals of a frame as lines, for `args`, `locals` and `bt -full`.
#pragma once

#include "commands/cli/output.h"
#include "inspector/scope/printed_variables.h"

#include <string>
#include <string_view>

namespace inspect {

/// "count = 5", with its type "count: int = 5"; escaped, with a line end. `indent` stands in front.
std::string variable_line(const Output &output, const FrameVariable &variable, bool with_type,
                          std::string_view indent = {});

} // namespace inspect
