// Texts whose line ends and tabs were written as something else by what stored or sent them.
#pragma once

#include "golang/traceback/log_text.h"

#include <optional>

namespace inspect {

/// "\n", "\t", "\"", "\u000a", "\x0a", "\012" in lines that hold several: Go's %q, JSON, Python's repr. A quote that is
/// not escaped ends a line.
std::optional<LogText> without_backslashes(const LogText &log);
/// rsyslog's and syslog-ng's control characters: "#012", "#011", "#033".
std::optional<LogText> without_octal_marks(const LogText &log);
/// "%0A%09": of a URL or a form.
std::optional<LogText> without_percent_signs(const LogText &log);
/// The same of a form, where blanks are "+".
std::optional<LogText> without_form_encoding(const LogText &log);
/// Base64 (RFC 4648) of whole texts, on one line or broken into several.
std::optional<LogText> without_base64(const LogText &log);
/// "&lt;", "&#10;", "<br>".
std::optional<LogText> without_html(const LogText &log);
/// "=0A", "=\n": of a mail (RFC 2045, 6.7).
std::optional<LogText> without_quoted_printable(const LogText &log);
/// Signs that stand for line ends and tabs: U+240A, U+21B5, U+2028, "^J", "<LF>" …; a carriage return alone.
std::optional<LogText> without_line_end_signs(const LogText &log);

/// Undoes JSON's escapes up to a bare `quote` (0: none), from `at` on, which is set behind it.
std::string unescaped_until(std::string_view text, std::size_t &at, char quote);

} // namespace inspect
