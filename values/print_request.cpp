#include "values/print_request.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <fmt/format.h>
#include <optional>

namespace inspect {
namespace {

struct FormatLetter {
  char letter;
  NumberFormat format;
};

// dlv passes the verb to Go's fmt; %v and its kin say how much of the types is shown, not how numbers are.
constexpr auto verbs = std::to_array<FormatLetter>({
    {'x', NumberFormat::hexadecimal},
    {'X', NumberFormat::hexadecimal},
    {'d', NumberFormat::decimal},
    {'u', NumberFormat::unsigned_decimal},
    {'o', NumberFormat::octal},
    {'b', NumberFormat::binary},
    {'c', NumberFormat::character},
    {'p', NumberFormat::address},
    {'f', NumberFormat::floating},
    {'e', NumberFormat::floating},
    {'g', NumberFormat::floating},
    {'s', NumberFormat::text},
    {'q', NumberFormat::quoted},
    {'v', NumberFormat::natural},
    {'t', NumberFormat::natural},
});
constexpr auto gdb_letters = std::to_array<FormatLetter>({
    {'x', NumberFormat::hexadecimal},
    {'z', NumberFormat::padded_hexadecimal},
    {'d', NumberFormat::decimal},
    {'u', NumberFormat::unsigned_decimal},
    {'o', NumberFormat::octal},
    {'t', NumberFormat::binary},
    {'c', NumberFormat::character},
    {'a', NumberFormat::address},
    {'f', NumberFormat::floating},
    {'s', NumberFormat::text},
    {'r', NumberFormat::natural},
});

struct LimitName {
  std::string_view name;
  std::size_t PrintLimits::*limit;
};
constexpr auto limit_names = std::to_array<LimitName>({
    {"-elements", &PrintLimits::elements},
    {"-max-array-values", &PrintLimits::elements},
    {"-string", &PrintLimits::string_bytes},
    {"-max-string-len", &PrintLimits::string_bytes},
    {"-depth", &PrintLimits::recursion},
    {"-max-variable-recurse", &PrintLimits::recursion},
    {"-fields", &PrintLimits::fields},
    {"-max-struct-fields", &PrintLimits::fields},
});

bool is_blank(char c) {
  return c == ' ' || c == '\t';
}

class RequestParser {
public:
  RequestParser(std::string_view text, const PrintOptions &defaults) : text_(text) {
    request_.options = defaults;
    request_.options.headed = true;
  }

  Result<PrintRequest> parse() {
    while (true) {
      skip_blanks();
      const auto taken = take_one();
      if (!taken)
        return std::unexpected(taken.error());
      if (!*taken)
        break;
    }
    skip_blanks();
    request_.offset = at_;
    request_.expression = rest();
    while (!request_.expression.empty() && is_blank(request_.expression.back()))
      request_.expression.pop_back();
    if (request_.expression.empty())
      return std::unexpected(Error(ErrorKind::usage, "there is nothing to print", "print EXPRESSION"));
    return request_;
  }

private:
  std::string_view rest() const { return text_.substr(at_); }
  void skip_blanks() {
    while (at_ < text_.size() && is_blank(text_[at_]))
      ++at_;
  }
  std::string_view word() const { return rest().substr(0, std::min(rest().find_first_of(" \t"), rest().size())); }

  /// Whether there was a format or a limit. After "--" there is none.
  Result<bool> take_one() {
    const std::string_view first = word();
    if (ended_ || first.empty())
      return false;
    if (first == "--") {
      at_ += 2;
      ended_ = true;
      return false;
    }
    if (first.front() == '/')
      return take_gdb_format(first);
    if (first.front() == '%')
      return take_verb(first);
    return first.front() == '-' ? take_limit(first) : Result<bool>(false);
  }

  Result<bool> take_gdb_format(std::string_view word) {
    // gdb takes "p/x(a)" as well: the letters end where the expression begins.
    std::size_t length = 1;
    while (length < word.size() && word[length] >= 'a' && word[length] <= 'z')
      ++length;
    if (length == 2) {
      const auto found = std::ranges::find(gdb_letters, word[1], &FormatLetter::letter);
      if (found != gdb_letters.end()) {
        request_.options.format = found->format;
        at_ += length;
        return true;
      }
    }
    return std::unexpected(
        Error(ErrorKind::usage,
              fmt::format("'{}' is not a format of print", word.substr(0, std::max<std::size_t>(length, 2))),
              "one of /x /d /u /o /t /c /a /f /s /z"));
  }

  /// "%x", "%#v". "%rax" is a register, and "%" with anything else behind it an expression's mistake.
  Result<bool> take_verb(std::string_view word) {
    std::size_t at = 1;
    while (at < word.size() && std::string_view("#+").contains(word[at]))
      ++at;
    if (at + 1 != word.size())
      return false;
    const auto found = std::ranges::find(verbs, word[at], &FormatLetter::letter);
    if (found == verbs.end())
      return std::unexpected(Error(ErrorKind::usage, fmt::format("'{}' is not a format of print", word),
                                   "one of %x %d %o %b %c %f %s %q %p %v %+v %#v"));
    request_.options.format = found->format;
    request_.options.bare = word[1] != '#';
    if (found->letter == 'v') {
      request_.options.with_types = word[1] == '#';
      request_.options.headed = word[1] == '#';
    }
    at_ += word.size();
    return true;
  }

  Result<bool> take_limit(std::string_view word) {
    const auto found = std::ranges::find(limit_names, word, &LimitName::name);
    if (found == limit_names.end())
      return false;
    at_ += word.size();
    skip_blanks();
    const std::string_view value = this->word();
    std::size_t limit = 0;
    const auto [end, problem] = std::from_chars(value.data(), value.data() + value.size(), limit);
    if (value == "unlimited")
      limit = SIZE_MAX;
    else if (problem != std::errc{} || end != value.data() + value.size() || value.empty())
      return std::unexpected(Error(ErrorKind::usage, fmt::format("{} takes a number, not '{}'", word, value)));
    request_.options.limits.*(found->limit) = limit;
    at_ += value.size();
    return true;
  }

  std::string_view text_;
  std::size_t at_ = 0;
  bool ended_ = false;
  PrintRequest request_;
};

} // namespace

Result<PrintRequest> parse_print_request(std::string_view text, const PrintOptions &defaults) {
  return RequestParser(text, defaults).parse();
}

} // namespace inspect
