// Decoding follows RFC 3629: no overlong forms, no surrogates, nothing above U+10FFFF. What does not decode is shown
// byte by byte, so that nothing is lost and nothing reaches the terminal as it was.
#include "commands/cli/output.h"

#include <cstdint>
#include <fmt/format.h>
#include <iterator>

namespace inspect {
namespace {

struct Decoded {
  char32_t code_point = 0;
  std::size_t length = 0; ///< 0: the first byte starts no valid sequence
};

unsigned byte_at(std::string_view text, std::size_t index) {
  return static_cast<unsigned char>(text[index]);
}

Decoded decode(std::string_view text) {
  const unsigned first = byte_at(text, 0);
  if (first < 0x80)
    return {first, 1};
  std::size_t length = 0;
  char32_t least = 0;
  char32_t code_point = 0;
  if ((first & 0xe0U) == 0xc0) {
    length = 2, least = 0x80, code_point = first & 0x1fU;
  } else if ((first & 0xf0U) == 0xe0) {
    length = 3, least = 0x800, code_point = first & 0x0fU;
  } else if ((first & 0xf8U) == 0xf0) {
    length = 4, least = 0x10000, code_point = first & 0x07U;
  }
  if (length == 0 || text.size() < length)
    return {};
  for (std::size_t index = 1; index < length; ++index) {
    const unsigned next = byte_at(text, index);
    if ((next & 0xc0U) != 0x80)
      return {};
    code_point = (code_point << 6U) | (next & 0x3fU);
  }
  const bool surrogate = code_point >= 0xd800 && code_point <= 0xdfff;
  if (code_point < least || surrogate || code_point > 0x10ffff)
    return {};
  return {code_point, length};
}

bool is_control(char32_t code_point) {
  return code_point < 0x20 || (code_point >= 0x7f && code_point <= 0x9f);
}

/// Characters that reorder or break the line around them (Unicode Standard Annex #9, and the line and paragraph
/// separators).
bool changes_layout(char32_t code_point) {
  return (code_point >= 0x202a && code_point <= 0x202e) || (code_point >= 0x2066 && code_point <= 0x2069) ||
         code_point == 0x200e || code_point == 0x200f || code_point == 0x061c || code_point == 0x2028 ||
         code_point == 0x2029;
}

void append_control(std::string &escaped, char32_t code_point) {
  switch (code_point) {
  case '\n':
    escaped += "\\n";
    return;
  case '\t':
    escaped += "\\t";
    return;
  case '\r':
    escaped += "\\r";
    return;
  default:
    fmt::format_to(std::back_inserter(escaped), "\\x{:02x}", static_cast<std::uint32_t>(code_point));
  }
}

} // namespace

std::string escape(std::string_view text) {
  std::string escaped;
  escaped.reserve(text.size());
  while (!text.empty()) {
    const Decoded next = decode(text);
    if (next.length == 0)
      fmt::format_to(std::back_inserter(escaped), "\\x{:02x}", byte_at(text, 0));
    else if (next.length == 1 && is_control(next.code_point))
      append_control(escaped, next.code_point);
    else if (is_control(next.code_point) || changes_layout(next.code_point))
      fmt::format_to(std::back_inserter(escaped), "\\u{:04x}", static_cast<std::uint32_t>(next.code_point));
    else
      escaped.append(text.substr(0, next.length));
    text.remove_prefix(next.length == 0 ? 1 : next.length);
  }
  return escaped;
}

} // namespace inspect
