#include "values/expression/expression.h"

#include <algorithm>
#include <charconv>
#include <fmt/format.h>

namespace inspect {
namespace {

constexpr std::string_view place_prefix = "at column ";

} // namespace

Error expression_error(std::size_t offset, std::string_view message) {
  return Error(ErrorKind::usage, fmt::format("{}{}: {}", place_prefix, offset + 1, message));
}

Error at_offset(const Error &error, std::size_t offset) {
  if (column_of(error))
    return error;
  return error.while_doing(fmt::format("{}{}", place_prefix, offset + 1));
}

std::optional<std::size_t> column_of(const Error &error) {
  std::string_view message = error.message();
  if (!message.starts_with(place_prefix))
    return std::nullopt;
  message.remove_prefix(place_prefix.size());
  std::size_t column = 0;
  const auto [end, problem] = std::from_chars(message.data(), message.data() + message.size(), column);
  if (problem != std::errc{} || end == message.data() + message.size() || *end != ':' || column == 0)
    return std::nullopt;
  return column;
}

std::string caret_line(std::string_view text, std::size_t column) {
  constexpr std::size_t widest = 100;
  std::size_t at = std::min(column == 0 ? 0 : column - 1, text.size());
  if (text.size() > widest) {
    const std::size_t first = std::min(at - std::min(at, widest / 2), text.size() - widest);
    text = text.substr(first, widest);
    at -= first;
  }
  std::string shown(text);
  std::ranges::replace_if(
      shown, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }, ' ');
  // A column is a byte's, a letter outside ASCII takes one place on the screen.
  const auto continues = [](char c) { return (static_cast<unsigned char>(c) & 0xc0) == 0x80; };
  const auto places = std::min(at, shown.size()) -
                      static_cast<std::size_t>(
                          std::count_if(shown.begin(), shown.begin() + static_cast<std::ptrdiff_t>(at), continues));
  return fmt::format("{}\n{}^", shown, std::string(places, ' '));
}

} // namespace inspect
