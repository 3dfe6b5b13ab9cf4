#include "golang/traceback/log_records.h"

#include "golang/traceback/log_escapes.h"
#include "golang/traceback/traceback_lines.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <unordered_map>
#include <unordered_set>

namespace inspect {
namespace {

constexpr std::size_t max_key_length = 128;
constexpr std::size_t max_keys = 4096;       // different ones in a text
constexpr std::size_t max_members = 1 << 20; // of one line: an array may have all lines of a log
constexpr std::size_t max_field_length = 1 << 22;
constexpr std::size_t least_in_one_value = 3; // lines like a traceback's that make a value one by itself

struct Member {
  std::string key;
  std::string value;
};

struct Record {
  std::vector<Member> members;
  bool only_syntax = false; ///< of an object that is printed over several lines, without a string
};

/// How much of a traceback the values of a key are.
struct KeyCount {
  std::size_t weight = 0;
  std::size_t values = 0;
  std::size_t stacks = 0;   ///< values that hold a whole one each
  std::size_t finished = 0; ///< that end with a line end: Docker's, of which a long line is several
};

/// A position alone may be where a message was logged, which is in every record.
std::size_t weight_of_line(std::string_view line) {
  constexpr std::size_t header = 16, part = 4;
  if (!looks_like_traceback(line))
    return 0;
  if (read_traceback_header(line))
    return header;
  TracebackFrame place;
  const bool indented = line.starts_with('\t') || line.starts_with(' ');
  return read_traceback_place(line, place) && !indented && !place.offset ? 0 : part;
}

struct ValueCount {
  std::size_t weight = 0;
  std::size_t lines = 0;
};

ValueCount count_traceback(std::string_view value) {
  ValueCount count;
  while (!value.empty()) {
    const std::size_t end = std::min(value.find('\n'), value.size());
    const std::size_t weight = weight_of_line(value.substr(0, end));
    count.weight += weight;
    count.lines += weight > 0 ? 1 : 0;
    value.remove_prefix(std::min(end + 1, value.size()));
  }
  return count;
}

bool has_several_lines(std::string_view value) {
  return value.find('\n') < value.size() - (value.empty() ? 0 : 1);
}

/// What a logger calls the message that stands beside a whole stack.
bool names_message(std::string_view key) {
  constexpr std::array<std::string_view, 12> names = {"msg",       "message", "MESSAGE", "error",
                                                      "err",       "panic",   "event",   "reason",
                                                      "exception", "@m",      "short",   "short_message"};
  return std::ranges::find(names, key) != names.end();
}

class MemberChooser {
public:
  void count(const Record &record) {
    for (const Member &member : record.members) {
      if (counts_.size() >= max_keys && !counts_.contains(member.key))
        continue;
      KeyCount &count = counts_[member.key];
      const ValueCount found = count_traceback(member.value);
      count.weight += found.weight;
      ++count.values;
      count.stacks += found.lines >= least_in_one_value && has_several_lines(member.value) ? 1 : 0;
      count.finished += member.value.ends_with('\n') ? 1 : 0;
    }
  }

  /// False: no member holds a traceback.
  bool choose() {
    const auto best = std::ranges::max_element(counts_, {}, [](const auto &one) { return one.second.weight; });
    if (best == counts_.end() || best->second.weight == 0)
      return false;
    best_ = best->first;
    continued_ = best->second.finished * 2 > best->second.values;
    for (const auto &[key, count] : counts_)
      if (key == best_ || count.stacks > 0)
        chosen_.insert(key);
    return true;
  }

  /// The record's lines; false where it has none of the members.
  bool write(const Record &record, std::uint32_t number, LogTextWriter &into) {
    const auto is_chosen = [&](const Member &member) { return chosen_.contains(member.key); };
    if (std::ranges::none_of(record.members, is_chosen))
      return false;
    const bool holds_stack = std::ranges::any_of(
        record.members, [&](const Member &member) { return is_chosen(member) && has_several_lines(member.value); });
    if (holds_stack)
      for (const Member &member : record.members)
        if (!is_chosen(member) && names_message(member.key))
          into.add(member.value, number);
    std::unordered_set<std::string_view> written; // as one text and as an array of its lines
    for (const Member &member : record.members)
      if (is_chosen(member) && (!has_several_lines(member.value) || written.insert(trim_blanks(member.value)).second))
        write_value(member, number, into);
    return true;
  }

  /// What is left of a line that was cut into several.
  void flush(LogTextWriter &into) {
    if (!pending_.empty())
      into.add(pending_, pending_number_);
    pending_.clear();
  }

private:
  void write_value(const Member &member, std::uint32_t number, LogTextWriter &into) {
    std::string_view value = member.value;
    if (!continued_ || member.key != best_)
      return into.add(value, number);
    if (pending_.empty())
      pending_number_ = number;
    pending_ += value;
    if (!pending_.ends_with('\n') && pending_.size() < max_field_length)
      return;
    while (pending_.ends_with('\n') || pending_.ends_with('\r'))
      pending_.pop_back();
    into.add(pending_, pending_number_);
    pending_.clear();
  }

  std::unordered_map<std::string, KeyCount> counts_;
  std::unordered_set<std::string> chosen_;
  std::string best_;
  bool continued_ = false;
  std::string pending_;
  std::uint32_t pending_number_ = 0;
};

template <typename ReadRecord>
std::optional<LogText> values_of(const LogText &log, bool drop_others, const ReadRecord &read_record) {
  const std::vector<NumberedLine> lines = numbered_lines(log);
  MemberChooser chooser;
  for (const NumberedLine &line : lines)
    chooser.count(read_record(line.text));
  if (!chooser.choose())
    return std::nullopt;
  LogTextWriter writer;
  for (const NumberedLine &line : lines) {
    const Record record = read_record(line.text);
    if (chooser.write(record, line.number, writer))
      continue;
    if (drop_others && (!record.members.empty() || record.only_syntax))
      continue;
    chooser.flush(writer);
    writer.add(line.text, line.number);
  }
  chooser.flush(writer);
  return writer.take();
}

/// All strings of a line, and the keys that they belong to.
class JsonLineReader {
public:
  explicit JsonLineReader(char quote) : quote_(quote) {}

  Record read(std::string_view line) {
    Record record;
    record.only_syntax = !trim_blanks(line).empty() && line.find_first_not_of(" \t[]{},") == std::string_view::npos;
    bool any_key = false;
    for (std::size_t at = line.find(quote_); at != std::string_view::npos; at = line.find(quote_, at)) {
      std::string text = unescaped_until(line, ++at, quote_);
      const bool closed = at > 0 && line[at - 1] == quote_;
      std::size_t next = line.find_first_not_of(" \t", at);
      next = next == std::string_view::npos ? line.size() : next;
      if (next < line.size() && line[next] == ':' && text.size() <= max_key_length) {
        key_ = std::move(text);
        any_key = true;
        at = next + 1;
        if (auto bytes = read_bytes(line, at))
          append(record, std::move(*bytes));
        continue;
      }
      const bool ends = next == line.size() || line[next] == ',' || line[next] == '}' || line[next] == ']';
      const bool cut_off = !closed && at >= line.size();
      if (((closed && ends) || cut_off) && !is_number(text)) // a time among an array's strings
        append(record, std::move(text));
    }
    if (any_key && trim_blanks(line).starts_with(quote_))
      record.only_syntax = true; // a number's, an object's
    if (!any_key && !is_array_line(line))
      record.members.clear();
    return record;
  }

private:
  static bool is_number(std::string_view text) {
    return !text.empty() && std::ranges::all_of(text, [](char c) { return (c >= '0' && c <= '9') || c == '.'; });
  }

  /// journalctl -o json writes what is not plain text, such as colours, as an array of numbers.
  static std::optional<std::string> read_bytes(std::string_view line, std::size_t &at) {
    std::size_t next = line.find_first_not_of(" \t", at);
    if (next == std::string_view::npos || line[next] != '[')
      return std::nullopt;
    std::string bytes;
    while (++next < line.size()) {
      unsigned byte = 0;
      const auto [end, failed] = std::from_chars(line.data() + next, line.data() + line.size(), byte);
      next = static_cast<std::size_t>(end - line.data());
      if (failed != std::errc() || byte > 0xff || next >= line.size())
        return std::nullopt;
      bytes += static_cast<char>(byte);
      if (line[next] == ']') {
        at = next + 1;
        return bytes;
      }
      if (line[next] != ',')
        return std::nullopt;
      next += line.substr(next + 1).starts_with(' ') ? 1 : 0;
    }
    return std::nullopt;
  }

  bool is_array_line(std::string_view line) const {
    line = trim_blanks(line);
    return line.starts_with(quote_) || line.starts_with('[') || line.starts_with('{');
  }

  /// The strings of an array are the lines of one value.
  void append(Record &record, std::string text) const {
    if (!record.members.empty() && record.members.back().key == key_) {
      record.members.back().value += "\n" + text;
      return;
    }
    if (record.members.size() < max_members)
      record.members.push_back({key_, std::move(text)});
  }

  char quote_;
  std::string key_;
};

bool is_key_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '.' ||
         c == '-' || c == '@';
}

Record read_pairs(std::string_view line) {
  Record record;
  for (std::size_t equals = line.find('='); equals != std::string_view::npos && record.members.size() < max_members;
       equals = line.find('=', equals)) {
    std::size_t begin = equals;
    while (begin > 0 && equals - begin < max_key_length && is_key_character(line[begin - 1]))
      --begin;
    const std::string_view key = line.substr(begin, equals - begin);
    std::size_t at = equals + 1;
    const bool separate = begin == 0 || line[begin - 1] == ' ' || line[begin - 1] == '\t' || line[begin - 1] == '{' ||
                          line[begin - 1] == ',' || line[begin - 1] == '[';
    if (key.empty() || !separate) {
      equals = at;
      continue;
    }
    std::string value;
    if (at < line.size() && (line[at] == '"' || line[at] == '\'' || line[at] == '`')) {
      const char quote = line[at];
      value = unescaped_until(line, ++at, quote);
    } else {
      const std::size_t end = std::min(line.find(' ', at), line.size());
      value = line.substr(at, end - at);
      at = end;
    }
    record.members.push_back({std::string(key), std::move(value)});
    equals = at;
  }
  return record;
}

/// `  - key: "value"`
Record read_line_member(std::string_view line) {
  Record record;
  std::string_view text = trim_blanks(line);
  if (text.starts_with("- "))
    text = trim_blanks(text.substr(2));
  const std::size_t colon = text.find(':');
  if (colon == 0 || colon > max_key_length || !std::ranges::all_of(text.substr(0, colon), is_key_character) ||
      (colon + 1 < text.size() && text[colon + 1] != ' ')) {
    record.only_syntax = text == "---";
    return record;
  }
  std::string_view value = trim_blanks(text.substr(colon + 1));
  Member member{std::string(text.substr(0, colon)), std::string(value)};
  if (value.starts_with('"')) {
    std::size_t at = 1;
    member.value = unescaped_until(value, at, '"');
  } else if (value.size() >= 2 && value.starts_with('\'') && value.ends_with('\'')) {
    member.value.clear();
    value = value.substr(1, value.size() - 2);
    for (std::size_t i = 0; i < value.size(); ++i) {
      member.value += value[i];
      i += value.substr(i).starts_with("''") ? 1 : 0;
    }
  }
  record.members.push_back(std::move(member));
  return record;
}

/// Fields of a text, line by line: a quoted one may go on in the next.
std::vector<std::string> read_row(std::string_view text, std::size_t &at, char separator) {
  std::vector<std::string> fields(1);
  const auto starts_quoted = [&] { return at < text.size() && text[at] == '"'; };
  bool quoted = starts_quoted();
  at += quoted ? 1 : 0;
  while (at < text.size() && fields.size() < max_members) {
    const char c = text[at++];
    if (quoted) {
      if (c != '"')
        fields.back() += c;
      else if (starts_quoted())
        fields.back() += text[at++];
      else
        quoted = false;
      if (fields.back().size() > max_field_length)
        break;
    } else if (c == '\n') {
      break;
    } else if (c == separator) {
      fields.emplace_back();
      quoted = starts_quoted();
      at += quoted ? 1 : 0;
    } else if (c != '\r') {
      fields.back() += c;
    }
  }
  return fields;
}

} // namespace

std::optional<LogText> values_of_json(const LogText &log, char quote) {
  if (!log.text.contains(quote))
    return std::nullopt;
  JsonLineReader reader(quote);
  return values_of(log, true, [&](std::string_view line) { return reader.read(line); });
}

std::optional<LogText> values_of_pairs(const LogText &log) {
  if (!log.text.contains('='))
    return std::nullopt;
  return values_of(log, false, read_pairs);
}

std::optional<LogText> values_of_lines(const LogText &log) {
  return log.text.contains(": ") ? values_of(log, true, read_line_member) : std::nullopt;
}

std::optional<LogText> values_of_columns(const LogText &log, char separator) {
  if (!log.text.contains('"') || !log.text.contains(separator))
    return std::nullopt;
  std::vector<std::vector<std::string>> rows;
  std::vector<std::uint32_t> numbers;
  std::size_t line = 0;
  for (std::size_t at = 0; at < log.text.size();) {
    const std::size_t begin = at;
    rows.push_back(read_row(log.text, at, separator));
    numbers.push_back(static_cast<std::uint32_t>(log.number(line)));
    line += static_cast<std::size_t>(std::count(log.text.begin() + static_cast<std::ptrdiff_t>(begin),
                                                log.text.begin() + static_cast<std::ptrdiff_t>(at), '\n'));
  }
  std::unordered_map<std::size_t, std::size_t> like;
  for (const auto &row : rows)
    for (std::size_t i = 0; i < row.size(); ++i)
      like[i] += count_traceback(row[i]).weight;
  const auto best = std::ranges::max_element(like, {}, [](const auto &one) { return one.second; });
  if (best == like.end() || best->second == 0)
    return std::nullopt;
  LogTextWriter writer;
  for (std::size_t i = 0; i < rows.size(); ++i)
    if (best->first < rows[i].size())
      writer.add(rows[i][best->first], numbers[i]);
    else
      writer.add(rows[i].back(), numbers[i]);
  return writer.take();
}

} // namespace inspect
