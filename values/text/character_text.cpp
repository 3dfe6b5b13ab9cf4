#include "values/text/character_text.h"

#include "values/text/rust_characters.h"

#include <algorithm>
#include <fmt/format.h>

namespace inspect {
namespace {

/// Runs that are longer are counted.
constexpr std::size_t repeat_threshold = 10;

struct Character {
  std::uint32_t code = 0; ///< of what is not a character, the unit
  bool is_valid = true;

  friend bool operator==(const Character &, const Character &) = default;
};

std::uint32_t unit_at(std::span<const std::byte> bytes, std::size_t index, unsigned size) {
  std::uint32_t unit = 0;
  for (unsigned i = 0; i < size; ++i)
    unit |= std::to_integer<std::uint32_t>(bytes[index * size + i]) << (8 * i);
  return unit;
}

/// How many bytes the UTF-8 character at the front has; 0: it is none.
std::size_t utf8_length(std::span<const std::byte> bytes, std::uint32_t &code) {
  const auto byte = [&](std::size_t i) { return std::to_integer<std::uint32_t>(bytes[i]); };
  const std::uint32_t first = byte(0);
  code = first;
  if (first < 0x80)
    return 1;
  const std::size_t length = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
  if (first < 0xc2 || first > 0xf4 || bytes.size() < length)
    return 0;
  std::uint32_t value = first & (0xffU >> (length + 1));
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xc0U) != 0x80)
      return 0;
    value = value << 6 | (byte(i) & 0x3fU);
  }
  const std::uint32_t smallest = length == 4 ? 0x10000 : length == 3 ? 0x800 : 0x80;
  if (value < smallest || value > 0x10ffff || (value >= 0xd800 && value < 0xe000))
    return 0;
  code = value;
  return length;
}

std::vector<Character> characters_of(std::span<const std::byte> bytes, unsigned size) {
  std::vector<Character> characters;
  if (size == 1) {
    while (!bytes.empty()) {
      Character one;
      const std::size_t length = utf8_length(bytes, one.code);
      one.is_valid = length > 0;
      characters.push_back(one);
      bytes = bytes.subspan(std::max<std::size_t>(length, 1));
    }
    return characters;
  }
  for (std::size_t i = 0; (i + 1) * size <= bytes.size(); ++i) {
    Character one{unit_at(bytes, i, size), true};
    const bool has_second = size == 2 && one.code >= 0xd800 && one.code < 0xdc00 && (i + 2) * size <= bytes.size();
    const std::uint32_t second = has_second ? unit_at(bytes, i + 1, size) : 0;
    if (second >= 0xdc00 && second < 0xe000) {
      one.code = 0x10000 + ((one.code - 0xd800) << 10) + (second - 0xdc00);
      ++i;
    }
    one.is_valid = one.code <= 0x10ffff && (one.code < 0xd800 || one.code >= 0xe000);
    characters.push_back(one);
  }
  return characters;
}

/// Not control characters, marks that change the direction of text, blanks without width, private and unassigned ones.
bool is_visible(std::uint32_t code) {
  const bool hidden = code < 0x20 || (code >= 0x7f && code < 0xa0) || code == 0xad ||
                      (code >= 0x200b && code <= 0x200f) || (code >= 0x2028 && code <= 0x202e) ||
                      (code >= 0x2060 && code <= 0x206f) || code == 0xfeff || (code >= 0xfff0 && code <= 0xffff) ||
                      (code >= 0xe000 && code <= 0xf8ff) || code >= 0xe0000;
  return !hidden;
}

void append_utf8(std::string &text, std::uint32_t code) {
  const auto add = [&](std::uint32_t byte) { text += static_cast<char>(byte); };
  if (code < 0x80) {
    add(code);
  } else if (code < 0x800) {
    add(0xc0 | code >> 6);
    add(0x80 | (code & 0x3f));
  } else if (code < 0x10000) {
    add(0xe0 | code >> 12);
    add(0x80 | (code >> 6 & 0x3f));
    add(0x80 | (code & 0x3f));
  } else {
    add(0xf0 | code >> 18);
    add(0x80 | (code >> 12 & 0x3f));
    add(0x80 | (code >> 6 & 0x3f));
    add(0x80 | (code & 0x3f));
  }
}

const char *short_escape(std::uint32_t code) {
  switch (code) {
  case '\a':
    return "\\a";
  case '\b':
    return "\\b";
  case '\f':
    return "\\f";
  case '\n':
    return "\\n";
  case '\r':
    return "\\r";
  case '\t':
    return "\\t";
  case '\v':
    return "\\v";
  default:
    return nullptr;
  }
}

class EscapedText {
public:
  explicit EscapedText(unsigned size) : size_(size) {}

  void add(const Character &one, char quote) {
    const bool is_digit = one.code >= '0' && one.code <= '9';
    const bool was_hexadecimal = after_hexadecimal_;
    after_hexadecimal_ = false;
    if (one.is_valid && short_escape(one.code) != nullptr) {
      text_ += short_escape(one.code);
    } else if (one.is_valid && is_visible(one.code) && !(was_hexadecimal && is_digit)) {
      if (one.code == static_cast<std::uint32_t>(quote) || one.code == '\\')
        text_ += '\\';
      append_utf8(text_, one.code);
    } else {
      number(one);
    }
  }
  /// A quoted part begins or ends.
  void close() { after_hexadecimal_ = false; }
  std::string take() { return std::move(text_); }
  std::string &text() { return text_; }

private:
  /// In octal by units, which of characters that are valid but not visible are several.
  void number(const Character &one) {
    if (size_ == 1 && one.is_valid && one.code >= 0x80) {
      std::string encoded;
      append_utf8(encoded, one.code);
      for (const char byte : encoded)
        text_ += fmt::format("\\{:03o}", static_cast<unsigned char>(byte));
    } else if (one.code <= 0777) {
      text_ += fmt::format("\\{:03o}", one.code);
    } else {
      text_ += fmt::format("\\x{:x}", one.code);
      after_hexadecimal_ = true; // unlike one in octal it ends where the digits do
    }
  }

  unsigned size_;
  std::string text_;
  bool after_hexadecimal_ = false;
};

std::size_t run_length(const std::vector<Character> &characters, std::size_t first) {
  std::size_t end = first + 1;
  while (end < characters.size() && characters[end] == characters[first])
    ++end;
  return end - first;
}

void rust_escape(std::string &text, const Character &one, char quote) {
  const std::uint32_t code = one.code;
  if (!one.is_valid)
    text += fmt::format("\\x{:02x}", code);
  else if (code == '\n' || code == '\r' || code == '\t')
    text += short_escape(code);
  else if (code == 0)
    text += "\\0";
  else if (code == static_cast<std::uint32_t>(quote) || code == '\\')
    text += {'\\', static_cast<char>(code)};
  else if (is_visible(code) && !is_wide_blank(code) && !extends_grapheme(code))
    append_utf8(text, code);
  else
    text += fmt::format("\\u{{{:x}}}", code);
}

} // namespace

std::string quoted_character(std::uint32_t unit, const CharacterType &type) {
  Character one{unit, true};
  if (type.size == 1) {
    one.code = unit & 0xff;
    one.is_valid = one.code < 0x80;
  } else {
    one.is_valid = unit <= 0x10ffff && (unit < 0xd800 || unit >= 0xe000);
  }
  EscapedText text(type.size);
  text.add(one, '\'');
  return fmt::format("{}'{}'", type.prefix, text.take());
}

std::string quoted_text(std::span<const std::byte> bytes, const CharacterType &type, bool more) {
  const std::vector<Character> characters = characters_of(bytes, type.size);
  EscapedText text(type.size);
  bool open = false;
  const auto separate = [&] { text.text() += text.text().empty() ? "" : ", "; };
  for (std::size_t i = 0; i < characters.size();) {
    const std::size_t run = run_length(characters, i);
    const bool is_long = run > repeat_threshold;
    if (is_long && open)
      text.text() += '"';
    if (is_long || !open)
      separate();
    if (is_long) {
      text.close();
      text.text() += fmt::format("{}'", type.prefix);
      text.add(characters[i], '\'');
      text.text() += fmt::format("' <repeats {} times>", run);
      text.close();
    } else {
      if (!open)
        text.text() += fmt::format("{}\"", type.prefix);
      for (std::size_t j = 0; j < run; ++j)
        text.add(characters[i], '"');
    }
    open = !is_long;
    i += run;
  }
  if (open)
    text.text() += '"';
  if (characters.empty())
    text.text() = fmt::format("{}\"\"", type.prefix);
  return text.take() + (more ? "..." : "");
}

std::size_t characters_within(std::span<const std::byte> bytes, unsigned size, std::size_t limit) {
  const std::size_t count = bytes.size() / size;
  std::size_t index = 0;
  while (index < count && index < limit) {
    const std::uint32_t unit = unit_at(bytes, index, size);
    while (index < count && unit_at(bytes, index, size) == unit)
      ++index;
  }
  return index;
}

std::string plain_text(std::span<const std::byte> bytes, const CharacterType &type) {
  EscapedText text(type.size);
  for (const Character &one : characters_of(bytes, type.size))
    if (one.is_valid && (one.code == '"' || one.code == '\\'))
      text.text() += static_cast<char>(one.code);
    else
      text.add(one, '"');
  return text.take();
}

std::string rust_quoted_text(std::string_view text) {
  std::string quoted = "\"";
  for (const Character &one : characters_of(std::as_bytes(std::span(text)), 1))
    rust_escape(quoted, one, '"');
  return quoted + "\"";
}

std::string rust_quoted_character(std::uint32_t code) {
  Character one{code, code <= 0x10ffff && (code < 0xd800 || code >= 0xe000)};
  std::string quoted = "'";
  rust_escape(quoted, one, '\'');
  return quoted + "'";
}

} // namespace inspect
