#include "tests/commands/truth/go_notation.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <cmath>
#include <cstdlib>
#include <fmt/format.h>
#include <regex>
#include <vector>

namespace inspect::test {
namespace {

/// Behind the text in quotes that begins here.
std::size_t end_of_quotes(const std::string &text, std::size_t at) {
  for (++at; at < text.size() && text[at] != '"'; ++at)
    if (text[at] == '\\')
      ++at;
  return std::min(at + 1, text.size());
}

bool closes_group(char c) {
  return c == ')' || c == ']' || c == '}';
}

bool opens_group(char c) {
  return c == '(' || c == '[' || c == '{';
}

/// The place of the bracket that closes the one here.
std::size_t end_of_group(const std::string &text, std::size_t at) {
  int depth = 0;
  for (std::size_t i = at; i < text.size(); ++i) {
    if (text[i] == '"')
      i = end_of_quotes(text, i) - 1;
    else if (opens_group(text[i]))
      ++depth;
    else if (closes_group(text[i]) && --depth == 0)
      return i;
  }
  return text.size();
}

/// The entries of a map, sorted. Without the brackets.
std::string sorted_entries(const std::string &inside) {
  std::vector<std::string> entries;
  std::size_t begin = 0;
  for (std::size_t i = 0; i < inside.size(); ++i) {
    if (inside[i] == '"') {
      i = end_of_quotes(inside, i) - 1;
    } else if (opens_group(inside[i])) {
      i = end_of_group(inside, i);
    } else if (inside.compare(i, 2, ", ") == 0) {
      entries.push_back(inside.substr(begin, i - begin));
      begin = i + 2;
    }
  }
  std::sort(entries.begin(), entries.end());
  std::string text;
  for (const std::string &entry : entries)
    text += entry + ", ";
  return text + inside.substr(begin);
}

std::string with_sorted_maps(const std::string &text) {
  std::string result;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '"') {
      const std::size_t end = end_of_quotes(text, i);
      result += text.substr(i, end - i);
      i = end - 1;
    } else if (opens_group(text[i])) {
      const std::size_t end = end_of_group(text, i);
      std::string inside = with_sorted_maps(text.substr(i + 1, end - i - 1));
      if (text[i] == '[' && inside.ends_with(", "))
        inside = sorted_entries(inside);
      result += text[i] + inside + (end < text.size() ? std::string(1, text[end]) : std::string());
      i = end;
    } else {
      result += text[i];
    }
  }
  return result;
}

/// Takes away the bracketed group that follows each match of the pattern.
std::string without_group_behind(std::string text, const std::regex &pattern) {
  std::smatch found;
  std::size_t from = 0;
  while (from < text.size()) {
    const std::string rest = text.substr(from);
    if (!std::regex_search(rest, found, pattern))
      break;
    const std::size_t end = from + static_cast<std::size_t>(found.position() + found.length());
    if (end + 1 < text.size() && text[end] == ' ' && opens_group(text[end + 1]))
      text.erase(end, end_of_group(text, end + 1) + 1 - end);
    from = end;
  }
  return text;
}

/// "1.5s", "2m0s", "37ns" in nanoseconds.
std::optional<double> go_duration(const std::string &word) {
  static const std::regex whole("-?([0-9.]+(h|ms|m|s|µs|ns))+");
  static const std::regex part("([0-9.]+)(h|ms|m|s|µs|ns)");
  if (!std::regex_match(word, whole))
    return std::nullopt;
  double sum = 0;
  for (std::sregex_iterator one(word.begin(), word.end(), part), end; one != end; ++one) {
    const std::string unit = (*one)[2];
    sum += std::stod((*one)[1]) * (unit == "h"    ? 3600e9
                                   : unit == "m"  ? 60e9
                                   : unit == "s"  ? 1e9
                                   : unit == "ms" ? 1e6
                                   : unit == "ns" ? 1
                                                  : 1e3);
  }
  return word.starts_with('-') ? -sum : sum;
}

/// Words and the signs between them; a text in quotes is one.
std::vector<std::string> go_words_of(const std::string &text) {
  std::vector<std::string> words;
  for (std::size_t i = 0; i < text.size();) {
    std::size_t end = i + 1;
    const auto in_word = [&](std::size_t at) {
      const char c = text[at];
      return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '.' || c == '_' || c == '-' || c == '+' || c < 0;
    };
    if (text[i] == '"')
      end = end_of_quotes(text, i);
    else if (in_word(i))
      while (end < text.size() && in_word(end))
        ++end;
    words.push_back(text.substr(i, end - i));
    i = end;
  }
  return words;
}

std::optional<double> go_number(const std::string &word) {
  if (word.empty() || word.front() == '"')
    return std::nullopt;
  char *end = nullptr;
  const double value = std::strtod(word.c_str(), &end);
  return *end == '\0' ? std::optional(value) : std::nullopt;
}

bool is_exponent(const std::string &word) {
  return word.find("e+") != std::string::npos || word.find("e-") != std::string::npos;
}

/// "abc...+4 more" for "abcdefg": only of what has no escapes.
bool cuts_text(const std::string &cut, const std::string &whole) {
  const std::size_t more = cut.rfind("...+");
  if (more == std::string::npos || !cut.ends_with(" more\"") || !whole.ends_with('"') ||
      whole.find('\\') != std::string::npos)
    return false;
  return whole.starts_with(cut.substr(0, more)) && whole.size() == more + std::stoul(cut.substr(more + 4)) + 1;
}

/// The names of the rules by which the words mean the same.
std::optional<std::string> same_go_words(const std::string &one, const std::string &other) {
  const std::vector<std::string> left = go_words_of(one);
  const std::vector<std::string> right = go_words_of(other);
  if (left.size() != right.size())
    return std::nullopt;
  bool exponents = false, durations = false, cut = false;
  for (std::size_t i = 0; i < left.size(); ++i) {
    if (left[i] == right[i])
      continue;
    const auto a = go_number(left[i]), b = go_number(right[i]);
    if (a && b && *a == *b && (is_exponent(left[i]) || is_exponent(right[i])))
      exponents = true;
    else if (cuts_text(left[i], right[i]))
      cut = true;
    else if (const auto time = go_duration(left[i]); time && b && std::abs(*time - *b) < 0.5)
      durations = true;
    else
      return std::nullopt;
  }
  std::string rules;
  for (const auto &[applied, rule] : {std::pair(exponents, "numbers of floating point that are not in the same form"),
                                      std::pair(durations, "durations as time"),
                                      std::pair(cut, "dlv writes out what it has put together from several texts")})
    if (applied)
      rules += (rules.empty() ? "" : "; ") + std::string(rule);
  return rules;
}

/// Where a rule changes a text, its name is noted.
struct GoRewriting {
  std::string text;
  std::vector<std::string> rules;
  void apply(std::string changed, const char *rule) {
    if (changed == text)
      return;
    text = std::move(changed);
    rules.emplace_back(rule);
  }
};

/// dlv shows a channel as the runtime's structure.
std::string with_short_channels(std::string text) {
  static const std::regex channel(R"(\{qcount: ([0-9]+), ?dataqsiz: ([0-9]+),)");
  std::smatch found;
  while (std::regex_search(text, found, channel)) {
    const auto begin = static_cast<std::size_t>(found.position());
    const std::string brief = fmt::format("{}/{}", found[1].str(), found[2].str());
    text.replace(begin, end_of_group(text, begin) + 1 - begin, brief);
  }
  static const std::regex none(R"((chan (?:[^{}"]|interface \{\}|struct \{\})*?) \{\}(?=$|[,\]}]))");
  return std::regex_replace(text, none, "$1 nil");
}

/// Without their types and elements: the type stands before them or before what they are elements of.
std::string with_counts_of_channels(const std::string &text) {
  static const std::regex buffered("[0-9]+/[0-9]+");
  static const std::regex typed(R"(chan (?:(?!\[+chan)[^"/,:])*? ([0-9]+/[0-9]+|nil))");
  return std::regex_replace(without_group_behind(text, buffered), typed, "$1");
}

/// What a format like %x has written of a text that was cut.
std::string without_count_of_rest(const std::string &text) {
  static const std::regex left_out("\\.\\.\\.\\+[0-9]+ more$");
  const bool is_formatted = !text.empty() && !closes_group(text.back()) && text.back() != '"';
  return is_formatted ? std::regex_replace(text, left_out, "") : text;
}

} // namespace

std::string go_value_on_one_line(const std::string &text) {
  std::string flat;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '"') {
      const std::size_t end = end_of_quotes(text, i);
      flat += text.substr(i, end - i);
      i = end - 1;
    } else if (closes_group(text[i]) && flat.ends_with(',')) {
      flat.back() = text[i]; // the comma of a line of its own
    } else if (text[i] == ' ' && flat.ends_with(',') && text.find_first_not_of(" \n\t", i) != std::string::npos &&
               text[text.find_first_not_of(" \n\t", i)] != ']') {
      continue; // of structures the comma is followed by a blank on one line, of lists it is not
    } else if (text[i] != '\n' && text[i] != '\t') {
      flat += text[i];
    }
  }
  return flat;
}

std::string as_go_tells_it(const std::string &text) {
  static const std::regex literal("\\.(func)?[0-9]+(\\.[0-9]+)*");
  return with_sorted_maps(without_group_behind(with_counts_of_channels(without_count_of_rest(text)), literal));
}

std::optional<std::string> same_go_value(const std::string &ours, const std::string &of_dlv) {
  static const std::regex address_line(R"(^\((\*|"\*)[^\n]*\)\(0x[0-9a-f]+\)\n)");
  static const std::regex captured(R"((\n\t+)([\w&]+) [^\n=]* = )");
  // Of a channel goroutines follow, if any.
  GoRewriting theirs{of_dlv.substr(0, of_dlv.find("\nGoroutines waiting on this channel:")), {}};
  theirs.apply(std::regex_replace(theirs.text, address_line, ""),
               "dlv puts the address of what a pointer leads to before it");
  theirs.apply(std::regex_replace(theirs.text, captured, "$1$2: "),
               "dlv writes what a function has captured with types");
  theirs.text = go_value_on_one_line(theirs.text);
  theirs.apply(with_short_channels(theirs.text),
               "dlv shows a channel as the runtime's structure, inspect its elements");
  static const std::regex named_duration(R"((?:Nano|Micro|Milli)?(?:[Ss]econd|Minute|Hour) \((-?[0-9]+)\))");
  theirs.apply(std::regex_replace(theirs.text, named_duration, "$1"), "durations as time");
  GoRewriting mine{go_value_on_one_line(ours), {}};
  mine.apply(without_count_of_rest(mine.text), "inspect says how much of a text it leaves out");
  theirs.rules.insert(theirs.rules.end(), mine.rules.begin(), mine.rules.end());
  auto words = same_go_words(mine.text, theirs.text);
  if (!words) {
    words = same_go_words(as_go_tells_it(mine.text), as_go_tells_it(theirs.text));
    if (theirs.rules.empty())
      theirs.rules.emplace_back("inspect shows the elements of channels and what functions have captured");
  }
  if (!words)
    return std::nullopt;
  std::string rules;
  for (const std::string &rule : theirs.rules)
    rules += (rules.empty() ? "" : "; ") + rule;
  return rules + (rules.empty() || words->empty() ? "" : "; ") + *words;
}

bool same_go_numbers(const std::string &one, const std::string &other) {
  return same_go_words(one, other).has_value();
}

} // namespace inspect::test
