#include "commands/memory/memory_text.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <fmt/format.h>
#include <utility>

namespace inspect {
namespace {

constexpr std::size_t narrowest_prose = 60;
constexpr std::size_t widest_prose = 110;

/// Of escaped text, which is valid UTF-8: all its characters are taken as one column wide.
std::size_t columns_in(std::string_view text) {
  return static_cast<std::size_t>(std::ranges::count_if(
      text, [](char character) { return (static_cast<unsigned char>(character) & 0xc0U) != 0x80U; }));
}

std::string bar_of_eighths(std::size_t eighths) {
  constexpr std::array<std::string_view, 8> parts = {"", "▏", "▎", "▍", "▌", "▋", "▊", "▉"};
  std::string bar;
  for (std::size_t i = 0; i < eighths / 8; ++i)
    bar += "█";
  return bar + std::string(parts[eighths % 8]);
}

} // namespace

std::string share_bar(std::uint64_t part, std::uint64_t whole, std::size_t width, bool unicode) {
  if (part == 0 || whole == 0)
    return {};
  const double share = std::min(1.0, static_cast<double>(part) / static_cast<double>(whole));
  const double strokes = share * static_cast<double>(unicode ? width * 8 : width);
  const auto count = std::max<std::size_t>(1, static_cast<std::size_t>(std::lround(strokes)));
  return unicode ? bar_of_eighths(count) : std::string(count, '#');
}

std::string in_ascii(std::string text) {
  constexpr std::array<std::pair<std::string_view, std::string_view>, 2> letters = {
      std::pair<std::string_view, std::string_view>{"µ", "u"}, {"×", "x"}};
  for (const auto &[from, to] : letters)
    for (std::size_t at = text.find(from); at != std::string::npos; at = text.find(from, at + to.size()))
      text.replace(at, from.size(), to);
  return text;
}

std::string wrapped(std::string_view text, std::size_t width, std::string_view indent) {
  std::string result;
  std::size_t used = 0;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(' '), text.size());
    const std::string_view word = text.substr(0, end);
    const std::size_t columns = columns_in(word);
    if (used > 0 && used + 1 + columns > width) {
      result += "\n" + std::string(indent);
      used = indent.size();
    } else if (used > 0) {
      result += " ";
      ++used;
    }
    result += word;
    used += columns;
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return result;
}

std::size_t prose_width(const Output &output) {
  const auto width = static_cast<std::size_t>(std::max(output.width(), 0));
  return width == 0 ? widest_prose - 10 : std::clamp(width, narrowest_prose, widest_prose);
}

std::vector<std::string> aligned_table(std::span<const std::vector<std::string>> rows, std::size_t kept) {
  std::vector<std::string> lines(rows.size());
  const std::size_t columns = rows.empty() ? 0 : rows.front().size();
  for (std::size_t column = 0; column < columns; ++column) {
    std::size_t width = 0;
    bool used = column < kept;
    for (const std::vector<std::string> &row : rows) {
      width = std::max(width, row[column].size());
      used = used || (&row != &rows.front() && row[column] != "-");
    }
    if (!used)
      continue;
    for (std::size_t row = 0; row < rows.size(); ++row)
      lines[row] += column == 0 ? fmt::format("{:<{}}", rows[row][column], width)
                                : fmt::format("  {:>{}}", rows[row][column], width);
  }
  return lines;
}

std::string finding_text(const Output &output, const MemoryFinding &finding, bool unicode) {
  const std::size_t width = prose_width(output) - 4;
  std::string sentence = wrapped(escape(finding.sentence) + ".", width, "    ");
  std::string see = wrapped("see: " + escape(finding.see), width, "         ");
  if (!unicode) {
    sentence = in_ascii(std::move(sentence));
    see = in_ascii(std::move(see));
  }
  return fmt::format("  {} {}\n    {}\n", output.styled(Style::warning, "*"), sentence, output.styled(Style::dim, see));
}

} // namespace inspect
