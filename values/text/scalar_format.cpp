#include "values/text/scalar_format.h"

#include "values/native/exact_float.h"
#include "values/native/native_layout.h"
#include "values/text/character_text.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <fmt/format.h>
#include <iterator>

namespace inspect {
namespace {

__extension__ using Wide = __int128;
__extension__ using UnsignedWide = unsigned __int128;

std::string digits_in_base(UnsignedWide number, unsigned bits_per_digit) {
  std::string digits;
  const unsigned mask = (1U << bits_per_digit) - 1;
  do {
    digits.insert(digits.begin(), "0123456789abcdef"[static_cast<unsigned>(number) & mask]);
    number >>= bits_per_digit;
  } while (number != 0);
  return digits;
}

/// The bits of an integer taken for the number that they are in a format of the same size.
std::string as_floating(const RawBits &raw, bool with_sign) {
  if (raw.width == 32 || raw.width == 64)
    return float_value_text(low_bytes(raw.bits, raw.width / 8), {});
  return formatted_bits(raw, with_sign, NumberFormat::natural);
}

/// A number without a value: gdb shows the bits of its fraction.
std::string not_a_number(std::span<const std::byte> bytes, bool negative) {
  std::uint64_t bits = 0;
  std::memcpy(&bits, bytes.data(), std::min<std::size_t>(bytes.size(), 8));
  const unsigned fraction = bytes.size() == 2 ? 10 : bytes.size() == 4 ? 23 : bytes.size() == 8 ? 52 : 64;
  if (fraction < 64)
    bits &= (std::uint64_t{1} << fraction) - 1;
  return fmt::format("{}nan(0x{:x})", negative ? "-" : "", bits);
}

/// x87's format has its leading bit written out: without it a number that is not tiny is none (Intel's manual, volume
/// 1, "Unsupported Double Extended-Precision Floating-Point Encodings").
bool is_no_extended_number(std::span<const std::byte> bytes) {
  std::uint64_t significand = 0;
  std::uint16_t exponent = 0;
  std::memcpy(&significand, bytes.data(), sizeof significand);
  std::memcpy(&exponent, bytes.data() + 8, sizeof exponent);
  return (exponent & 0x7fffU) != 0 && significand >> 63 == 0;
}

template <typename Float> std::string shortest(Float number) {
  char buffer[512];
  const Float size = std::fabs(number);
  const bool scientific = size != 0 && (size < Float(1e-4) || size >= Float(1e16));
  const auto end = std::to_chars(buffer, buffer + sizeof buffer, number,
                                 scientific ? std::chars_format::scientific : std::chars_format::fixed);
  std::string text(buffer, end.ptr);
  if (scientific) { // Rust writes 1e16 and 1.5e-7
    const std::size_t at = text.find('e');
    std::string exponent = text.substr(at + 1);
    const bool negative = exponent.starts_with('-');
    exponent.erase(0, exponent.find_first_not_of("+-0"));
    return text.substr(0, at) + (negative ? "e-" : "e") + exponent;
  }
  if (text.find('.') != std::string::npos)
    return text;
  // Of a large float not all digits of its exact value, but those that tell it from its neighbours, and zeros.
  const auto short_end = std::to_chars(buffer, buffer + sizeof buffer, number, std::chars_format::scientific);
  const char *const mark = std::find(buffer, short_end.ptr, 'e');
  int exponent = 0;
  std::from_chars(mark + (mark[1] == '+' ? 2 : 1), short_end.ptr, exponent);
  if (exponent > 0) {
    text.clear();
    std::copy_if(static_cast<const char *>(buffer), mark, std::back_inserter(text),
                 [](char one) { return one != '.'; });
    const std::size_t digits = static_cast<std::size_t>(exponent) + (text.starts_with('-') ? 2 : 1);
    text.resize(std::max(digits, text.size()), '0');
  }
  return text + ".0";
}

} // namespace

std::string formatted_bits(const RawBits &raw, bool with_sign, NumberFormat format) {
  switch (format) {
  case NumberFormat::hexadecimal:
  case NumberFormat::address:
    return "0x" + digits_in_base(raw.bits, 4);
  case NumberFormat::padded_hexadecimal: {
    const std::string digits = digits_in_base(raw.bits, 4);
    const std::size_t wanted = (raw.width + 7) / 8 * 2;
    return "0x" + std::string(wanted - std::min(wanted, digits.size()), '0') + digits;
  }
  case NumberFormat::octal:
    return raw.bits == 0 ? "0" : "0" + digits_in_base(raw.bits, 3);
  case NumberFormat::binary:
    return digits_in_base(raw.bits, 1);
  case NumberFormat::decimal:
    return decimal_text(sign_extended(raw));
  case NumberFormat::unsigned_decimal:
    return decimal_text(raw.bits);
  case NumberFormat::character: {
    const Wide number = with_sign ? sign_extended(raw) : static_cast<Wide>(raw.bits);
    // As gdb: what is wider than a byte is cut to one.
    const auto byte = static_cast<std::uint32_t>(raw.bits & 0xff);
    const Wide shown = raw.width <= 8 ? number : with_sign ? static_cast<signed char>(byte) : static_cast<Wide>(byte);
    return decimal_text(shown) + " " + quoted_character(byte, {1, ""});
  }
  case NumberFormat::floating:
    return as_floating(raw, with_sign);
  default:
    return with_sign ? decimal_text(sign_extended(raw)) : decimal_text(raw.bits);
  }
}

std::string float_value_text(std::span<const std::byte> bytes, const std::string &name) {
  const auto real = float_from_bytes(bytes, name);
  if (!real)
    return fmt::format("<{} bytes>", bytes.size());
  if (bytes.size() == 16 && name.contains("128"))
    return binary128_text(bytes, float_digits(bytes.size(), name));
  if (bytes.size() >= 10 && is_no_extended_number(bytes))
    return "<invalid float value>";
  if (std::isnan(*real))
    return not_a_number(bytes, std::signbit(*real));
  if (std::isinf(*real))
    return *real < 0 ? "-inf" : "inf";
  char buffer[128];
  std::snprintf(buffer, sizeof buffer, "%.*Lg", float_digits(bytes.size(), name), *real);
  return buffer;
}

std::string rust_float_text(std::span<const std::byte> bytes) {
  const auto real = float_from_bytes(bytes, {});
  if (!real)
    return fmt::format("<{} bytes>", bytes.size());
  if (std::isnan(*real))
    return "NaN";
  if (std::isinf(*real))
    return *real < 0 ? "-inf" : "inf";
  return bytes.size() <= 4 ? shortest(static_cast<float>(*real)) : shortest(static_cast<double>(*real));
}

} // namespace inspect
