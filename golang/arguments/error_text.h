// What an error's Error() would say, for the error types of the standard library and a few that nearly every program
// links: read from their fields, nothing is run.
#pragma once

#include "golang/arguments/word_values.h"
#include "machine/value_source.h"

#include <optional>
#include <string>

namespace inspect {

/// Of a value of `type`, or of a pointer to one; nothing where the type is not known or its text not readable.
std::optional<std::string> error_text(const GoType &type, const ValueSource &source, const ValueContext &context);

} // namespace inspect
