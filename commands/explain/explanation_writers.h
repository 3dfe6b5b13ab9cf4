// What `inspect explain` prints: a summary for a tired person, then the goroutines; and the same for programs
// (docs/json.md). Target text is escaped here.
#pragma once

#include "commands/cli/output.h"
#include "inspector/explain/explanation.h"

#include <string_view>

namespace inspect {

/// `source` is the name of the text: a file, or "standard input".
void write_explanation_text(Output &output, const Explanation &explanation, std::string_view source);
/// One object, inspect.explain/1.
void write_explanation_json(Output &output, const Explanation &explanation, std::string_view source,
                            std::string_view executable);

} // namespace inspect
