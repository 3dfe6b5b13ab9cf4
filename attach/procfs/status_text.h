// The lines of /proc/PID/status and its like, "Key:\tvalue".
//
// Source: man page proc(5), "/proc/[pid]/status".
#pragma once

#include <charconv>
#include <optional>
#include <string_view>

namespace inspect {

/// The text behind "Key:" of the first line that starts so, without the blanks around it. The kernel escapes line ends
/// in names there, so that a line is a line.
std::optional<std::string_view> status_value(std::string_view text, std::string_view key);

/// The number that such a line holds, in this base; nothing where the line is missing or holds something else.
template <typename Number>
std::optional<Number> status_number(std::string_view text, std::string_view key, int base = 10) {
  const auto value = status_value(text, key);
  Number number{};
  if (!value || value->empty())
    return std::nullopt;
  const auto parsed = std::from_chars(value->data(), value->data() + value->size(), number, base);
  if (parsed.ec != std::errc() || parsed.ptr != value->data() + value->size())
    return std::nullopt;
  return number;
}

} // namespace inspect
