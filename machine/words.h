// Taking a text apart: lines, words, numbers.
//
//     while (!text.empty()) {
//       std::string_view line = take_until(text, '\n');
//       const std::string_view first = take_word(line);
//       …
//     }
#pragma once

#include <charconv>
#include <optional>
#include <string_view>

namespace inspect {

/// The text before the next `separator`, or all of it; both are taken off `rest`.
std::string_view take_until(std::string_view &rest, char separator);
/// The next word between blanks (spaces, tabs and line ends), which is taken off `rest`; empty: there is none.
std::string_view take_word(std::string_view &rest);
/// Without the blanks around it.
std::string_view trimmed(std::string_view text);

/// Nothing where the text is anything else than a number in this base.
template <typename Number> std::optional<Number> whole_number(std::string_view text, int base = 10) {
  Number number{};
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), number, base);
  return parsed.ec == std::errc() && parsed.ptr == text.data() + text.size() ? std::optional(number) : std::nullopt;
}

} // namespace inspect
