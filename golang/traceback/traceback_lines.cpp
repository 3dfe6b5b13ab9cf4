#include "golang/traceback/traceback_lines.h"

#include "golang/traceback/c_abort_messages.h"

#include <algorithm>
#include <array>
#include <charconv>

namespace inspect {
namespace {

constexpr std::size_t max_words = 64;          // the runtime prints ten
constexpr std::size_t max_header_tries = 8;    // occurrences of "goroutine " in one line
constexpr std::size_t max_prefix_length = 256; // what a logger may put in front of a header
constexpr std::size_t max_notes = 16;
constexpr std::size_t max_register_length = 6;

bool digit(char c) {
  return c >= '0' && c <= '9';
}

/// Takes `literal` off the front.
bool skip(std::string_view &text, std::string_view literal) {
  if (!text.starts_with(literal))
    return false;
  text.remove_prefix(literal.size());
  return true;
}

std::optional<std::uint64_t> take_number(std::string_view &text, int base = 10) {
  std::uint64_t number = 0;
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), number, base);
  if (failed != std::errc() || end == text.data())
    return std::nullopt;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  return number;
}

std::optional<std::uint64_t> take_hexadecimal(std::string_view &text) {
  std::string_view rest = text;
  if (!skip(rest, "0x"))
    return std::nullopt;
  const auto number = take_number(rest, 16);
  if (number)
    text = rest;
  return number;
}

/// All of `text` is one number.
std::optional<std::uint64_t> whole_hexadecimal(std::string_view text) {
  const auto number = take_hexadecimal(text);
  return text.empty() ? number : std::nullopt;
}

std::optional<std::uint64_t> whole_decimal(std::string_view text) {
  if (text.empty() || !std::ranges::all_of(text, digit))
    return std::nullopt;
  return take_number(text);
}

/// " gp=0xc000 m=3 mp=0x5" (since 1.23) become notes; true when the status follows.
bool read_header_details(std::string_view &rest, TracebackGoroutine &goroutine) {
  for (int i = 0; i < 4; ++i) {
    if (skip(rest, " ["))
      return true;
    if (!skip(rest, " "))
      return false;
    const std::size_t end = rest.find(' ');
    if (end == std::string_view::npos ||
        !(rest.starts_with("gp=") || rest.starts_with("m=") || rest.starts_with("mp=")))
      return false;
    goroutine.notes.emplace_back(rest.substr(0, end));
    rest.remove_prefix(end);
  }
  return false;
}

/// What stands between the square brackets.
void read_status(std::string_view text, TracebackGoroutine &goroutine) {
  if (const std::size_t labels = text.find(" labels:{"); labels != std::string_view::npos) { // Go 1.26, on demand
    goroutine.notes.emplace_back(text.substr(labels + 1));
    text = text.substr(0, labels);
  }
  for (bool first = true; first || !text.empty(); first = false) {
    const std::size_t comma = std::min(text.find(", "), text.size());
    std::string_view part = text.substr(0, comma);
    text.remove_prefix(std::min(comma + 2, text.size()));
    if (first) {
      for (const std::string_view mark : {" (scan)", " (leaked)", " (durable)"})
        if (const std::size_t at = part.find(mark); at != std::string_view::npos) {
          goroutine.notes.emplace_back(mark.substr(2, mark.size() - 3));
          part = part.substr(0, at);
        }
      goroutine.status = part;
    } else if (const auto minutes =
                   part.ends_with(" minutes")
                       ? whole_decimal(part.substr(0, part.size() - std::string_view(" minutes").size()))
                       : std::nullopt;
               minutes && *minutes <= INT64_MAX) {
      goroutine.wait_minutes = static_cast<std::int64_t>(*minutes);
    } else if (part == "locked to thread") {
      goroutine.locked_to_thread = true;
    } else if (!part.empty() && goroutine.notes.size() < max_notes) {
      goroutine.notes.emplace_back(part);
    }
  }
}

std::optional<TracebackGoroutine> read_header_at(std::string_view rest) {
  TracebackGoroutine goroutine;
  if (!skip(rest, "goroutine "))
    return std::nullopt;
  const auto id = take_number(rest);
  if (!id || !read_header_details(rest, goroutine))
    return std::nullopt;
  std::size_t end = rest.rfind("]:");
  if (end == std::string_view::npos || !trim_blanks(rest.substr(end + 2)).empty()) {
    // Since 1.27 labels follow: "] {endpoint: users, tenant: a}:".
    end = rest.find("] {");
    const std::string_view labels = end == std::string_view::npos ? "" : trim_blanks(rest.substr(end + 2));
    if (!labels.ends_with("}:"))
      return std::nullopt;
    goroutine.notes.push_back("labels:" + std::string(labels.substr(0, labels.size() - 1)));
  }
  goroutine.id = *id;
  read_status(rest.substr(0, end), goroutine);
  return goroutine;
}

enum class WordList { complete, broken_off, wrong };

WordList read_token(std::string_view &rest, TracebackFrame &frame, bool &expect_separator) {
  using Kind = ArgumentToken::Kind;
  auto &tokens = frame.layout.tokens;
  ArgumentToken token;
  if (skip(rest, "}")) {
    token.kind = Kind::close;
    expect_separator = true;
  } else if (expect_separator) {
    if (!skip(rest, ", "))
      return rest == "," ? WordList::broken_off : WordList::wrong;
    expect_separator = false;
    return WordList::complete;
  } else if (skip(rest, "{")) {
    token.kind = Kind::open;
  } else if (skip(rest, "...")) {
    token.kind = Kind::ellipsis;
    frame.cut = true;
    expect_separator = true;
  } else if (skip(rest, "_")) {
    token.kind = Kind::offset_too_large;
    expect_separator = true;
  } else if (const auto word = take_hexadecimal(rest)) {
    token.stale = skip(rest, "?");
    frame.words.push_back(*word);
    expect_separator = true;
  } else {
    return WordList::wrong;
  }
  tokens.push_back(token);
  return WordList::complete;
}

/// What stands between the round brackets.
WordList read_words(std::string_view rest, TracebackFrame &frame) {
  bool expect_separator = false;
  while (!rest.empty()) {
    if (frame.layout.tokens.size() >= max_words) {
      frame.cut = true;
      return WordList::complete;
    }
    const WordList result = read_token(rest, frame, expect_separator);
    if (result != WordList::complete)
      return result;
  }
  frame.has_arguments = frame.layout.known = true;
  if (frame.words.empty() && frame.layout.tokens.size() == 1 && frame.cut) { // "(...)": inlined, or not described
    frame.has_arguments = frame.layout.known = frame.cut = false;
    frame.layout.tokens.clear();
  }
  return WordList::complete;
}

/// A linked name has no blanks but inside brackets ("main.(*struct { main.T }).f", "main.Map[int, string]").
bool plausible_name(std::string_view name) {
  int depth = 0;
  for (const char c : name) {
    if (c == '(' || c == '[' || c == '{')
      ++depth;
    else if (c == ')' || c == ']' || c == '}')
      --depth;
    else if (static_cast<unsigned char>(c) <= ' ' && depth <= 0)
      return false;
  }
  return !name.empty() && name.front() != '(' && name.back() != ':';
}

/// The text broke off inside the words: the last one may lack digits.
std::optional<TracebackFrame> read_broken_call(std::string_view line) {
  const std::size_t open = line.rfind('(');
  if (open == std::string_view::npos || !plausible_name(line.substr(0, open)) ||
      line.substr(0, open).find('.') == std::string_view::npos)
    return std::nullopt;
  TracebackFrame frame;
  frame.function = line.substr(0, open);
  std::string_view words = line.substr(open + 1);
  const std::size_t comma = words.rfind(',');
  words = words.substr(0, comma == std::string_view::npos ? 0 : comma);
  if (read_words(words, frame) == WordList::wrong)
    return std::nullopt;
  frame.layout.tokens.push_back({.kind = ArgumentToken::Kind::ellipsis});
  frame.cut = frame.has_arguments = frame.layout.known = true;
  return frame;
}

/// Takes " pc=0x3", " +0x1d" … off the end of a source position, as long as there are such.
void take_place_details(std::string_view &text, TracebackFrame &into) {
  for (;;) {
    const std::size_t blank = text.rfind(' ');
    std::string_view last = blank == std::string_view::npos ? text : text.substr(blank + 1);
    std::optional<std::uint64_t> *field = nullptr;
    if (skip(last, "+"))
      field = &into.offset;
    else if (skip(last, "fp="))
      field = &into.frame_pointer;
    else if (skip(last, "sp="))
      field = &into.stack_pointer;
    else if (skip(last, "pc="))
      field = &into.pc;
    const auto number = field != nullptr ? whole_hexadecimal(last) : std::nullopt;
    if (!number)
      return;
    *field = number;
    text = blank == std::string_view::npos ? std::string_view() : trim_blanks(text.substr(0, blank));
  }
}

bool signal_name(std::string_view name) {
  return name.size() > 3 && name.size() <= 12 && name.starts_with("SIG") &&
         std::ranges::all_of(name, [](char c) { return (c >= 'A' && c <= 'Z') || digit(c); });
}

/// The `key=number` parts of a line: decimal in "sigcode=1", hexadecimal elsewhere.
void read_signal_numbers(std::string_view text, TracebackSignal &into) {
  for (std::string_view rest = text; !rest.empty();) {
    const std::size_t blank = std::min(rest.find(' '), rest.size());
    std::string_view part = rest.substr(0, blank);
    rest.remove_prefix(std::min(blank + 1, rest.size()));
    if (skip(part, "code="))
      into.code = whole_hexadecimal(part);
    else if (skip(part, "sigcode="))
      into.code = whole_decimal(part);
    else if (skip(part, "addr="))
      into.address = whole_hexadecimal(part);
    else if (skip(part, "pc=") || skip(part, "PC="))
      into.pc = whole_hexadecimal(part);
  }
}

/// winnt.h, STATUS_…
std::string windows_exception(std::string_view code) {
  constexpr std::array<std::pair<std::string_view, std::string_view>, 9> known = {
      {{"0xc0000005", "access violation"},
       {"0xc0000006", "a page could not be read"},
       {"0xc000001d", "illegal instruction"},
       {"0xc0000094", "integer division by zero"},
       {"0xc0000095", "integer overflow"},
       {"0xc0000096", "privileged instruction"},
       {"0xc00000fd", "stack overflow"},
       {"0xc0000374", "heap corruption"},
       {"0x80000003", "breakpoint"}}};
  const auto *const found = std::ranges::find(known, code, &std::pair<std::string_view, std::string_view>::first);
  return found == known.end() ? std::string() : std::string(found->second);
}

/// "Exception 0xc0000005 0x0 0x50 0x4a1b2c": what was done (0 read, 1 write, 8 execute), the address, the pc
/// (runtime/signal_windows.go, winthrow).
std::optional<TracebackSignal> read_exception(std::string_view line) {
  if (!skip(line, "Exception "))
    return std::nullopt;
  TracebackSignal signal;
  const std::string_view name = line.substr(0, line.find(' '));
  if (!whole_hexadecimal(name) || name.size() != 10)
    return std::nullopt;
  line.remove_prefix(name.size());
  signal.name = name;
  signal.description = windows_exception(name);
  for (std::optional<std::uint64_t> *field : {&signal.code, &signal.address, &signal.pc})
    if (skip(line, " "))
      *field = take_hexadecimal(line);
  return signal;
}

} // namespace

std::string_view trim_blanks(std::string_view text) {
  while (!text.empty() && static_cast<unsigned char>(text.front()) <= ' ')
    text.remove_prefix(1);
  while (!text.empty() && static_cast<unsigned char>(text.back()) <= ' ')
    text.remove_suffix(1);
  return text;
}

std::optional<TracebackHeaderLine> read_traceback_header(std::string_view line) {
  std::size_t column = 0;
  for (std::size_t i = 0; i < max_header_tries; ++i, ++column) {
    column = line.find("goroutine ", column);
    if (column > max_prefix_length) // npos, too
      return std::nullopt;
    if (auto goroutine = read_header_at(line.substr(column)))
      return TracebackHeaderLine{std::move(*goroutine), column};
  }
  return std::nullopt;
}

std::optional<TracebackFrame> read_traceback_call(std::string_view line, bool cut_off) {
  line = trim_blanks(line);
  constexpr std::string_view ellipsis = "\u2026"; // journalctl and others cut lines at the terminal's width
  if (line.ends_with(ellipsis))
    return read_broken_call(line.substr(0, line.size() - ellipsis.size()));
  if (!line.ends_with(')'))
    return cut_off ? read_broken_call(line) : std::nullopt;
  line.remove_suffix(1);
  const std::size_t open = line.rfind('(');
  if (open == std::string_view::npos || !plausible_name(line.substr(0, open)))
    return std::nullopt;
  TracebackFrame frame;
  frame.function = line.substr(0, open);
  if (read_words(line.substr(open + 1), frame) != WordList::complete)
    return std::nullopt;
  return frame;
}

bool read_traceback_place(std::string_view line, TracebackFrame &into) {
  std::string_view text = trim_blanks(line);
  TracebackFrame details;
  take_place_details(text, details);
  if (!text.empty()) {
    const std::size_t colon = text.rfind(':');
    const auto number = colon == std::string_view::npos ? std::nullopt : whole_decimal(text.substr(colon + 1));
    if (!number || colon == 0 || *number > INT32_MAX)
      return false;
    // Else "connected to 10.0.0.1:80" would be a position.
    const bool indented = !line.empty() && (line.front() == '\t' || line.front() == ' ');
    const std::string_view file = text.substr(0, colon);
    if (!indented && !details.offset && !details.pc && !file.ends_with(".go") && !file.ends_with(".s"))
      return false;
    into.file = text.substr(0, colon);
    into.line = static_cast<int>(*number);
  } else if (!details.pc) {
    return false;
  }
  into.offset = details.offset;
  into.frame_pointer = details.frame_pointer;
  into.stack_pointer = details.stack_pointer;
  into.pc = details.pc;
  return true;
}

std::optional<TracebackCreatorLine> read_traceback_creator(std::string_view line) {
  line = trim_blanks(line);
  if (!skip(line, "created by "))
    return std::nullopt;
  TracebackCreatorLine creator;
  constexpr std::string_view in_goroutine = " in goroutine ";
  if (const std::size_t at = line.rfind(in_goroutine); at != std::string_view::npos)
    if (const auto goroutine = whole_decimal(line.substr(at + in_goroutine.size()))) {
      creator.goroutine = goroutine;
      line = line.substr(0, at);
    }
  if (!plausible_name(line))
    return std::nullopt;
  creator.function = line;
  return creator;
}

std::optional<std::size_t> read_elided_frames(std::string_view line) {
  line = trim_blanks(line);
  constexpr std::string_view end = " frames elided...";
  if (!line.ends_with(end) || !skip(line, "..."))
    return std::nullopt;
  line.remove_suffix(end.size());
  if (line == "additional")
    return 1;
  return whole_decimal(line);
}

std::optional<std::uint64_t> read_ancestor(std::string_view line) {
  line = trim_blanks(line);
  if (!skip(line, "[originating from goroutine ") || !line.ends_with("]:"))
    return std::nullopt;
  return whole_decimal(line.substr(0, line.size() - 2));
}

bool read_signal_line(std::string_view line, std::optional<TracebackSignal> &into) {
  line = trim_blanks(line);
  if (auto exception = read_exception(line)) {
    into = std::move(exception);
    return true;
  }
  if (skip(line, "[signal ")) {
    into = TracebackSignal{};
    const std::size_t numbers = std::min(line.find(" code="), line.size());
    std::string_view name = line.substr(0, numbers);
    if (const std::size_t colon = name.find(": "); colon != std::string_view::npos) {
      into->description = name.substr(colon + 2);
      name = name.substr(0, colon);
    }
    into->name = name;
    if (into->description.empty())
      into->description = windows_exception(name);
    line.remove_prefix(numbers);
    read_signal_numbers(line.ends_with(']') ? line.substr(0, line.size() - 1) : line, *into);
    return true;
  }
  if (line.starts_with("PC=0x")) {
    if (!into)
      into.emplace();
    read_signal_numbers(line, *into);
    return true;
  }
  const std::size_t colon = line.find(": ");
  if (colon == std::string_view::npos || !signal_name(line.substr(0, colon)))
    return false;
  into = TracebackSignal{};
  into->name = line.substr(0, colon);
  into->description = line.substr(colon + 2);
  return true;
}

std::optional<std::pair<std::string, std::uint64_t>> read_register(std::string_view line) {
  line = trim_blanks(line);
  const std::size_t blank = line.find_first_of(" \t");
  if (blank > max_register_length || // npos, too

      !std::ranges::all_of(line.substr(0, blank), [](char c) { return (c >= 'a' && c <= 'z') || digit(c); }))
    return std::nullopt;
  const auto value = whole_hexadecimal(trim_blanks(line.substr(blank)));
  if (!value)
    return std::nullopt;
  return std::pair(std::string(line.substr(0, blank)), *value);
}

std::optional<int> read_exit_status(std::string_view line) {
  line = trim_blanks(line);
  if (!skip(line, "exit status "))
    return std::nullopt;
  const auto status = whole_decimal(line);
  return status && *status < 256 ? std::optional(static_cast<int>(*status)) : std::nullopt;
}

bool is_handler_message(std::string_view line) {
  return line.contains("panic serving ") || line.contains("panic recovered:") || line.contains("Observed a panic: ");
}

MessageLine classify_message_line(std::string_view line) {
  std::string_view text = trim_blanks(line);
  const bool indented = !line.empty() && (line.front() == '\t' || line.front() == ' ');
  if (text.starts_with("panic: "))
    return indented ? MessageLine::belongs : MessageLine::begins;
  if (text.starts_with("fatal error: ") || text.starts_with("fatal: morestack on ") ||
      text.starts_with("WARNING: DATA RACE") || text.starts_with("Exception 0x"))
    return MessageLine::begins;
  if (const std::size_t colon = text.find(": "); colon != std::string_view::npos && signal_name(text.substr(0, colon)))
    return MessageLine::begins;
  if (is_handler_message(text))
    return MessageLine::begins;
  constexpr std::array<std::string_view, 7> belonging = {
      "runtime: ",           "[signal ", "PC=0x", "unexpected fault address", "signal arrived during ",
      "goroutine profile: ", "what(): "}; // a C++ exception's
  const bool belongs = std::ranges::any_of(belonging, [&](std::string_view start) { return text.starts_with(start); });
  return belongs || !meaning_of_c_abort(text).empty() ? MessageLine::belongs : MessageLine::none;
}

std::optional<ProfileRecordLine> read_profile_record(std::string_view line) {
  const std::size_t sign = line.find(" @ 0x");
  if (sign == std::string_view::npos || sign == 0 || sign > max_prefix_length)
    return std::nullopt;
  std::size_t column = sign;
  while (column > 0 && digit(line[column - 1]))
    --column;
  const auto count = whole_decimal(line.substr(column, sign - column));
  std::string_view rest = line.substr(sign + 2);
  while (skip(rest, " ") && take_hexadecimal(rest)) {
  }
  if (!count || *count == 0 || !trim_blanks(rest).empty() || (column > 0 && line[column - 1] == '['))
    return std::nullopt;
  return ProfileRecordLine{*count, column};
}

std::optional<TracebackFrame> read_profile_frame(std::string_view line) {
  std::string_view text = trim_blanks(line);
  if (!skip(text, "#"))
    return std::nullopt;
  text = trim_blanks(text);
  TracebackFrame frame;
  frame.pc = take_hexadecimal(text);
  const std::size_t plus = text.find("+0x");
  if (!frame.pc || plus == std::string_view::npos)
    return std::nullopt;
  frame.function = trim_blanks(text.substr(0, plus));
  std::string_view rest = text.substr(plus + 1);
  frame.offset = take_hexadecimal(rest);
  const std::size_t colon = rest.rfind(':');
  const auto number = colon == std::string_view::npos ? std::nullopt : whole_decimal(rest.substr(colon + 1));
  if (!frame.offset || !number || *number > INT32_MAX)
    return std::nullopt;
  frame.file = trim_blanks(rest.substr(0, colon));
  frame.line = static_cast<int>(*number);
  return frame;
}

std::optional<std::string_view> message_behind_text(std::string_view line) {
  constexpr std::string_view signs = "\t\"'=>[({]|`";
  for (const std::string_view begin : {"panic: ", "fatal error: "}) {
    const std::size_t at = line.find(begin);
    if (at == std::string_view::npos || at == 0)
      continue;
    const std::string_view before = line.substr(0, at);
    const bool apart = signs.find(before.back()) != std::string_view::npos || before.ends_with("  ") ||
                       before.ends_with(": ") || before.ends_with("] ") || before.ends_with("| ") ||
                       before.ends_with("- ");
    if (apart)
      return line.substr(at);
  }
  return std::nullopt;
}

std::optional<RaceSectionLine> read_race_section(std::string_view line) {
  line = trim_blanks(line);
  if (!line.ends_with(':'))
    return std::nullopt;
  line.remove_suffix(1);
  RaceSectionLine section;
  if (skip(line, "Goroutine ")) {
    const auto id = take_number(line);
    if (!id || !line.starts_with(" (") || !line.ends_with(" created at"))
      return std::nullopt;
    section.goroutine = *id;
    return section;
  }
  const std::size_t by = line.rfind(" by ");
  const std::size_t at = line.find(" at 0x");
  if (by == std::string_view::npos || at == std::string_view::npos || at > by)
    return std::nullopt;
  std::string_view who = line.substr(by + 4);
  if (who != "main goroutine") {
    const auto id = skip(who, "goroutine ") ? whole_decimal(who) : std::nullopt;
    if (!id)
      return std::nullopt;
    section.goroutine = *id;
  } else {
    section.goroutine = 1;
  }
  section.access = line.substr(0, by);
  section.access.front() = static_cast<char>(section.access.front() | 0x20);
  return section;
}

} // namespace inspect
