#include "golang/traceback/log_shapes.h"

#include "golang/traceback/log_lines.h"
#include "golang/traceback/traceback_lines.h"

#include <algorithm>
#include <array>

namespace inspect {
namespace {

constexpr std::size_t max_suffix_length = 256;
constexpr std::size_t max_joins = 16;               // lines that one was broken into
constexpr std::size_t max_joins_at_width = 1 << 16; // a whole traceback may be in one
constexpr std::size_t max_joined_length = 1 << 13;  // bytes of a call, a header or a position
constexpr std::size_t least_width = 20;
constexpr std::size_t max_header_length = 1024;
constexpr std::size_t max_tries_for_header = 8; // occurrences of "goroutine " in one line
constexpr std::size_t max_writers = 16;
constexpr std::size_t max_sign_length = 8;
constexpr std::size_t max_compared_lines = 512;
constexpr std::size_t max_anchors = 4; // lines that may have what all have

/// Of "…goroutine 5 [running]:…" what stands in front and behind.
struct HeaderPlace {
  std::string_view prefix;
  std::string_view suffix;
};

std::optional<HeaderPlace> header_place(std::string_view line) {
  for (std::size_t begin = line.find("goroutine "), tries = 0;
       begin != std::string_view::npos && tries < max_tries_for_header;
       begin = line.find("goroutine ", begin + 1), ++tries) {
    const std::size_t end = line.substr(0, begin + max_header_length).find("]:", begin);
    if (end == std::string_view::npos)
      return std::nullopt;
    const auto header = read_traceback_header(line.substr(begin, end + 2 - begin));
    if (header && header->column == 0)
      return HeaderPlace{line.substr(0, begin), line.substr(end + 2)};
  }
  return std::nullopt;
}

bool is_alphanumeric(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

std::string reversed(std::string_view text) {
  return {text.rbegin(), text.rend()};
}

std::string without_end_blanks(std::string text) {
  while (text.ends_with(' ') || text.ends_with('\t'))
    text.pop_back();
  return text;
}

/// "… length " and not "… length   - ".
bool ends_between_words(std::string_view text) {
  return text.size() > 1 && text.back() == ' ' &&
         (is_alphanumeric(text[text.size() - 2]) || text[text.size() - 2] == ',');
}

std::size_t characters_in(std::string_view text) {
  return static_cast<std::size_t>(
      std::ranges::count_if(text, [](char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; }));
}

LogPrefix first_header_prefix(std::span<const NumberedLine> lines) {
  for (const NumberedLine &line : lines)
    if (const auto place = header_place(line.text))
      return LogPrefix(place->prefix);
  return {};
}

bool is_whole_number(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
}

/// "/src/a.go:12", "C:/src/a.go:12"; with what printed it in brackets behind or without.
bool is_position(std::string_view word) {
  const std::size_t colon = word.rfind(':');
  return colon != std::string_view::npos && colon > 2 && is_whole_number(word.substr(colon + 1)) &&
         word.substr(0, colon).find_first_of("/\\.") != std::string_view::npos;
}

/// What a line begins that it cannot end.
enum class Open { nothing, header, call, position, creator };

Open open_at_end(std::string_view line) {
  TracebackFrame ignored;
  const std::string_view text = trim_blanks(line);
  if (text.empty() || read_traceback_call(text, false) || read_traceback_header(text))
    return Open::nothing;
  if (text.starts_with("created by "))
    return Open::creator;
  if (text.contains("goroutine ") && text.contains('[') && !text.contains("]:"))
    return Open::header;
  const std::size_t bracket = text.find('(');
  if (bracket != std::string_view::npos && bracket > 0 && text.contains('.') &&
      text.substr(0, bracket).find(' ') == std::string_view::npos &&
      std::ranges::count(text, '(') > std::ranges::count(text, ')'))
    return Open::call;
  const bool path = text.front() == '/' || text.contains(":\\") || text.contains(":/");
  if (path && text.size() < line.size() && (!read_traceback_place(line, ignored) || !ignored.offset))
    return Open::position;
  return Open::nothing;
}

/// Whether what was put together is now whole.
bool is_whole(Open kind, std::string_view text) {
  TracebackFrame place;
  switch (kind) {
  case Open::nothing:
    return true;
  case Open::header:
    return read_traceback_header(text).has_value();
  case Open::call:
    return read_traceback_call(text, false).has_value();
  case Open::position:
    return read_traceback_place(text, place) && place.offset && text.find('(') == std::string_view::npos;
  case Open::creator:
    const auto creator = read_traceback_creator(text);
    return creator && creator->goroutine;
  }
  return false;
}

/// Line `next` as the rest of the one before; a break at a blank took the blank with it.
std::optional<std::string> joined_pair(Open kind, std::string_view line, std::string_view next) {
  for (const std::string_view between : {"", " "}) {
    std::string both = std::string(line) + std::string(between) + std::string(trim_blanks(next));
    if (is_whole(kind, both))
      return both;
  }
  return std::nullopt;
}

/// `prefix` stands in front of every piece.
std::optional<LogText> joined_pieces(const LogText &log, const LogPrefix &prefix) {
  const std::vector<NumberedLine> lines = numbered_lines(log);
  std::size_t width = 0;
  for (const NumberedLine &line : lines)
    width = std::max(width, characters_in(line.text));
  if (width < least_width)
    return std::nullopt;
  LogTextWriter writer;
  bool any = false;
  for (std::size_t i = 0; i < lines.size(); ++i) {
    std::string text(lines[i].text);
    const std::uint32_t number = lines[i].number;
    for (std::size_t joins = 0; joins < max_joins && i + 1 < lines.size() && characters_in(lines[i].text) == width;
         ++joins) {
      ++i;
      text += prefix.empty() ? lines[i].text : prefix.strip(lines[i].text).value_or(lines[i].text);
      any = true;
    }
    writer.add(text, number);
  }
  return any ? std::optional(writer.take()) : std::nullopt;
}

/// The longest beginning of a line that most of the others have, too, but for numbers. It ends with a sign or a blank.
LogPrefix common_beginning(const std::vector<std::string_view> &lines) {
  const std::size_t step = std::max<std::size_t>(1, lines.size() / max_compared_lines);
  std::string_view best;
  for (std::size_t anchor = 0; anchor < lines.size() && anchor < max_anchors * step; anchor += step) {
    const std::string_view line = lines[anchor];
    const auto is_common = [&](std::size_t length) {
      const LogPrefix prefix(line.substr(0, length));
      std::size_t same = 0, all = 0;
      for (std::size_t i = 0; i < lines.size(); i += step) {
        ++all;
        same += prefix.strip(lines[i]) ? 1 : 0;
      }
      return same * 10 >= all * 9;
    };
    std::size_t low = 0, high = std::min(line.size(), max_suffix_length);
    while (low < high) { // what a longer one has, a shorter one has
      const std::size_t middle = (low + high + 1) / 2;
      if (is_common(middle))
        low = middle;
      else
        high = middle - 1;
    }
    while (low > 0 && is_alphanumeric(line[low - 1]))
      --low;
    if (low > best.size())
      best = line.substr(0, low);
  }
  return LogPrefix(best);
}

std::optional<LogText> without_common(const LogText &log, bool from_end) {
  const std::vector<NumberedLine> lines = numbered_lines(log);
  std::vector<std::string> backwards;
  std::vector<std::string_view> compared;
  if (from_end)
    for (const NumberedLine &line : lines)
      backwards.push_back(reversed(line.text));
  for (std::size_t i = 0; i < lines.size(); ++i)
    if (!trim_blanks(lines[i].text).empty())
      compared.push_back(from_end ? std::string_view(backwards[i]) : lines[i].text);
  if (compared.size() < 3)
    return std::nullopt;
  const LogPrefix prefix = common_beginning(compared);
  if (prefix.empty())
    return std::nullopt;
  LogTextWriter writer;
  for (std::size_t i = 0; i < lines.size(); ++i) {
    const std::string_view line = from_end ? std::string_view(backwards[i]) : lines[i].text;
    const std::string_view rest = prefix.strip(line).value_or(line);
    writer.add(from_end ? without_end_blanks(reversed(rest)) : std::string(rest), lines[i].number);
  }
  return writer.take();
}

} // namespace

std::optional<LogText> without_common_prefix(const LogText &log) {
  return without_common(log, false);
}

std::optional<LogText> without_common_suffix(const LogText &log) {
  return without_common(log, true);
}

std::optional<LogText> without_blank_lines(const LogText &log) {
  LogTextWriter writer;
  bool after_line = false; // whose blank one is to be left out
  std::size_t left_out = 0;
  const std::vector<NumberedLine> lines = numbered_lines(log);
  for (const NumberedLine &line : lines) {
    const bool blank = trim_blanks(line.text).empty();
    if (blank && after_line) {
      ++left_out;
      after_line = false;
      continue;
    }
    writer.add(line.text, line.number);
    after_line = true;
  }
  return left_out * 5 >= lines.size() * 2 ? std::optional(writer.take()) : std::nullopt;
}

std::optional<LogText> reversed_lines(const LogText &log) {
  std::vector<NumberedLine> lines = numbered_lines(log);
  if (lines.size() < 3)
    return std::nullopt;
  std::ranges::reverse(lines);
  LogTextWriter writer;
  for (const NumberedLine &line : lines)
    writer.add(line.text, line.number);
  return writer.take();
}

std::optional<LogText> without_suffix(const LogText &log) {
  const std::vector<NumberedLine> lines = numbered_lines(log);
  std::size_t tries = 0;
  for (const NumberedLine &line : lines) {
    const auto place = header_place(line.text);
    if (!place || trim_blanks(place->suffix).empty() || place->suffix.size() > max_suffix_length)
      continue;
    if (++tries > max_anchors)
      break;
    const std::size_t begin = place->suffix.find_first_not_of(" \t"); // a table pads its columns
    const LogPrefix suffix(reversed(place->suffix.substr(begin)));
    LogTextWriter writer;
    std::size_t count = 0;
    for (const NumberedLine &each : lines) {
      const std::string backwards = reversed(each.text);
      const auto stripped = suffix.strip(backwards);
      count += stripped ? 1 : 0;
      writer.add(stripped ? without_end_blanks(reversed(*stripped)) : std::string(each.text), each.number);
    }
    if (count > 1)
      return writer.take();
  }
  return std::nullopt;
}

std::optional<LogText> joined_at_width(const LogText &log) {
  return joined_pieces(log, {});
}

std::optional<LogText> joined_at_width_behind_prefix(const LogText &log) {
  const LogPrefix prefix = first_header_prefix(numbered_lines(log));
  return prefix.empty() ? std::nullopt : joined_pieces(log, prefix);
}

std::optional<LogText> joined_where_open(const LogText &log) {
  const std::vector<NumberedLine> lines = numbered_lines(log);
  const LogPrefix prefix = first_header_prefix(lines);
  const auto content = [&](const NumberedLine &line) {
    return prefix.empty() ? line.text : prefix.strip(line.text).value_or(line.text);
  };
  LogTextWriter writer;
  bool any = false;
  for (std::size_t i = 0; i < lines.size();) {
    std::string text(content(lines[i]));
    std::size_t used = 1;
    // fold -s keeps the blank that it breaks a line at.
    for (; ends_between_words(text) && classify_message_line(text) == MessageLine::begins && i + used < lines.size() &&
           !trim_blanks(content(lines[i + used])).empty() && used <= max_joins;
         ++used)
      text += content(lines[i + used]);
    if (used > 1)
      any = true;
    else if (const Open kind = open_at_end(text); kind != Open::nothing && !is_whole(kind, text)) {
      std::string grown = text;
      for (std::size_t more = 1; more <= max_joins && i + more < lines.size() && grown.size() < max_joined_length;
           ++more) {
        const std::string_view next = content(lines[i + more]);
        if (auto both = joined_pair(kind, grown, next)) {
          text = std::move(*both);
          used = more + 1;
          any = true;
          break;
        }
        // A break behind a comma took the blank with it.
        grown += (grown.ends_with(',') ? " " : "") + std::string(trim_blanks(next));
      }
    }
    writer.add(text, lines[i].number);
    i += used;
  }
  return any ? std::optional(writer.take()) : std::nullopt;
}

std::optional<LogText> joined_parts(const LogText &log) {
  if (!log.text.contains(" stderr P ") && !log.text.contains(" stdout P "))
    return std::nullopt;
  struct Stream {
    std::string_view part, full;
    std::string pending;
    std::uint32_t number = 0;
  };
  std::array streams = {Stream{" stderr P ", " stderr F", {}, 0}, Stream{" stdout P ", " stdout F", {}, 0}};
  LogTextWriter writer;
  for (const NumberedLine &line : numbered_lines(log)) {
    bool taken = false;
    for (Stream &stream : streams) {
      const std::size_t part = line.text.find(stream.part);
      const std::size_t full = line.text.find(stream.full);
      if (taken || (part == std::string_view::npos && full == std::string_view::npos))
        continue;
      taken = true;
      if (stream.pending.empty())
        stream.number = line.number;
      if (part < full) {
        stream.pending += line.text.substr(part + stream.part.size());
        continue;
      }
      // The blank behind F is missing where the line is empty and its end was trimmed.
      stream.pending += line.text.substr(std::min(full + stream.full.size() + 1, line.text.size()));
      writer.add(stream.pending, stream.number);
      stream.pending.clear();
    }
    if (!taken)
      writer.add(line.text, line.number);
  }
  for (const Stream &stream : streams)
    if (!stream.pending.empty())
      writer.add(stream.pending, stream.number);
  return writer.take();
}

std::optional<LogText> split_at_blanks(const LogText &log) {
  LogTextWriter writer;
  bool any = false;
  for (const NumberedLine &line : numbered_lines(log)) {
    const auto place = header_place(line.text);
    if (!place || trim_blanks(place->suffix).empty() || !place->suffix.contains(".go:")) {
      writer.add(line.text, line.number);
      continue;
    }
    any = true;
    std::string text;
    std::string_view rest = line.text;
    bool behind_position = false;
    while (!rest.empty()) {
      const std::size_t end = std::min(rest.find_first_of(" \t"), rest.size());
      const std::string_view word = rest.substr(0, end);
      const auto header = rest.starts_with("goroutine ") ? header_place(rest) : std::nullopt;
      if (header && header->prefix.empty()) {
        const std::string_view whole = rest.substr(0, rest.size() - header->suffix.size());
        text += "\n" + std::string(whole) + "\n";
        rest.remove_prefix(whole.size());
        behind_position = false;
      } else {
        const bool detail =
            word.starts_with("+0x") || word.starts_with("fp=") || word.starts_with("sp=") || word.starts_with("pc=");
        if (is_position(word))
          text += "\n\t";
        else if (behind_position && !detail && !word.empty())
          text += "\n";
        else if (!text.empty() && !text.ends_with('\n'))
          text += " ";
        behind_position = is_position(word) || (behind_position && (detail || word.empty()));
        text += word;
        rest.remove_prefix(end);
      }
      rest.remove_prefix(rest.empty() ? 0 : 1);
    }
    writer.add(text, line.number);
  }
  return any ? std::optional(writer.take()) : std::nullopt;
}

std::optional<LogText> split_at_signs(const LogText &log) {
  LogTextWriter writer;
  bool any = false;
  for (const NumberedLine &line : numbered_lines(log)) {
    const auto place = header_place(line.text);
    const std::size_t end = place ? place->suffix.find_first_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_")
                                  : std::string_view::npos;
    const std::string_view sign = end == std::string_view::npos ? std::string_view() : place->suffix.substr(0, end);
    const bool escape = sign.contains('\\') || sign.contains('"') || sign.contains('%') || sign.contains('#');
    if (trim_blanks(sign).empty() || escape || sign.size() > max_sign_length) {
      writer.add(line.text, line.number);
      continue;
    }
    any = true;
    for (std::string_view rest = line.text;;) {
      const std::size_t at = rest.find(sign);
      writer.add(rest.substr(0, at), line.number);
      if (at == std::string_view::npos)
        break;
      rest.remove_prefix(at + sign.size());
    }
  }
  return any ? std::optional(writer.take()) : std::nullopt;
}

std::optional<LogText> without_repeats(const LogText &log) {
  LogTextWriter writer;
  std::string_view last = "\n";
  std::size_t repeats = 0;
  const std::vector<NumberedLine> lines = numbered_lines(log);
  for (const NumberedLine &line : lines) {
    const bool repeated = line.text == last;
    repeats += repeated ? 1 : 0;
    if (!repeated)
      writer.add(line.text, line.number);
    last = repeated ? std::string_view("\n") : line.text; // the third is a line of its own
  }
  return repeats * 3 >= lines.size() ? std::optional(writer.take()) : std::nullopt;
}

std::optional<LogText> sorted_by_writer(const LogText &log) {
  const std::vector<NumberedLine> lines = numbered_lines(log);
  std::vector<LogPrefix> writers;
  for (const NumberedLine &line : lines) {
    const auto place = header_place(line.text);
    if (!place || place->prefix.empty() || writers.size() >= max_writers)
      continue;
    if (std::ranges::none_of(writers, [&](const LogPrefix &known) { return known.strip(line.text).has_value(); }))
      writers.emplace_back(place->prefix);
  }
  if (writers.size() < 2)
    return std::nullopt;
  std::vector<LogTextWriter> texts(writers.size() + 1);
  for (const NumberedLine &line : lines) {
    std::size_t index = 0;
    while (index < writers.size() && !writers[index].strip(line.text))
      ++index;
    texts[index].add(line.text, line.number);
  }
  LogText all;
  for (LogTextWriter &text : texts) {
    LogText one = text.take();
    all.text += one.text;
    all.numbers.insert(all.numbers.end(), one.numbers.begin(), one.numbers.end());
  }
  return all;
}

} // namespace inspect
