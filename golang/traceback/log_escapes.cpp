#include "golang/traceback/log_escapes.h"

#include <algorithm>
#include <array>
#include <charconv>

namespace inspect {
namespace {

constexpr std::size_t least_escapes = 2; // in a line; a Windows path may have one
constexpr std::size_t least_base64 = 60; // characters of a line; a name may have fewer

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

/// `digits` digits at `at`, no fewer.
std::optional<std::uint32_t> fixed_number(std::string_view text, std::size_t at, std::size_t digits, int base) {
  if (at + digits > text.size())
    return std::nullopt;
  std::uint32_t number = 0;
  const char *const end = text.data() + at + digits;
  const auto [last, failed] = std::from_chars(text.data() + at, end, number, base);
  return failed == std::errc() && last == end ? std::optional(number) : std::nullopt;
}

/// What a backslash at `at` and the characters behind it stand for; `at` is set behind them.
void append_escape(std::string_view text, std::size_t &at, std::string &into) {
  constexpr std::array<std::pair<char, char>, 9> simple = {{{'n', '\n'},
                                                            {'t', '\t'},
                                                            {'r', '\r'},
                                                            {'"', '"'},
                                                            {'\'', '\''},
                                                            {'\\', '\\'},
                                                            {'/', '/'},
                                                            {'b', '\b'},
                                                            {'f', '\f'}}};
  if (at + 1 >= text.size()) {
    into += text[at++];
    return;
  }
  const char kind = text[at + 1];
  if (const auto *const known = std::ranges::find(simple, kind, &std::pair<char, char>::first); known != simple.end()) {
    into += known->second;
    at += 2;
  } else if (const auto unicode = fixed_number(text, at + 2, 4, 16); kind == 'u' && unicode) {
    append_utf8(into, *unicode);
    at += 6;
  } else if (const auto byte = fixed_number(text, at + 2, 2, 16); kind == 'x' && byte) {
    into += static_cast<char>(*byte);
    at += 4;
  } else if (const auto octal = fixed_number(text, at + 1, 3, 8); octal && *octal < 128) {
    into += static_cast<char>(*octal);
    at += 4;
  } else {
    into += text[at++];
  }
}

std::size_t count_of(std::string_view text, std::string_view part) {
  std::size_t count = 0;
  for (std::size_t at = text.find(part); at != std::string_view::npos; at = text.find(part, at + part.size()))
    ++count;
  return count;
}

int base64_digit(char c) {
  if (c >= 'A' && c <= 'Z')
    return c - 'A';
  if (c >= 'a' && c <= 'z')
    return c - 'a' + 26;
  if (c >= '0' && c <= '9')
    return c - '0' + 52;
  return c == '+' || c == '-' ? 62 : c == '/' || c == '_' ? 63 : -1;
}

std::string_view longest_base64(std::string_view text) {
  std::string_view longest;
  for (std::size_t begin = 0; begin < text.size();) {
    std::size_t end = begin;
    while (end < text.size() && (base64_digit(text[end]) >= 0 || text[end] == '='))
      ++end;
    if (end - begin > longest.size())
      longest = text.substr(begin, end - begin);
    begin = end + 1;
  }
  return longest;
}

/// Empty where it is no text.
std::string decoded_base64(std::string_view text) {
  std::string bytes;
  std::uint32_t bits = 0;
  int count = 0;
  for (const char c : text) {
    const int digit = base64_digit(c);
    if (digit < 0)
      break;
    bits = (bits << 6) | static_cast<std::uint32_t>(digit);
    count += 6;
    if (count >= 8) {
      count -= 8;
      bytes += static_cast<char>((bits >> count) & 0xff);
    }
  }
  const bool is_text = std::ranges::none_of(bytes, [](char c) {
    return static_cast<unsigned char>(c) < ' ' && c != '\n' && c != '\t' && c != '\r' && c != '\x1b';
  });
  return is_text && bytes.contains('\n') ? bytes : std::string();
}

struct Sign {
  std::string_view sign;
  std::string_view text;
};

/// The text with each sign replaced; nothing where it has none.
std::optional<LogText> replaced(const LogText &log, std::span<const Sign> signs) {
  if (std::ranges::none_of(signs, [&](const Sign &one) { return log.text.contains(one.sign); }))
    return std::nullopt;
  LogTextWriter writer;
  for (const NumberedLine &line : numbered_lines(log)) {
    std::string text;
    for (std::size_t at = 0; at < line.text.size();) {
      const std::string_view rest = line.text.substr(at);
      const auto sign = std::ranges::find_if(signs, [&](const Sign &one) { return rest.starts_with(one.sign); });
      if (sign != signs.end()) {
        text += sign->text;
        at += sign->sign.size();
      } else {
        text += line.text[at++];
      }
    }
    writer.add(text, line.number);
  }
  return writer.take();
}

/// Each `mark` with the digits behind it replaced by the character of that number.
std::optional<LogText> decoded(const LogText &log, char mark, std::size_t digits, int base, std::string_view wanted) {
  if (!log.text.contains(wanted))
    return std::nullopt;
  LogTextWriter writer;
  for (const NumberedLine &line : numbered_lines(log)) {
    std::string text;
    for (std::size_t at = 0; at < line.text.size();) {
      const auto code =
          line.text[at] == mark ? fixed_number(line.text, at + 1, digits, base) : std::optional<std::uint32_t>();
      if (code && *code < 256 && (base != 8 || *code < ' ')) {
        text += static_cast<char>(*code);
        at += 1 + digits;
      } else {
        text += line.text[at++];
      }
    }
    writer.add(text, line.number);
  }
  return writer.take();
}

} // namespace

std::string unescaped_until(std::string_view text, std::size_t &at, char quote) {
  std::string result;
  while (at < text.size()) {
    if (quote != '\0' && text[at] == quote) {
      ++at;
      break;
    }
    if (text[at] == '\\')
      append_escape(text, at, result);
    else
      result += text[at++];
  }
  return result;
}

std::optional<LogText> without_backslashes(const LogText &log) {
  if (!log.text.contains("\\n") && !log.text.contains("\\u000") && !log.text.contains("\\x0") &&
      !log.text.contains("\\012"))
    return std::nullopt;
  LogTextWriter writer;
  for (const NumberedLine &line : numbered_lines(log)) {
    const std::size_t ends = count_of(line.text, "\\n") + count_of(line.text, "\\u000") + count_of(line.text, "\\x0") +
                             count_of(line.text, "\\012");
    if (ends < least_escapes || !looks_like_traceback(line.text)) {
      writer.add(line.text, line.number);
      continue;
    }
    // Where the text with the escapes is in quotes, they end a line; else they are the text's.
    const std::string_view before = line.text.substr(0, line.text.find('\\'));
    const char quote = std::ranges::count(before, '"') % 2 == 1 ? '"' : '\0';
    for (std::size_t at = 0; at < line.text.size();)
      writer.add(unescaped_until(line.text, at, quote), line.number);
  }
  return writer.take();
}

std::optional<LogText> without_octal_marks(const LogText &log) {
  return decoded(log, '#', 3, 8, "#01");
}

std::optional<LogText> without_percent_signs(const LogText &log) {
  return decoded(log, '%', 2, 16, log.text.contains("%0A") ? "%0A" : "%0a");
}

std::optional<LogText> without_form_encoding(const LogText &log) {
  if ((!log.text.contains("%0A") && !log.text.contains("%0a")) || !log.text.contains('+'))
    return std::nullopt;
  LogText with_blanks = log;
  std::ranges::replace(with_blanks.text, '+', ' ');
  return without_percent_signs(with_blanks);
}

std::optional<LogText> without_base64(const LogText &log) {
  LogTextWriter writer;
  bool any = false;
  std::string pending;
  std::uint32_t number = 0;
  const auto flush = [&] {
    const std::string text = decoded_base64(pending);
    any = any || !text.empty();
    if (!pending.empty())
      writer.add(text.empty() ? pending : text, number);
    pending.clear();
  };
  for (const NumberedLine &line : numbered_lines(log)) {
    const std::string_view run = longest_base64(line.text);
    const bool whole = run.size() == line.text.size() && !run.empty();
    if (!whole)
      flush();
    if (run.size() < least_base64 && (!whole || pending.empty())) {
      writer.add(line.text, line.number);
      continue;
    }
    if (pending.empty())
      number = line.number;
    pending += run;
    if (!whole)
      flush();
  }
  flush();
  return any ? std::optional(writer.take()) : std::nullopt;
}

std::optional<LogText> without_html(const LogText &log) {
  constexpr std::array signs = {Sign{"&lt;", "<"},    Sign{"&gt;", ">"},    Sign{"&quot;", "\""}, Sign{"&#34;", "\""},
                                Sign{"&#39;", "'"},   Sign{"&#x27;", "'"},  Sign{"&nbsp;", " "},  Sign{"&#10;", "\n"},
                                Sign{"&#xA;", "\n"},  Sign{"&#xa;", "\n"},  Sign{"&#13;", ""},    Sign{"&#xD;", ""},
                                Sign{"&#9;", "\t"},   Sign{"&#x9;", "\t"},  Sign{"<br>", "\n"},   Sign{"<br/>", "\n"},
                                Sign{"<br />", "\n"}, Sign{"&amp;", "&"},   Sign{"&#43;", "+"},   Sign{"&#x2B;", "+"},
                                Sign{"<p>", "\n"},    Sign{"</p>", "\n"},   Sign{"<pre>", "\n"},  Sign{"</pre>", "\n"},
                                Sign{"<code>", "\n"}, Sign{"</code>", "\n"}};
  return replaced(log, signs);
}

std::optional<LogText> without_quoted_printable(const LogText &log) {
  if (!log.text.contains("=\n") && !log.text.contains("=\r\n") && !log.text.contains("=09") &&
      !log.text.contains("=0A"))
    return std::nullopt;
  LogText joined;
  std::string pending;
  std::uint32_t first = 0;
  LogTextWriter writer;
  for (const NumberedLine &line : numbered_lines(log)) {
    if (pending.empty())
      first = line.number;
    pending += line.text;
    if (pending.ends_with('=')) {
      pending.pop_back();
      continue;
    }
    writer.add(pending, first);
    pending.clear();
  }
  if (!pending.empty())
    writer.add(pending, first);
  joined = writer.take();
  auto all = decoded(joined, '=', 2, 16, "=");
  return all ? std::move(all) : std::optional(std::move(joined));
}

std::optional<LogText> without_line_end_signs(const LogText &log) {
  constexpr std::array signs = {Sign{"\u240a", "\n"}, Sign{"\u2424", "\n"}, Sign{"\u21b5", "\n"}, Sign{"\u23ce", "\n"},
                                Sign{"\u2028", "\n"}, Sign{"\u2029", "\n"}, Sign{"\u0085", "\n"}, Sign{"\v", "\n"},
                                Sign{"^J", "\n"},     Sign{"<LF>", "\n"},   Sign{"<0A>", "\n"},   Sign{"<0a>", "\n"},
                                Sign{"\r", "\n"},     Sign{"^M", ""},       Sign{"^[", "\x1b"},   Sign{"<CR>", ""},
                                Sign{"\u240d", ""},   Sign{"\u2409", "\t"}, Sign{"^I", "\t"},     Sign{"<TAB>", "\t"},
                                Sign{"<09>", "\t"},   Sign{"\u21e5", "\t"}, Sign{"\u2192", "\t"}};
  return replaced(log, signs);
}

} // namespace inspect
