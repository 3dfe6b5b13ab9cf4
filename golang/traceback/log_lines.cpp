#include "golang/traceback/log_lines.h"

#include <algorithm>
#include <array>
#include <charconv>

namespace inspect {
namespace {

constexpr std::size_t max_line_length = 1 << 20;     // what is behind is not looked at
constexpr std::string_view json_log = "{\"log\":\""; // Docker's json-file driver

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

bool blank(char c) {
  return c == ' ' || c == '\t';
}

void append_utf8(std::string &into, std::uint32_t code) {
  if (code < 0x80) {
    into += static_cast<char>(code);
  } else if (code < 0x800) {
    into += static_cast<char>(0xc0 | (code >> 6));
    into += static_cast<char>(0x80 | (code & 0x3f));
  } else {
    into += static_cast<char>(0xe0 | (code >> 12));
    into += static_cast<char>(0x80 | ((code >> 6) & 0x3f));
    into += static_cast<char>(0x80 | (code & 0x3f));
  }
}

/// Undoes JSON's escapes; a bare quote ends the text where `quoted`. What is not an escape stays as it is.
std::string unescaped(std::string_view text, bool quoted) {
  constexpr std::array<std::pair<char, char>, 8> simple = {
      {{'n', '\n'}, {'t', '\t'}, {'r', '\r'}, {'"', '"'}, {'\\', '\\'}, {'/', '/'}, {'b', '\b'}, {'f', '\f'}}};
  std::string result;
  result.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (quoted && text[i] == '"')
      break;
    if (text[i] != '\\' || i + 1 == text.size()) {
      result += text[i];
      continue;
    }
    const char kind = text[++i];
    const auto *const known = std::ranges::find(simple, kind, &std::pair<char, char>::first);
    std::uint32_t code = 0;
    if (known != simple.end()) {
      result += known->second;
    } else if (kind == 'u' && i + 4 < text.size() &&
               std::from_chars(text.data() + i + 1, text.data() + i + 5, code, 16).ptr == text.data() + i + 5) {
      append_utf8(result, code);
      i += 4;
    } else {
      result += '\\';
      result += kind;
    }
  }
  return result;
}

/// Without terminal colours (ECMA-48 control sequences).
std::string uncoloured(std::string_view text) {
  std::string result;
  result.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '\x1b' || i + 1 == text.size() || text[i + 1] != '[') {
      result += text[i];
      continue;
    }
    for (i += 2; i < text.size() && (text[i] < '@' || text[i] > '~');)
      ++i;
  }
  return result;
}

} // namespace

LogLines::LogLines(std::string_view text) : rest_(text) {
  if (rest_.starts_with("\xef\xbb\xbf")) // the byte order mark of UTF-8
    rest_.remove_prefix(3);
}

/// A whole traceback in one line, its line ends written as \n, becomes lines of its own. What a logger wrote before it
/// stays as it is; the quote that ends the text ends it here, too.
void LogLines::expand(std::string_view raw) {
  const std::size_t start = raw.find("goroutine ");
  const std::string &text =
      rewritten_.emplace_back(std::string(raw.substr(0, start)) + unescaped(raw.substr(start), true));
  for (std::string_view rest = text; !rest.empty();) {
    const std::size_t end = std::min(rest.find('\n'), rest.size());
    pending_.push_back(rest.substr(0, end));
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
}

void LogLines::refill() {
  rewritten_.clear();
  const std::size_t end = std::min(rest_.find('\n'), rest_.size());
  std::string_view raw = rest_.substr(0, end);
  rest_.remove_prefix(std::min(end + 1, rest_.size()));
  ++number_;
  raw = raw.substr(0, max_line_length);
  while (raw.ends_with('\r'))
    raw.remove_suffix(1);
  if (raw.find('\x1b') != std::string_view::npos)
    raw = rewritten_.emplace_back(uncoloured(raw));
  if (raw.starts_with(json_log)) {
    std::string &text = rewritten_.emplace_back(unescaped(raw.substr(json_log.size()), true));
    while (text.ends_with('\n') || text.ends_with('\r'))
      text.pop_back();
    raw = text;
  }
  if (raw.find("]:\\n") != std::string_view::npos && raw.find("goroutine ") != std::string_view::npos)
    expand(raw);
  else
    pending_.push_back(raw);
}

std::optional<LogLine> LogLines::next() {
  if (pending_.empty()) {
    if (rest_.empty())
      return std::nullopt;
    refill();
  }
  LogLine line;
  if (!pending_.empty()) {
    line.text = pending_.front();
    pending_.pop_front();
  }
  line.number = number_;
  line.last = pending_.empty() && rest_.empty();
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
    if (is_digit(text_[i]) && is_digit(line[at])) {
      while (i < body && is_digit(text_[i]))
        ++i;
      while (at < line.size() && is_digit(line[at]))
        ++at;
    } else if (blank(text_[i]) && blank(line[at])) {
      while (i < body && blank(text_[i]))
        ++i;
      while (at < line.size() && blank(line[at]))
        ++at;
    } else if (text_[i++] != line[at++]) {
      return std::nullopt;
    }
  }
  const std::string_view end = std::string_view(text_).substr(body);
  if (!line.substr(at).starts_with(end)) // editors and collectors drop blanks at a line's end
    return at == line.size() ? std::optional<std::string_view>(std::string_view()) : std::nullopt;
  return line.substr(at + end.size());
}

} // namespace inspect
