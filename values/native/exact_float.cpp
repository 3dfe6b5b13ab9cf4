#include "values/native/exact_float.h"

#include "values/native/native_numbers.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <fmt/format.h>
#include <vector>

namespace inspect {
namespace {

__extension__ using UnsignedWide = unsigned __int128;

UnsignedWide bits_of(std::span<const std::byte> bytes) {
  UnsignedWide bits = 0;
  std::memcpy(&bits, bytes.data(), std::min(bytes.size(), sizeof bits));
  return bits;
}

/// A natural number of any size, the lowest nine decimal digits first.
class LargeNumber {
public:
  explicit LargeNumber(UnsignedWide number) {
    for (; number != 0; number /= base)
      parts_.push_back(static_cast<std::uint32_t>(number % base));
  }

  void multiply(std::uint32_t factor) {
    std::uint64_t carry = 0;
    for (std::uint32_t &part : parts_) {
      carry += static_cast<std::uint64_t>(part) * factor;
      part = static_cast<std::uint32_t>(carry % base);
      carry /= base;
    }
    if (carry != 0)
      parts_.push_back(static_cast<std::uint32_t>(carry));
  }

  std::string digits() const {
    if (parts_.empty())
      return "0";
    std::string text = fmt::format("{}", parts_.back());
    for (std::size_t i = parts_.size() - 1; i-- > 0;)
      text += fmt::format("{:09}", parts_[i]);
    return text;
  }

private:
  static constexpr std::uint32_t base = 1'000'000'000;
  std::vector<std::uint32_t> parts_;
};

/// The first `count` digits, rounded to the nearest, ties to even; true: it has one digit more now ("999" of two).
bool round_digits(std::string &digits, std::size_t count) {
  if (digits.size() <= count)
    return false;
  const char next = digits[count];
  const bool exact_half = next == '5' && digits.find_first_not_of('0', count + 1) == std::string::npos;
  const bool odd = count > 0 && (digits[count - 1] - '0') % 2 != 0;
  const bool up = next > '5' || (next == '5' && (!exact_half || odd));
  digits.resize(count);
  if (!up)
    return false;
  for (std::size_t i = count; i-- > 0;) {
    if (digits[i] != '9') {
      ++digits[i];
      return false;
    }
    digits[i] = '0';
  }
  digits.insert(digits.begin(), '1');
  digits.pop_back();
  return true;
}

/// As printf's %g: `exponent` is the first digit's power of ten.
std::string general_format(std::string digits, std::int64_t exponent, int precision) {
  digits.erase(std::min(digits.find_last_not_of('0') + 1, digits.size()));
  if (digits.empty())
    return "0";
  if (exponent < -4 || exponent >= precision) {
    std::string text = digits.substr(0, 1) + (digits.size() > 1 ? "." + digits.substr(1) : "");
    return fmt::format("{}e{}{:02}", text, exponent < 0 ? "-" : "+", std::abs(exponent));
  }
  if (exponent < 0)
    return "0." + std::string(static_cast<std::size_t>(-exponent - 1), '0') + digits;
  const auto whole = static_cast<std::size_t>(exponent) + 1;
  if (digits.size() <= whole)
    return digits + std::string(whole - digits.size(), '0');
  return digits.substr(0, whole) + "." + digits.substr(whole);
}

struct DecimalFloat {
  bool negative = false;
  bool is_number = true; ///< else `special` says what it is
  const char *special = "";
  UnsignedWide coefficient = 0;
  int exponent = 0;
};

struct DecimalFormat {
  unsigned bits;
  unsigned exponent_bits;
  int bias;
  unsigned digits;
};

std::optional<DecimalFloat> decoded(std::span<const std::byte> bytes) {
  DecimalFormat format{};
  switch (bytes.size()) {
  case 4:
    format = {32, 8, 101, 7};
    break;
  case 8:
    format = {64, 10, 398, 16};
    break;
  case 16:
    format = {128, 14, 6176, 34};
    break;
  default:
    return std::nullopt;
  }
  const UnsignedWide bits = bits_of(bytes);
  DecimalFloat number;
  number.negative = (bits >> (format.bits - 1) & 1) != 0;
  const auto leading = static_cast<unsigned>(bits >> (format.bits - 6) & 31);
  if (leading >= 30) {
    number.is_number = false;
    number.special = leading == 30 ? "Infinity" : (bits >> (format.bits - 7) & 1) != 0 ? "sNaN" : "NaN";
    return number;
  }
  const UnsignedWide exponent_mask = (UnsignedWide{1} << format.exponent_bits) - 1;
  unsigned coefficient_bits = format.bits - 1 - format.exponent_bits;
  if (leading >= 24) { // the two bits behind the sign are set: three leading bits of the significand are implied
    coefficient_bits -= 2;
    number.coefficient = UnsignedWide{4} << coefficient_bits;
  }
  number.coefficient |= bits & ((UnsignedWide{1} << coefficient_bits) - 1);
  number.exponent = static_cast<int>(static_cast<unsigned>(bits >> coefficient_bits & exponent_mask)) - format.bias;
  UnsignedWide limit = 1;
  for (unsigned i = 0; i < format.digits; ++i)
    limit *= 10;
  if (number.coefficient >= limit) // no canonical one: it means 0
    number.coefficient = 0;
  return number;
}

} // namespace

std::string binary128_text(std::span<const std::byte> bytes, int digits) {
  const UnsignedWide bits = bits_of(bytes);
  const std::string sign = (bits >> 127) != 0 ? "-" : "";
  const auto exponent = static_cast<int>(static_cast<unsigned>(bits >> 112) & 0x7fffU);
  const UnsignedWide fraction = bits & ((UnsignedWide{1} << 112) - 1);
  if (exponent == 0x7fff)
    return fraction == 0 ? sign + "inf" : fmt::format("{}nan(0x{:x})", sign, fraction);
  const UnsignedWide significand = exponent == 0 ? fraction : fraction | UnsignedWide{1} << 112;
  if (significand == 0)
    return sign + "0";
  // The number is significand * 2^power; of a negative power 5^-power / 10^-power.
  const int power = std::max(exponent, 1) - 16383 - 112;
  LargeNumber number(significand);
  for (int i = 0; i < std::abs(power); ++i)
    number.multiply(power > 0 ? 2 : 5);
  std::string text = number.digits();
  std::int64_t first = static_cast<std::int64_t>(text.size()) - 1 + std::min(power, 0);
  if (round_digits(text, static_cast<std::size_t>(digits)))
    ++first;
  return sign + general_format(std::move(text), first, digits);
}

std::optional<std::string> decimal_float_text(std::span<const std::byte> bytes) {
  const auto number = decoded(bytes);
  if (!number)
    return std::nullopt;
  std::string text = number->negative ? "-" : "";
  if (!number->is_number)
    return text + number->special;
  const std::string digits = decimal_text(number->coefficient);
  const int adjusted = number->exponent + static_cast<int>(digits.size()) - 1;
  if (number->exponent > 0 || adjusted < -6) {
    text += digits.substr(0, 1) + (digits.size() > 1 ? "." + digits.substr(1) : "");
    return fmt::format("{}E{:+}", text, adjusted);
  }
  if (number->exponent == 0)
    return text + digits;
  if (adjusted < 0)
    return text + "0." + std::string(static_cast<std::size_t>(-adjusted - 1), '0') + digits;
  const auto whole = static_cast<std::size_t>(adjusted) + 1;
  return text + digits.substr(0, whole) + "." + digits.substr(whole);
}

std::optional<long double> decimal_float_value(std::span<const std::byte> bytes) {
  const auto number = decoded(bytes);
  if (!number)
    return std::nullopt;
  if (!number->is_number) {
    const long double special = number->special[0] == 'I' ? std::numeric_limits<long double>::infinity()
                                                          : std::numeric_limits<long double>::quiet_NaN();
    return number->negative ? -special : special;
  }
  return std::strtold(decimal_float_text(bytes)->c_str(), nullptr);
}

} // namespace inspect
