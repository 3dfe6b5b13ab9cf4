#include "golang/traceback/log_lines.h"

#include <algorithm>
#include <array>

namespace inspect {
namespace {

constexpr std::size_t max_line_length = 1 << 20; // what is behind is not looked at

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

bool blank(char c) {
  return c == ' ' || c == '\t';
}

bool is_hexadecimal(char c) {
  return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

bool is_word_character(char c) {
  return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/// The letters and digits from `at` on, where a word begins there.
std::string_view word_at(std::string_view text, std::size_t at) {
  if (at > 0 && is_word_character(text[at - 1]))
    return {};
  std::size_t end = at;
  while (end < text.size() && is_word_character(text[end]))
    ++end;
  return text.substr(at, end - at);
}

bool is_month(std::string_view word) {
  constexpr std::array<std::string_view, 12> months = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                       "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  return std::ranges::find(months, word) != months.end();
}

/// "ERROR", "E0501"
bool is_level(std::string_view word) {
  constexpr std::size_t max_length = 9;
  return word.size() <= max_length && word.front() >= 'A' && word.front() <= 'Z' &&
         std::ranges::all_of(word, [](char c) { return is_digit(c) || (c >= 'A' && c <= 'Z'); });
}

/// Words of a prefix that differ from line to line: numbers that a request or a trace is known by (hexadecimal, of one
/// length), months, levels.
bool alike_words(std::string_view a, std::string_view b) {
  constexpr std::size_t least_length = 4;
  if (b.empty())
    return false;
  if ((is_month(a) && is_month(b)) || (is_level(a) && is_level(b)))
    return true;
  return a.size() == b.size() && a.size() >= least_length && std::ranges::all_of(a, is_hexadecimal) &&
         std::ranges::all_of(b, is_hexadecimal) &&
         (std::ranges::any_of(a, is_digit) || std::ranges::any_of(b, is_digit));
}

/// grep puts a colon behind what matched, and a hyphen behind the lines around it.
bool alike_signs(char a, char b) {
  return a == b || (a == ':' && b == '-') || (a == '-' && b == ':');
}

/// Without a terminal's control sequences (ECMA-48): colours, links, a choice of characters.
std::string uncoloured(std::string_view text) {
  std::string result;
  result.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '\x1b' || i + 1 == text.size()) {
      result += text[i];
      continue;
    }
    const char kind = text[++i];
    if (kind == '[') {
      for (++i; i < text.size() && (text[i] < '@' || text[i] > '~');)
        ++i;
    } else if (kind == ']') { // up to BEL, or ESC and a backslash
      for (++i; i < text.size() && text[i] != '\a' && text[i] != '\x1b';)
        ++i;
      i += i + 1 < text.size() && text[i] == '\x1b' ? 1 : 0;
    } else if (kind == '(' || kind == ')') {
      ++i;
    }
  }
  return result;
}

} // namespace

LogLines::LogLines(const LogText &log) : log_(log), rest_(log.text) {
  if (rest_.starts_with("\xef\xbb\xbf")) // the byte order mark of UTF-8
    rest_.remove_prefix(3);
}

std::optional<LogLine> LogLines::next() {
  if (rest_.empty())
    return std::nullopt;
  const std::size_t end = std::min(rest_.find('\n'), rest_.size());
  LogLine line;
  line.text = rest_.substr(0, std::min(end, max_line_length));
  rest_.remove_prefix(std::min(end + 1, rest_.size()));
  while (line.text.ends_with('\r'))
    line.text.remove_suffix(1);
  if (line.text.find('\x1b') != std::string_view::npos) {
    rewritten_ = uncoloured(line.text);
    line.text = rewritten_;
  }
  line.index = read_++;
  line.number = log_.number(line.index);
  line.last = rest_.empty();
  return line;
}

std::optional<std::string_view> LogPrefix::strip(std::string_view line) const {
  if (line.starts_with(text_))
    return line.substr(text_.size());
  // The blanks at its end are exact: what follows may be indented.
  std::size_t body = text_.size();
  while (body > 0 && blank(text_[body - 1]))
    --body;
  std::size_t at = 0;
  for (std::size_t i = 0; i < body;) {
    if (at >= line.size())
      return std::nullopt;
    const std::string_view mine = word_at(std::string_view(text_).substr(0, body), i);
    const std::string_view other = word_at(line, at);
    if (!mine.empty() && mine != other && alike_words(mine, other)) {
      i += mine.size();
      at += other.size();
    } else if (is_digit(text_[i]) && is_digit(line[at])) {
      while (i < body && is_digit(text_[i]))
        ++i;
      while (at < line.size() && is_digit(line[at]))
        ++at;
    } else if (blank(text_[i]) && blank(line[at])) {
      while (i < body && blank(text_[i]))
        ++i;
      while (at < line.size() && blank(line[at]))
        ++at;
    } else if (!alike_signs(text_[i++], line[at++])) {
      return std::nullopt;
    }
  }
  const std::string_view end = std::string_view(text_).substr(body);
  if (!line.substr(at).starts_with(end)) // editors and collectors drop blanks at a line's end
    return at == line.size() ? std::optional<std::string_view>(std::string_view()) : std::nullopt;
  return line.substr(at + end.size());
}

} // namespace inspect
