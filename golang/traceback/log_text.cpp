#include "golang/traceback/log_text.h"

#include "golang/traceback/traceback_lines.h"

#include <algorithm>

namespace inspect {
namespace {

bool has_source_position(std::string_view line) {
  const std::size_t at = line.find(".go:");
  return at != std::string_view::npos && at + 4 < line.size() && line[at + 4] >= '0' && line[at + 4] <= '9';
}

} // namespace

std::vector<NumberedLine> numbered_lines(const LogText &log) {
  std::vector<NumberedLine> lines;
  for (std::string_view rest = log.text; !rest.empty();) {
    const std::size_t end = std::min(rest.find('\n'), rest.size());
    std::string_view line = rest.substr(0, end);
    rest.remove_prefix(std::min(end + 1, rest.size()));
    while (line.ends_with('\r'))
      line.remove_suffix(1);
    lines.push_back({line, static_cast<std::uint32_t>(log.number(lines.size()))});
  }
  return lines;
}

void LogTextWriter::add(std::string_view text, std::uint32_t number) {
  log_.text += text;
  log_.text += '\n';
  const auto lines = static_cast<std::size_t>(std::ranges::count(text, '\n')) + 1;
  log_.numbers.insert(log_.numbers.end(), lines, number);
}

bool looks_like_traceback(std::string_view line) {
  if (has_source_position(line) || line.contains("goroutine ") || line.contains("created by "))
    return true;
  line = trim_blanks(line);
  if (classify_message_line(line) != MessageLine::none)
    return true;
  return line.ends_with(')') && read_traceback_call(line, false).has_value();
}

} // namespace inspect
