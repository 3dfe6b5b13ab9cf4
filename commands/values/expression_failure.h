// What is said of an expression that cannot be evaluated: the error, then the text with a caret below the place it is
// about.
#pragma once

#include "commands/cli/command_spec.h"
#include "commands/cli/output.h"
#include "machine/error.h"

#include <string_view>

namespace inspect {

/// Prints; the exit status that the error leads to.
ExitStatus fail_in_expression(Output &output, const Error &error, std::string_view text);

} // namespace inspect
