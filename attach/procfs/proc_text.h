// What the texts of /proc have in common: lines, words, numbers, and what the kernel adds to names.
//
//     while (!text.empty()) {
//       std::string_view line = take_until(text, '\n');
//       const std::string_view first = take_word(line);
//       …
//     }
//
// Source: man page proc(5).
#pragma once

#include <charconv>
#include <cstdint>
#include <optional>
#include <string>
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
  const char *const end = text.data() + text.size();
  const auto parsed = std::from_chars(text.data(), end, number, base);
  return parsed.ec == std::errc() && parsed.ptr == end ? std::optional(number) : std::nullopt;
}

/// Takes the kernel's " (deleted)" off the name of a file or a control group; whether it was there.
bool take_deleted_mark(std::string_view &name);
bool take_deleted_mark(std::string &name);

/// 4026531840 of "net:[4026531840]", the text of a link; nothing where it has no number in brackets.
std::optional<std::uint64_t> inode_in_link(std::string_view link);

} // namespace inspect
