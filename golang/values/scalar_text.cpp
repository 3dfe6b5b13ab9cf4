#include "golang/values/scalar_text.h"

#include <algorithm>
#include <bit>
#include <charconv>
#include <cmath>
#include <fmt/format.h>
#include <limits>

namespace inspect {
namespace {

/// "1.25e+17" as "125000000000000000": no more digits than tell the number from its neighbours.
std::string with_zeros(const std::string &scientific) {
  const std::size_t letter = scientific.find('e');
  std::string digits = scientific.substr(0, letter);
  const std::size_t places = std::stoul(scientific.substr(letter + 1)) + 1 + (digits.front() == '-' ? 1 : 0);
  std::erase(digits, '.');
  digits.resize(std::max(places, digits.size()), '0');
  return digits;
}

template <typename Float> std::string float_text(Float value) {
  if (std::isnan(value))
    return "NaN";
  if (std::isinf(value))
    return value < 0 ? "-Inf" : "+Inf";
  char buffer[512]; // the longest in fixed form has 21 digits before the point, or 4 zeros behind it
  const Float size = std::fabs(value);
  const bool scientific = size != 0 && (size < Float(1e-4) || size >= Float(1e21));
  constexpr Float exact = Float(1ULL << std::numeric_limits<Float>::digits);
  const bool all_digits = scientific || size < exact;
  const auto end = std::to_chars(buffer, buffer + sizeof buffer, value,
                                 scientific || !all_digits ? std::chars_format::scientific : std::chars_format::fixed);
  return all_digits ? std::string(buffer, end.ptr) : with_zeros({buffer, end.ptr});
}

/// One character of UTF-8 at the front; nothing where it is none.
struct Character {
  char32_t value = 0;
  std::size_t bytes = 0;
};

std::optional<Character> character_at(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned first = byte(0);
  if (first < 0x80)
    return Character{first, 1};
  const std::size_t length = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
  if (first < 0xc2 || first > 0xf4 || text.size() < length)
    return std::nullopt;
  char32_t value = first & (0xffU >> (length + 1));
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xc0U) != 0x80)
      return std::nullopt;
    value = value << 6 | (byte(i) & 0x3fU);
  }
  const char32_t smallest = length == 4 ? 0x10000 : length == 3 ? 0x800 : 0x80;
  if (value < smallest || value > 0x10ffff || (value >= 0xd800 && value < 0xe000))
    return std::nullopt;
  return Character{value, length};
}

/// Control characters, marks that change the direction of text, and what is not a character.
bool is_invisible(char32_t value) {
  return value < 0x20 || (value >= 0x7f && value < 0xa0) || value == 0xad || (value >= 0x200b && value <= 0x200f) ||
         (value >= 0x2028 && value <= 0x202e) || (value >= 0x2060 && value <= 0x206f) || value == 0xfeff ||
         (value >= 0xfff0 && value <= 0xfffd) || (value >= 0xe000 && value <= 0xf8ff) || value >= 0xe0000;
}

std::string_view short_escape(char32_t value) {
  switch (value) {
  case '\n':
    return "\\n";
  case '\t':
    return "\\t";
  case '\r':
    return "\\r";
  case '\a':
    return "\\a";
  case '\b':
    return "\\b";
  case '\f':
    return "\\f";
  case '\v':
    return "\\v";
  case '"':
    return "\\\"";
  case '\\':
    return "\\\\";
  default:
    return {};
  }
}

/// In single quotes as %q has it, or as it is, but for what would not be seen.
std::string character_text(std::uint64_t code, bool quoted) {
  const std::string bytes = go_character(code);
  std::string text = bytes == "\"" ? bytes : bytes == "'" && quoted ? "\\'" : go_quoted(bytes);
  if (text.size() >= 2 && text.front() == '"')
    text = text.substr(1, text.size() - 2);
  return quoted ? "'" + text + "'" : text;
}

std::string digits_text(std::uint64_t magnitude, bool negative, NumberFormat format, bool bare) {
  std::string text;
  switch (format) {
  case NumberFormat::hexadecimal:
    text = fmt::format("{}{:x}", bare ? "" : "0x", magnitude);
    break;
  case NumberFormat::octal:
    text = fmt::format("{}{:o}", bare || magnitude == 0 ? "" : "0", magnitude);
    break;
  case NumberFormat::binary:
    text = fmt::format("{}{:b}", bare ? "" : "0b", magnitude);
    break;
  default:
    text = fmt::format("{}", magnitude);
    break;
  }
  return negative ? "-" + text : text;
}

std::string integer_text(const GoType &type, std::uint64_t bits, const PrintOptions &options) {
  const std::int64_t number = go_sign_extended(type.kind, bits);
  const bool negative = is_signed_integer(type.kind) && number < 0;
  switch (options.format) {
  case NumberFormat::natural:
    if (type.name == "time.Duration")
      return go_duration_text(number);
    break;
  case NumberFormat::unsigned_decimal:
    return fmt::format("{}", bits);
  case NumberFormat::character:
  case NumberFormat::quoted:
    return character_text(negative ? UINT64_MAX : bits, options.format == NumberFormat::quoted);
  case NumberFormat::address:
    return fmt::format("{:#x}", static_cast<std::uint64_t>(number));
  default:
    break;
  }
  return digits_text(negative ? 0 - static_cast<std::uint64_t>(number) : bits, negative, options.format, options.bare);
}

std::string number_text(std::uint64_t bits, bool single, NumberFormat format) {
  const float narrow = std::bit_cast<float>(static_cast<std::uint32_t>(bits));
  const double value = single ? double{narrow} : std::bit_cast<double>(bits);
  if (format == NumberFormat::hexadecimal)
    return fmt::format("{:a}", value);
  if (format == NumberFormat::floating)
    return fmt::format("{:f}", value);
  return single ? go_float_text(narrow) : go_float_text(value);
}

} // namespace

bool is_go_scalar(GoKind kind) {
  return kind > GoKind::unknown && kind < GoKind::array;
}

std::int64_t go_sign_extended(GoKind kind, std::uint64_t bits) {
  const std::uint64_t unused = is_signed_integer(kind) ? 64 - 8 * size_of_kind(kind) : 0;
  return static_cast<std::int64_t>(bits << unused) >> unused;
}

std::string go_scalar_text(const GoType &type, std::uint64_t bits, std::uint64_t imaginary,
                           const PrintOptions &options) {
  switch (type.kind) {
  case GoKind::boolean:
    return bits > 1 ? fmt::format("{:#x}, no bool: not initialised?", bits) : bits == 1 ? "true" : "false";
  case GoKind::float32:
  case GoKind::float64:
    return number_text(bits, type.kind == GoKind::float32, options.format);
  case GoKind::complex64:
  case GoKind::complex128: {
    const bool single = type.kind == GoKind::complex64;
    return fmt::format("({} + {}i)", number_text(bits, single, options.format),
                       number_text(imaginary, single, options.format));
  }
  default:
    return integer_text(type, bits, options);
  }
}

std::string go_string_text(std::string bytes, std::uint64_t left_out, const PrintOptions &options) {
  std::string text;
  if (options.format == NumberFormat::hexadecimal) {
    text = options.bare || bytes.empty() ? "" : "0x";
    for (const char c : bytes)
      text += fmt::format("{:02x}", static_cast<unsigned char>(c));
  } else {
    const std::size_t whole_size = bytes.size();
    if (left_out > 0)
      drop_truncated_character(bytes);
    left_out += whole_size - bytes.size();
    text = go_quoted(bytes);
    text = text.substr(1, text.size() - 2);
  }
  if (left_out > 0)
    text += fmt::format("...+{} more", left_out); // inside the quotes, as dlv has it
  const bool quoted = options.format != NumberFormat::text && options.format != NumberFormat::hexadecimal;
  return quoted ? '"' + text + '"' : text;
}

std::string go_float_text(double value) {
  return float_text(value);
}

std::string go_float_text(float value) {
  return float_text(value);
}

std::string go_quoted(std::string_view text) {
  std::string quoted = "\"";
  while (!text.empty()) {
    const auto character = character_at(text);
    const std::size_t bytes = character ? character->bytes : 1;
    if (!character)
      quoted += fmt::format("\\x{:02x}", static_cast<unsigned char>(text.front()));
    else if (const std::string_view escape = short_escape(character->value); !escape.empty())
      quoted += escape;
    else if (!is_invisible(character->value))
      quoted += text.substr(0, bytes);
    else if (character->value < 0x80)
      quoted += fmt::format("\\x{:02x}", static_cast<unsigned>(character->value));
    else
      quoted += fmt::format(fmt::runtime(character->value < 0x10000 ? "\\u{:04x}" : "\\U{:08x}"),
                            static_cast<unsigned>(character->value));
    text.remove_prefix(bytes);
  }
  return quoted + "\"";
}

bool reads_as_text(std::string_view text) {
  while (!text.empty()) {
    const auto character = character_at(text);
    if (!character)
      return false;
    const bool blank = character->value == '\n' || character->value == '\t' || character->value == '\r';
    if (is_invisible(character->value) && !blank)
      return false;
    text.remove_prefix(character->bytes);
  }
  return true;
}

void drop_truncated_character(std::string &text) {
  for (std::size_t length = 1; length <= 3 && length <= text.size(); ++length) {
    const auto byte = static_cast<unsigned char>(text[text.size() - length]);
    if (byte < 0x80)
      return;
    if (byte >= 0xc0) { // where a character begins
      const std::size_t whole = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : 2;
      if (length < whole)
        text.erase(text.size() - length);
      return;
    }
  }
}

std::string go_duration_text(std::int64_t nanoseconds) {
  const bool negative = nanoseconds < 0;
  const std::uint64_t total =
      negative ? 0 - static_cast<std::uint64_t>(nanoseconds) : static_cast<std::uint64_t>(nanoseconds);
  // Below a second the unit shrinks so that one digit at least stands before the point.
  const auto with_unit = [](std::uint64_t value, std::uint64_t unit, std::string_view name) {
    std::string text = fmt::format("{}", value / unit);
    std::string rest = fmt::format("{}", value % unit + unit).substr(1); // keeps leading zeros
    while (rest.ends_with('0'))
      rest.pop_back();
    return text + (rest.empty() ? "" : "." + rest) + std::string(name);
  };
  std::string text;
  if (total == 0)
    return "0s";
  if (total < 1'000)
    text = with_unit(total, 1, "ns");
  else if (total < 1'000'000)
    text = with_unit(total, 1'000, "µs");
  else if (total < 1'000'000'000)
    text = with_unit(total, 1'000'000, "ms");
  else {
    constexpr std::uint64_t minute = 60'000'000'000;
    const std::uint64_t minutes = total / minute;
    if (minutes >= 60)
      text = fmt::format("{}h", minutes / 60);
    if (minutes > 0)
      text += fmt::format("{}m", minutes % 60);
    text += with_unit(total % minute, 1'000'000'000, "s");
  }
  return negative ? "-" + text : text;
}

std::optional<GoTime> go_time(std::uint64_t wall, std::int64_t extra) {
  // time/time.go: the top bit says that wall holds 33 bits of seconds since 1885 and ext the monotonic clock.
  constexpr std::int64_t year_1885 = (1884 * 365LL + 1884 / 4 - 1884 / 100 + 1884 / 400) * 86'400;
  const bool has_monotonic = wall >> 63 != 0;
  GoTime time;
  time.seconds = has_monotonic ? year_1885 + static_cast<std::int64_t>(wall << 1 >> 31) : extra;
  time.nanoseconds = wall & ((1U << 30) - 1);
  if (has_monotonic)
    time.monotonic = extra;
  if (time.nanoseconds > 999'999'999 || time.seconds < -(1LL << 40) || time.seconds > (1LL << 40))
    return std::nullopt;
  return time;
}

std::string go_time_text(const GoTime &time, bool with_fraction, std::int64_t seconds_east) {
  constexpr std::int64_t day = 86'400;
  const std::int64_t seconds = time.seconds + seconds_east;
  const std::int64_t days = (seconds >= 0 ? seconds : seconds - (day - 1)) / day;
  const std::int64_t in_day = seconds - days * day;
  // Howard Hinnant's civil_from_days, "chrono-Compatible Low-Level Date Algorithms", with its era moved to year 1.
  const std::int64_t shifted = days + 306; // from 1 March of the year 0
  const std::int64_t era = (shifted >= 0 ? shifted : shifted - 146'096) / 146'097;
  const std::int64_t day_of_era = shifted - era * 146'097;
  const std::int64_t year_of_era = (day_of_era - day_of_era / 1'460 + day_of_era / 36'524 - day_of_era / 146'096) / 365;
  const std::int64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
  const std::int64_t month_index = (5 * day_of_year + 2) / 153;
  const std::int64_t month = month_index < 10 ? month_index + 3 : month_index - 9;
  const std::int64_t year = year_of_era + era * 400 + (month <= 2 ? 1 : 0);
  std::string text =
      fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}", year, month, day_of_year - (153 * month_index + 2) / 5 + 1,
                  in_day / 3'600, in_day / 60 % 60, in_day % 60);
  if (with_fraction && time.nanoseconds != 0) {
    std::string fraction = fmt::format(".{:09}", time.nanoseconds);
    while (fraction.ends_with('0'))
      fraction.pop_back();
    text += fraction;
  }
  const std::int64_t minutes_east = std::abs(seconds_east) / 60;
  text += seconds_east == 0
              ? "Z"
              : fmt::format("{}{:02}:{:02}", seconds_east < 0 ? '-' : '+', minutes_east / 60, minutes_east % 60);
  return text + (time.monotonic ? fmt::format(", {:+}", *time.monotonic) : std::string());
}

std::optional<GoCharacter> go_character_at(std::string_view text) {
  const auto character = character_at(text);
  return character ? std::optional(GoCharacter{character->value, character->bytes}) : std::nullopt;
}

std::string go_character(std::uint64_t code) {
  if (code > 0x10ffff || (code >= 0xd800 && code < 0xe000))
    code = 0xfffd;
  const auto rest = [&](unsigned shift) { return static_cast<char>(0x80 | (code >> shift & 0x3f)); };
  if (code < 0x80)
    return {static_cast<char>(code)};
  if (code < 0x800)
    return {static_cast<char>(0xc0 | code >> 6), rest(0)};
  if (code < 0x10000)
    return {static_cast<char>(0xe0 | code >> 12), rest(6), rest(0)};
  return {static_cast<char>(0xf0 | code >> 18), rest(12), rest(6), rest(0)};
}

} // namespace inspect
