#include "values/expression/expression_literals.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <fmt/format.h>
#include <limits>
#include <optional>

namespace inspect {
namespace {

__extension__ using UnsignedWide = unsigned __int128;

Error bad_literal(std::string message) {
  return Error(ErrorKind::usage, std::move(message));
}

int digit_value(char c) {
  if (c >= '0' && c <= '9')
    return c - '0';
  if (c >= 'a' && c <= 'f')
    return c - 'a' + 10;
  return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

struct NumberSuffix {
  std::string_view text;
  Number::Kind kind;
  unsigned size;
};

// Rust's say the type outright, and are not a prefix of C's.
constexpr auto rust_suffixes = std::to_array<NumberSuffix>({
    {"u8", Number::Kind::unsigned_integer, 1},
    {"u16", Number::Kind::unsigned_integer, 2},
    {"u32", Number::Kind::unsigned_integer, 4},
    {"u64", Number::Kind::unsigned_integer, 8},
    {"u128", Number::Kind::unsigned_integer, 16},
    {"usize", Number::Kind::unsigned_integer, 8},
    {"i8", Number::Kind::signed_integer, 1},
    {"i16", Number::Kind::signed_integer, 2},
    {"i32", Number::Kind::signed_integer, 4},
    {"i64", Number::Kind::signed_integer, 8},
    {"i128", Number::Kind::signed_integer, 16},
    {"isize", Number::Kind::signed_integer, 8},
    {"f32", Number::Kind::floating, 4},
    {"f64", Number::Kind::floating, 8},
});

/// The value as the type has it; nothing where it does not fit.
bool fits(UnsignedWide value, Number::Kind kind, unsigned size) {
  const Number number{.kind = Number::Kind::unsigned_integer, .integer = static_cast<decltype(Number::integer)>(value)};
  return inspect::fits(number, 8 * size, kind == Number::Kind::signed_integer);
}

/// C's: u, l, ll and z in any order and case. Nothing where it is none.
struct IntegerSuffix {
  bool is_unsigned = false;
  bool is_long = false;
};
std::optional<IntegerSuffix> c_suffix(std::string_view text) {
  std::string lower(text);
  std::ranges::transform(lower, lower.begin(), [](char c) { return c >= 'A' && c <= 'Z' ? char(c - 'A' + 'a') : c; });
  IntegerSuffix suffix;
  if (const std::size_t at = lower.find('u'); at != std::string::npos) {
    suffix.is_unsigned = true;
    lower.erase(at, 1);
  }
  suffix.is_long = !lower.empty();
  if (lower.empty() || lower == "l" || lower == "ll" || lower == "z")
    return suffix;
  return std::nullopt;
}

/// C23 6.4.4.1, table 6, for a 64-bit long: decimal constants never become unsigned by themselves.
Result<Number> c_integer(UnsignedWide value, IntegerSuffix suffix, bool decimal, std::string_view text) {
  Number number{.kind = Number::Kind::signed_integer,
                .integer = static_cast<decltype(Number::integer)>(value),
                .real = 0,
                .size = 8};
  const auto is = [&](Number::Kind kind, unsigned size) {
    number.kind = kind;
    number.size = size;
    return fits(value, kind, size);
  };
  const bool may_be_unsigned = suffix.is_unsigned || !decimal;
  for (const unsigned size : {4U, 8U}) {
    if (size == 4 && suffix.is_long)
      continue;
    if (!suffix.is_unsigned && is(Number::Kind::signed_integer, size))
      return number;
    if (may_be_unsigned && is(Number::Kind::unsigned_integer, size))
      return number;
  }
  // What gdb and compilers do with decimal numbers that only an unsigned long holds, with a warning.
  if (is(Number::Kind::unsigned_integer, 8))
    return number;
  return std::unexpected(bad_literal(fmt::format("{} does not fit in 64 bits", text)));
}

template <typename Real> bool parse_real(std::string_view digits, bool hexadecimal, long double &into) {
  Real real = 0;
  const auto format = hexadecimal ? std::chars_format::hex : std::chars_format::general;
  const auto [end, problem] = std::from_chars(digits.data(), digits.data() + digits.size(), real, format);
  into = real;
  return problem == std::errc{} && end == digits.data() + digits.size() && std::isfinite(real);
}

Result<NumberLiteral> real_literal(std::string_view digits, bool hexadecimal, std::string_view text,
                                   SourceLanguage language) {
  Number number{.kind = Number::Kind::floating, .integer = 0, .real = 0, .size = 8};
  bool untyped = language == SourceLanguage::go || language == SourceLanguage::rust;
  const auto take_suffix = [&](std::string_view suffix, unsigned size) {
    if (!digits.ends_with(suffix))
      return false;
    digits.remove_suffix(suffix.size());
    number.size = size;
    untyped = false;
    return true;
  };
  // f32 and f64 before f, or their digits would stay; a hexadecimal float's f is a digit only before its p.
  static_cast<void>(take_suffix("_f32", 4) || take_suffix("_f64", 8) || take_suffix("f32", 4) ||
                    take_suffix("f64", 8) || take_suffix("f", 4) || take_suffix("F", 4) || take_suffix("l", 16) ||
                    take_suffix("L", 16));
  bool good = false;
  if (number.size == 4)
    good = parse_real<float>(digits, hexadecimal, number.real);
  else if (number.size == 8)
    good = parse_real<double>(digits, hexadecimal, number.real);
  else
    good = parse_real<long double>(digits, hexadecimal, number.real);
  if (!good)
    return std::unexpected(bad_literal(fmt::format("{} is not a number", text)));
  const bool is_rust = language == SourceLanguage::rust && !untyped;
  return NumberLiteral{number, untyped, is_rust ? (number.size == 4 ? "f32" : "f64") : std::string_view()};
}

/// The digits' value, and how many characters they are; nothing where it needs more than 128 bits.
std::optional<std::pair<UnsignedWide, std::size_t>> read_digits(std::string_view digits, unsigned base) {
  UnsignedWide value = 0;
  std::size_t at = 0;
  for (; at < digits.size(); ++at) {
    const int digit = digit_value(digits[at]);
    if (digit < 0 || digit >= static_cast<int>(base))
      break;
    if (value > (std::numeric_limits<UnsignedWide>::max() - static_cast<unsigned>(digit)) / base)
      return std::nullopt;
    value = value * base + static_cast<unsigned>(digit);
  }
  return std::pair{value, at};
}

Result<NumberLiteral> integer_literal(std::string_view digits, unsigned base, std::string_view text,
                                      SourceLanguage language) {
  const auto read = read_digits(digits, base);
  if (!read)
    return std::unexpected(bad_literal(fmt::format("{} does not fit in 128 bits", text)));
  const auto [value, length] = *read;
  const std::string_view suffix = digits.substr(length);
  if (length == 0)
    return std::unexpected(bad_literal(fmt::format("{} is not a number", text)));
  Number number{.kind = Number::Kind::signed_integer,
                .integer = static_cast<decltype(Number::integer)>(value),
                .real = 0,
                .size = 8};
  if (const auto found = std::ranges::find(rust_suffixes, suffix, &NumberSuffix::text); found != rust_suffixes.end()) {
    number.kind = found->kind;
    number.size = found->size;
    // The smallest number of a type is written as minus one more than its largest.
    const unsigned bits = 8 * found->size;
    const bool is_least = found->kind == Number::Kind::signed_integer && value == UnsignedWide{1} << (bits - 1);
    if (found->kind == Number::Kind::floating)
      number.real = static_cast<long double>(value);
    else if (is_least)
      number.integer = static_cast<decltype(Number::integer)>(UnsignedWide{0} - value);
    else if (!fits(value, number.kind, number.size))
      return std::unexpected(bad_literal(fmt::format("{} does not fit its type", text)));
    return NumberLiteral{number, false, found->text};
  }
  const auto suffixed = c_suffix(suffix);
  if (!suffixed)
    return std::unexpected(bad_literal(fmt::format("{} is not a number: its '{}' means nothing", text, suffix)));
  const bool open = (language == SourceLanguage::go || language == SourceLanguage::rust) && suffix.empty();
  if (open) {
    if (!fits(value, Number::Kind::signed_integer, 16))
      return std::unexpected(bad_literal(fmt::format("{} is too large", text)));
    number.size = fits(value, Number::Kind::signed_integer, 4) ? 4 : fits(value, number.kind, 8) ? 8 : 16;
    if (number.size == 16 && fits(value, Number::Kind::unsigned_integer, 8)) {
      number.kind = Number::Kind::unsigned_integer;
      number.size = 8;
    }
    return NumberLiteral{number, true};
  }
  auto typed = c_integer(value, *suffixed, base == 10, text);
  if (!typed)
    return std::unexpected(typed.error());
  return NumberLiteral{*typed, false};
}

void append_utf8(std::string &text, std::uint32_t code_point) {
  const auto byte = [&](std::uint32_t value) { text += static_cast<char>(value); };
  if (code_point < 0x80) {
    byte(code_point);
  } else if (code_point < 0x800) {
    byte(0xc0 | code_point >> 6);
    byte(0x80 | (code_point & 0x3f));
  } else if (code_point < 0x10000) {
    byte(0xe0 | code_point >> 12);
    byte(0x80 | (code_point >> 6 & 0x3f));
    byte(0x80 | (code_point & 0x3f));
  } else {
    byte(0xf0 | code_point >> 18);
    byte(0x80 | (code_point >> 12 & 0x3f));
    byte(0x80 | (code_point >> 6 & 0x3f));
    byte(0x80 | (code_point & 0x3f));
  }
}

struct DecodedCharacter {
  std::uint32_t value = 0;
  bool is_byte = false; ///< by its number, \x41 or \101: no code point
  std::size_t length = 0;
};

/// A number of at least `min_digits` and at most `max_digits` digits behind `skip` characters.
std::optional<DecodedCharacter> numbered(std::string_view rest, std::size_t skip, std::size_t min_digits,
                                         std::size_t max_digits, unsigned base) {
  DecodedCharacter decoded{.value = 0, .is_byte = false, .length = skip};
  while (decoded.length < rest.size() && decoded.length - skip < max_digits) {
    const int digit = digit_value(rest[decoded.length]);
    if (digit < 0 || digit >= static_cast<int>(base))
      break;
    decoded.value = decoded.value * base + static_cast<unsigned>(digit);
    ++decoded.length;
  }
  if (decoded.length - skip < min_digits || decoded.value > 0x10ffff)
    return std::nullopt;
  return decoded;
}

std::optional<DecodedCharacter> decode_escape(std::string_view rest) {
  if (rest.size() < 2)
    return std::nullopt;
  constexpr std::string_view letters = "abfnrtv\\'\"?e0";
  constexpr std::string_view values = "\a\b\f\n\r\t\v\\'\"?\033";
  switch (rest[1]) {
  case 'x': {
    auto decoded = numbered(rest, 2, 1, 2, 16);
    if (decoded)
      decoded->is_byte = true;
    return decoded;
  }
  case 'u':
    if (rest.size() > 2 && rest[2] == '{') {
      auto decoded = numbered(rest, 3, 1, 6, 16);
      if (!decoded || decoded->length >= rest.size() || rest[decoded->length] != '}')
        return std::nullopt;
      ++decoded->length;
      return decoded;
    }
    return numbered(rest, 2, 4, 4, 16);
  case 'U':
    return numbered(rest, 2, 8, 8, 16);
  default:
    break;
  }
  if (rest[1] >= '0' && rest[1] <= '7') {
    auto decoded = numbered(rest, 1, 1, 3, 8);
    if (!decoded || decoded->value > 0xff)
      return std::nullopt;
    decoded->is_byte = true;
    return decoded;
  }
  const std::size_t at = letters.find(rest[1]);
  if (at == std::string_view::npos)
    return std::nullopt;
  return DecodedCharacter{static_cast<unsigned char>(values[at]), false, 2};
}

/// One character at the beginning of `rest`, which is not empty; bytes that are not a UTF-8 are taken as they are.
std::optional<DecodedCharacter> decode_character(std::string_view rest) {
  if (rest.front() == '\\')
    return decode_escape(rest);
  const auto first = static_cast<unsigned char>(rest.front());
  const std::size_t length = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : first >= 0xc0 ? 2 : 1;
  if (first < 0x80)
    return DecodedCharacter{first, false, 1};
  if (length == 1 || length > rest.size())
    return DecodedCharacter{first, true, 1};
  std::uint32_t value = first & (0xffU >> (length + 1));
  for (std::size_t at = 1; at < length; ++at) {
    const auto next = static_cast<unsigned char>(rest[at]);
    if ((next & 0xc0) != 0x80)
      return DecodedCharacter{first, true, 1};
    value = value << 6 | (next & 0x3f);
  }
  if (value > 0x10ffff)
    return DecodedCharacter{first, true, 1};
  return DecodedCharacter{value, false, length};
}

} // namespace

Result<NumberLiteral> parse_number_literal(std::string_view text, SourceLanguage language) {
  std::string digits(text);
  std::erase_if(digits, [](char c) { return c == '_' || c == '\''; });
  unsigned base = 10;
  std::string_view rest = digits;
  if (rest.size() > 1 && rest[0] == '0') {
    const char letter = rest[1];
    base = letter == 'x' || letter == 'X' ? 16 : letter == 'b' || letter == 'B' ? 2 : 10;
    if (letter == 'o' || letter == 'O')
      base = 8;
    if (base != 10)
      rest.remove_prefix(2);
    else if (language != SourceLanguage::rust && letter >= '0' && letter <= '9')
      base = 8;
  }
  const bool hexadecimal = base == 16;
  const bool is_real = hexadecimal ? rest.find_first_of("pP.") != std::string_view::npos
                                   : (base == 10 || base == 8) && rest.find_first_of(".eE") != std::string_view::npos &&
                                         !rest.ends_with("ize");
  // Go's imaginary literals, which GNU C has as well.
  const bool is_imaginary = language != SourceLanguage::rust && rest.size() > 1 && rest.ends_with('i');
  if (is_imaginary) {
    rest.remove_suffix(1);
    auto part = is_real ? real_literal(rest, hexadecimal, text, language) : integer_literal(rest, base, text, language);
    if (part)
      part->number = {.kind = Number::Kind::imaginary, .real = real_of(part->number), .size = 8};
    if (part)
      part->untyped = true;
    return part;
  }
  if (is_real)
    return real_literal(rest, hexadecimal, text, language);
  return integer_literal(rest, base, text, language);
}

bool is_one_character(std::string_view body) {
  if (body.empty())
    return false;
  const auto decoded = decode_character(body);
  return decoded && decoded->length == body.size();
}

Result<NumberLiteral> parse_character_literal(std::string_view body, SourceLanguage language) {
  const auto decoded = body.empty() ? std::nullopt : decode_character(body);
  if (!decoded || decoded->length != body.size())
    return std::unexpected(bad_literal(fmt::format("'{}' is not a character", body)));
  const bool wide = language == SourceLanguage::go || language == SourceLanguage::rust || decoded->value > 0x7f;
  const Number number{.kind = Number::Kind::character,
                      .integer = decoded->value,
                      .real = 0,
                      .size = wide && (!decoded->is_byte || language == SourceLanguage::go) ? 4U : 1U};
  return NumberLiteral{number, language == SourceLanguage::go};
}

Result<std::string> decode_text_literal(std::string_view body) {
  std::string text;
  while (!body.empty()) {
    const auto decoded = decode_character(body);
    if (!decoded)
      return std::unexpected(bad_literal(fmt::format("the escape \\{} is not known", body.substr(1, 1))));
    if (decoded->is_byte)
      text += static_cast<char>(decoded->value);
    else
      append_utf8(text, decoded->value);
    body.remove_prefix(decoded->length);
  }
  return text;
}

} // namespace inspect
