// A log as text and as lines, each with the number that its line has in the input: what carries a traceback is taken
// off step by step, and every step makes a text of another.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace inspect {

struct LogText {
  std::string text;
  std::vector<std::uint32_t> numbers; ///< of its lines in the input, from 1; empty: they are the input's

  std::size_t number(std::size_t line) const { return line < numbers.size() ? numbers[line] : line + 1; }
};

/// The lines of a text without their ends, and the numbers that they have.
struct NumberedLine {
  std::string_view text;
  std::uint32_t number = 0;
};
std::vector<NumberedLine> numbered_lines(const LogText &log);

class LogTextWriter {
public:
  /// Every line of `text`, which may have several.
  void add(std::string_view text, std::uint32_t number);
  LogText take() { return std::move(log_); }

private:
  LogText log_;
};

/// Whether a line looks like one of a traceback: a header, a call, a position, a message. Cheap, and may err.
bool looks_like_traceback(std::string_view line);

} // namespace inspect
