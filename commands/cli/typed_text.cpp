#include "commands/cli/typed_text.h"

#include <cctype>
#include <charconv>
#include <fmt/format.h>
#include <limits>

namespace inspect {
namespace {

std::optional<std::uint64_t> parse_digits(std::string_view text, int base) {
  std::uint64_t value = 0;
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), value, base);
  if (problem != std::errc() || end != text.data() + text.size())
    return std::nullopt;
  return value;
}

std::optional<std::uint64_t> parse_unsigned(std::string_view text) {
  int base = 10;
  if (text.size() > 2 && text[0] == '0') {
    const int prefix = std::tolower(static_cast<unsigned char>(text[1]));
    base = prefix == 'x' ? 16 : prefix == 'b' ? 2 : prefix == 'o' ? 8 : 10;
    if (base != 10)
      text.remove_prefix(2);
  }
  return parse_digits(text, base);
}

} // namespace

std::optional<std::uint64_t> parse_number(std::string_view text) {
  text = trimmed(text);
  if (text.starts_with('-')) {
    const auto value = parse_unsigned(text.substr(1));
    return value ? std::optional(std::uint64_t{0} - *value) : std::nullopt;
  }
  return parse_unsigned(text);
}

Result<std::size_t> parse_positive(std::string_view text, std::string_view what) {
  const auto number = parse_digits(text, 10);
  if (!number || *number == 0)
    return std::unexpected(Error(ErrorKind::usage, fmt::format("{} must be a positive number, not '{}'", what, text)));
  return *number;
}

Result<pid_t> parse_process_id(std::string_view text) {
  const auto number = parse_positive(text, "PID");
  if (!number || *number > static_cast<std::size_t>(std::numeric_limits<pid_t>::max()))
    return std::unexpected(Error(
        ErrorKind::usage, number ? fmt::format("'{}' is too large for a process id", text) : number.error().message(),
        "`inspect ps PATTERN` finds process ids by name"));
  return static_cast<pid_t>(*number);
}

} // namespace inspect
