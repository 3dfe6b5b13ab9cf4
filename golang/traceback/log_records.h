// Logs whose lines are records of named members: JSON (one object a line, or printed over several lines), key="value"
// pairs (logfmt), and columns (CSV). Which member holds the traceback is told by what the members hold, not by their
// names: every collector has names of its own.
#pragma once

#include "golang/traceback/log_text.h"

#include <optional>

namespace inspect {

/// The JSON strings that hold the traceback, one line or many in each; the records' other lines are left out, what is
/// no JSON stays. `quote` is `"`, or `'` for what Python prints.
std::optional<LogText> values_of_json(const LogText &log, char quote);
/// key="value", key=value
std::optional<LogText> values_of_pairs(const LogText &log);
/// Members on lines of their own (YAML): `key: value`, `- key: 'value'`, `key: "value"`.
std::optional<LogText> values_of_lines(const LogText &log);
/// RFC 4180: quotes are doubled inside of quotes, which may hold several lines.
std::optional<LogText> values_of_columns(const LogText &log, char separator);

} // namespace inspect
