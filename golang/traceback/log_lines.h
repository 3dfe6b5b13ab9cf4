// A crash text as it lies in logs: cut into lines, freed from Windows line ends and terminals' colours, and from what a
// logger puts in front of each line. What wraps lines in more than a prefix is taken off before
// (golang/traceback/log_carriers.h).
//
//     LogLines lines(log);
//     while (auto line = lines.next()) … line->text …
#pragma once

#include "golang/traceback/log_text.h"

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace inspect {

struct LogLine {
  std::string_view text;  ///< without line end; lives until the next call of LogLines::next
  std::size_t number = 0; ///< 1-based, in the input
  std::size_t index = 0;  ///< 0-based, in what was left of the input
  bool last = false;      ///< the input ends with it
};

class LogLines {
public:
  /// `log` must outlive the object.
  explicit LogLines(const LogText &log);
  std::optional<LogLine> next();

private:
  const LogText &log_;
  std::string_view rest_;
  std::size_t read_ = 0;  ///< lines
  std::string rewritten_; ///< the current one, where it is not as in the input
};

/// What a logger puts in front of every line. Numbers, months and levels in it may differ from line to line
/// ("12:00:01.5 web[7] ERROR: ").
class LogPrefix {
public:
  LogPrefix() = default;
  explicit LogPrefix(std::string_view text) : text_(text) {}
  bool empty() const { return text_.empty(); }
  /// What follows the prefix; nothing where the line does not begin with it.
  std::optional<std::string_view> strip(std::string_view line) const;

private:
  std::string text_;
};

} // namespace inspect
