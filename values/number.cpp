#include "values/number.h"

#include <cmath>

namespace inspect {

__extension__ using Wide = __int128;
__extension__ using UnsignedWide = unsigned __int128;

bool is_unsigned(const Number &number) {
  return number.kind == Number::Kind::unsigned_integer || number.kind == Number::Kind::address ||
         (number.kind == Number::Kind::character && number.size >= 4 && number.integer >= 0);
}

long double real_of(const Number &number) {
  if (number.kind == Number::Kind::floating)
    return number.real;
  return is_unsigned(number) ? static_cast<long double>(static_cast<UnsignedWide>(number.integer))
                             : static_cast<long double>(number.integer);
}

Wide integer_of(const Number &number) {
  if (number.kind != Number::Kind::floating)
    return number.integer;
  return std::fabs(number.real) < 0x1p127L ? static_cast<Wide>(number.real) : 0;
}

bool fits(const Number &number, unsigned bits, bool with_sign) {
  if (number.kind == Number::Kind::floating && !(std::fabs(number.real) < 0x1p127L))
    return false;
  const Wide integer = integer_of(number);
  const bool negative = integer < 0 && !is_unsigned(number);
  const auto magnitude =
      negative ? UnsignedWide{0} - static_cast<UnsignedWide>(integer) : static_cast<UnsignedWide>(integer);
  if (!with_sign)
    return !negative && (bits >= 128 || magnitude >> bits == 0);
  const UnsignedWide half = UnsignedWide{1} << (bits - 1);
  return negative ? magnitude <= half : magnitude < half;
}

} // namespace inspect
