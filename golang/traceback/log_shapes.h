// Logs whose lines are those of the traceback, but reversed, broken at a width, cut into parts, run together, mixed
// with another's, or with something behind each.
#pragma once

#include "golang/traceback/log_text.h"

#include <optional>

namespace inspect {

/// The last line first: of consoles that show the newest on top.
std::optional<LogText> reversed_lines(const LogText &log);
/// Without what stands behind every line ("   - ", "|", "\"}"); numbers in it may differ.
std::optional<LogText> without_suffix(const LogText &log);
/// Without what begins, or ends, nearly all lines: of stacks without a goroutine's header, which would tell it.
std::optional<LogText> without_common_prefix(const LogText &log);
std::optional<LogText> without_common_suffix(const LogText &log);
/// Without the empty line behind every line.
std::optional<LogText> without_blank_lines(const LogText &log);
/// Lines that are exactly as long as the longest go on in the next one.
std::optional<LogText> joined_at_width(const LogText &log);
/// The same where each has the prefix of the header's line.
std::optional<LogText> joined_at_width_behind_prefix(const LogText &log);
/// Lines that cannot be at their end (an open bracket, half a position) go on in the next one.
std::optional<LogText> joined_where_open(const LogText &log);
/// The parts (P) of long lines in the files of a container runtime (CRI); the last one is marked F.
std::optional<LogText> joined_parts(const LogText &log);
/// A traceback whose line ends became blanks.
std::optional<LogText> split_at_blanks(const LogText &log);
/// A traceback whose line ends became another sign, the same for all: " | ", "; ".
std::optional<LogText> split_at_signs(const LogText &log);
/// Each line once, where a log has every one twice.
std::optional<LogText> without_repeats(const LogText &log);
/// Lines of several writers that are mixed, sorted by writer: their prefixes differ in more than numbers.
std::optional<LogText> sorted_by_writer(const LogText &log);

} // namespace inspect
