// A crash text as it lies in logs: cut into lines, freed from what carried it (Windows line ends, colours, container
// logs that wrap each line in JSON, loggers that write line ends as \n), and from what a logger puts in front of each
// line.
//
//     LogLines lines(text);
//     while (auto line = lines.next()) … line->text …
#pragma once

#include <cstddef>
#include <deque>
#include <optional>
#include <string>
#include <string_view>

namespace inspect {

struct LogLine {
  std::string_view text;  ///< without line end; lives until the next call of LogLines::next
  std::size_t number = 0; ///< 1-based, in the input
  bool last = false;      ///< the input ends with it
};

class LogLines {
public:
  /// `text` must outlive the object.
  explicit LogLines(std::string_view text);
  std::optional<LogLine> next();

private:
  void refill();
  void expand(std::string_view raw);

  std::string_view rest_;
  std::size_t number_ = 0;
  std::deque<std::string_view> pending_; ///< of the current line of the input
  std::deque<std::string> rewritten_;    ///< what of it is not as in the input
};

/// What a logger puts in front of every line. Numbers in it may differ from line to line ("12:00:01.5 web[7]: ").
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
