#include "values/expression/number_arithmetic.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <fmt/format.h>

namespace inspect {
namespace {

__extension__ using UnsignedWide = unsigned __int128;
using Wide = decltype(Number::integer);
using NumberKind = Number::Kind;

bool is_real(const Number &number) {
  return number.kind == NumberKind::floating;
}

/// To the precision of a type of that size; two bytes are computed with as a float, as compilers do.
long double rounded(long double real, unsigned size) {
  if (size <= 4)
    return static_cast<float>(real);
  return size == 8 ? static_cast<double>(real) : real;
}

Wide wrapped(UnsignedWide bits, bool with_sign, unsigned size) {
  if (size == 0 || size >= 16)
    return static_cast<Wide>(bits);
  const unsigned width = size * 8;
  bits &= (UnsignedWide{1} << width) - 1;
  const UnsignedWide top = UnsignedWide{1} << (width - 1);
  return with_sign ? static_cast<Wide>((bits ^ top) - top) : static_cast<Wide>(bits);
}

Error no_bits(std::string_view operator_text) {
  return {ErrorKind::usage, fmt::format("{} takes whole numbers", operator_text)};
}

template <typename Real> Result<Real> real_result(std::string_view operator_text, Real left, Real right) {
  if (operator_text == "+")
    return left + right;
  if (operator_text == "-")
    return left - right;
  if (operator_text == "*")
    return left * right;
  if (operator_text == "/")
    return left / right;
  return std::unexpected(no_bits(operator_text));
}

/// Each in the type's own precision: rounding a wider result would round twice.
Result<Number> real_arithmetic(std::string_view operator_text, const Number &left, const Number &right) {
  Number result{.kind = NumberKind::floating, .integer = 0, .real = 0, .size = left.size};
  const auto take = [&result](const auto &computed) -> Result<Number> {
    if (!computed)
      return std::unexpected(computed.error());
    result.real = *computed;
    return result;
  };
  if (left.size <= 4)
    return take(real_result(operator_text, static_cast<float>(left.real), static_cast<float>(right.real)));
  if (left.size == 8)
    return take(real_result(operator_text, static_cast<double>(left.real), static_cast<double>(right.real)));
  return take(real_result(operator_text, left.real, right.real));
}

Result<UnsignedWide> divided(std::string_view operator_text, const Number &left, const Number &right) {
  if (right.integer == 0)
    return std::unexpected(Error(ErrorKind::usage, "division by zero"));
  const auto numerator = static_cast<UnsignedWide>(left.integer);
  const auto denominator = static_cast<UnsignedWide>(right.integer);
  const bool quotient = operator_text == "/";
  if (is_unsigned(left))
    return quotient ? numerator / denominator : numerator % denominator;
  if (right.integer == -1) // the smallest number has no opposite, and the machine would trap
    return quotient ? UnsignedWide{0} - numerator : UnsignedWide{0};
  return static_cast<UnsignedWide>(quotient ? left.integer / right.integer : left.integer % right.integer);
}

} // namespace

Number promoted(Number number) {
  if (is_real(number))
    return number;
  const bool stays_unsigned = is_unsigned(number) && number.size >= 4;
  number.kind = stays_unsigned ? NumberKind::unsigned_integer : NumberKind::signed_integer;
  number.size = std::max(number.size, 4U);
  return number;
}

Number converted(const Number &number, Number::Kind kind, unsigned size) {
  Number result{.kind = kind, .integer = 0, .real = 0, .size = size};
  if (kind == NumberKind::floating) {
    result.real = rounded(real_of(number), size);
    return result;
  }
  if (kind == NumberKind::boolean)
    result.integer = is_zero(number) ? 0 : 1;
  else
    result.integer = wrapped(static_cast<UnsignedWide>(integer_of(number)), kind == NumberKind::signed_integer, size);
  return result;
}

NumberPair usual_conversions(const Number &left, const Number &right) {
  if (is_real(left) || is_real(right)) {
    const unsigned size = std::max({is_real(left) ? left.size : 0U, is_real(right) ? right.size : 0U, 4U});
    return {converted(left, NumberKind::floating, size), converted(right, NumberKind::floating, size)};
  }
  const Number one = promoted(left);
  const Number other = promoted(right);
  const unsigned size = std::max(one.size, other.size);
  const bool with_sign = (one.size < size || !is_unsigned(one)) && (other.size < size || !is_unsigned(other));
  const NumberKind kind = with_sign ? NumberKind::signed_integer : NumberKind::unsigned_integer;
  return {converted(one, kind, size), converted(other, kind, size)};
}

bool is_comparison(std::string_view operator_text) {
  constexpr auto all = std::to_array<std::string_view>({"==", "!=", "<", ">", "<=", ">="});
  return std::ranges::find(all, operator_text) != all.end();
}

bool is_shift(std::string_view operator_text) {
  return operator_text == "<<" || operator_text == ">>";
}

Result<Number> arithmetic(std::string_view operator_text, const Number &left, const Number &right) {
  if (is_real(left))
    return real_arithmetic(operator_text, left, right);
  const auto one = static_cast<UnsignedWide>(left.integer);
  const auto other = static_cast<UnsignedWide>(right.integer);
  UnsignedWide bits = 0;
  if (operator_text == "+") {
    bits = one + other;
  } else if (operator_text == "-") {
    bits = one - other;
  } else if (operator_text == "*") {
    bits = one * other;
  } else if (operator_text == "&") {
    bits = one & other;
  } else if (operator_text == "|") {
    bits = one | other;
  } else if (operator_text == "^") {
    bits = one ^ other;
  } else if (operator_text == "&^") {
    bits = one & ~other;
  } else if (operator_text == "/" || operator_text == "%") {
    const auto result = divided(operator_text, left, right);
    if (!result)
      return std::unexpected(result.error());
    bits = *result;
  } else {
    return std::unexpected(Error(ErrorKind::usage, fmt::format("numbers have no operator {}", operator_text)));
  }
  Number result = left;
  result.integer = wrapped(bits, !is_unsigned(left), left.size);
  return result;
}

Number real_remainder(const Number &left, const Number &right) {
  Number result = left;
  result.real = rounded(std::fmod(left.real, right.real), left.size); // exact in every precision
  return result;
}

bool compare(std::string_view operator_text, const Number &left, const Number &right) {
  const auto by = [operator_text](const auto &one, const auto &other) {
    switch (operator_text.front()) {
    case '<':
      return operator_text == "<" ? one < other : one <= other;
    case '>':
      return operator_text == ">" ? one > other : one >= other;
    case '=':
      return one == other;
    default:
      return one != other;
    }
  };
  if (is_real(left))
    return by(left.real, right.real);
  if (is_unsigned(left))
    return by(static_cast<UnsignedWide>(left.integer), static_cast<UnsignedWide>(right.integer));
  return by(left.integer, right.integer);
}

Result<Number> shift(std::string_view operator_text, const Number &left, const Number &count, WideShift wide) {
  if (is_real(left) || is_real(count))
    return std::unexpected(no_bits(operator_text));
  if (count.integer < 0 && !is_unsigned(count))
    return std::unexpected(Error(ErrorKind::usage, "a shift by a negative number of bits"));
  const unsigned width = left.size * 8;
  const bool all = static_cast<UnsignedWide>(count.integer) >= width;
  if (all && wide == WideShift::refused)
    return std::unexpected(Error(ErrorKind::usage, fmt::format("a shift by {} of a number of {} bits",
                                                               static_cast<std::uint64_t>(count.integer), width)));
  const unsigned by = all ? 0 : static_cast<unsigned>(count.integer);
  const bool with_sign = !is_unsigned(left);
  Number result = left;
  if (operator_text == "<<")
    result.integer = all ? 0 : wrapped(static_cast<UnsignedWide>(left.integer) << by, with_sign, left.size);
  else if (with_sign)
    result.integer = all ? (left.integer < 0 ? -1 : 0) : left.integer >> by;
  else
    result.integer = all ? 0 : static_cast<Wide>(static_cast<UnsignedWide>(left.integer) >> by);
  return result;
}

Result<Number> unary_arithmetic(std::string_view operator_text, const Number &number) {
  Number result = number;
  if (operator_text == "+")
    return result;
  if (is_real(number)) {
    if (operator_text != "-")
      return std::unexpected(no_bits(operator_text));
    result.real = -number.real;
    return result;
  }
  const auto bits = static_cast<UnsignedWide>(number.integer);
  result.integer = wrapped(operator_text == "-" ? UnsignedWide{0} - bits : ~bits, !is_unsigned(number), number.size);
  return result;
}

bool is_zero(const Number &number) {
  return is_real(number) ? !(number.real < 0) && !(number.real > 0) && number.real == number.real : number.integer == 0;
}

} // namespace inspect
