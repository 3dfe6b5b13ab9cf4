#include "dwarf/expression/typed_stack_value.h"

#include "dwarf/die/die.h"
#include "dwarf/expression/stack_arithmetic.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <dwarf.h>
#include <fmt/format.h>
#include <limits>

namespace inspect {
namespace {

__extension__ using Wide = __int128;
__extension__ using UnsignedWide = unsigned __int128;
using Kind = StackType::Kind;

/// x87's extended precision: its ten bytes lie in 12 or 16.
constexpr unsigned extended_size = 10;
constexpr unsigned max_size = 16;

std::unexpected<Error> corrupt(std::string_view what) {
  return std::unexpected(corrupt_expression(what));
}

UnsignedWide mask(unsigned size) {
  return size >= max_size ? ~UnsignedWide{0} : (UnsignedWide{1} << (8 * size)) - 1;
}

UnsignedWide bits_of(const StackValue &value) {
  UnsignedWide bits = 0;
  std::memcpy(&bits, value.bytes.data(), sizeof bits);
  return bits & mask(value.type.size);
}

/// The number that a value of an integer type is; of the generic type as if it were signed.
Wide number_of(const StackValue &value) {
  const UnsignedWide bits = bits_of(value);
  if (value.type.kind == Kind::unsigned_integer || value.type.size >= max_size)
    return static_cast<Wide>(bits);
  const UnsignedWide sign = UnsignedWide{1} << (8 * value.type.size - 1);
  return static_cast<Wide>((bits ^ sign) - sign);
}

StackValue integer_value(StackType type, UnsignedWide bits) {
  StackValue value;
  value.type = type;
  bits &= mask(type.size);
  std::memcpy(value.bytes.data(), &bits, sizeof bits);
  return value;
}

long double real_of(const StackValue &value) {
  if (value.type.size == sizeof(float)) {
    float number = 0;
    std::memcpy(&number, value.bytes.data(), sizeof number);
    return static_cast<long double>(number);
  }
  if (value.type.size == sizeof(double)) {
    double number = 0;
    std::memcpy(&number, value.bytes.data(), sizeof number);
    return static_cast<long double>(number);
  }
  long double number = 0;
  std::memcpy(&number, value.bytes.data(), extended_size);
  return number;
}

StackValue real_value(StackType type, long double number) {
  StackValue value;
  value.type = type;
  if (type.size == sizeof(float)) {
    const auto narrow = static_cast<float>(number);
    std::memcpy(value.bytes.data(), &narrow, sizeof narrow);
  } else if (type.size == sizeof(double)) {
    const auto narrow = static_cast<double>(number);
    std::memcpy(value.bytes.data(), &narrow, sizeof narrow);
  } else {
    std::memcpy(value.bytes.data(), &number, extended_size);
  }
  return value;
}

template <typename Number> std::optional<bool> compare(unsigned atom, Number left, Number right) {
  switch (atom) {
  case DW_OP_eq:
    return left == right;
  case DW_OP_ne:
    return left != right;
  case DW_OP_lt:
    return left < right;
  case DW_OP_le:
    return left <= right;
  case DW_OP_gt:
    return left > right;
  case DW_OP_ge:
    return left >= right;
  default:
    return std::nullopt;
  }
}

Result<StackValue> combine_reals(unsigned atom, const StackValue &left, const StackValue &right) {
  const long double first = real_of(left);
  const long double second = real_of(right);
  if (const auto holds = compare(atom, first, second))
    return StackValue::generic(*holds);
  switch (atom) {
  case DW_OP_plus:
    return real_value(left.type, first + second);
  case DW_OP_minus:
    return real_value(left.type, first - second);
  case DW_OP_mul:
    return real_value(left.type, first * second);
  case DW_OP_div:
    if (second == 0)
      return corrupt("divides by zero");
    return real_value(left.type, first / second);
  default:
    return corrupt("computes with a floating-point number as if it were an integer");
  }
}

/// The bits of a quotient or remainder; the smallest number by -1 wraps, as the machine's own does not trap here.
UnsignedWide divide(unsigned atom, const StackValue &left, const StackValue &right) {
  if (left.type.kind == Kind::unsigned_integer)
    return atom == DW_OP_div ? bits_of(left) / bits_of(right) : bits_of(left) % bits_of(right);
  if (number_of(right) == -1)
    return atom == DW_OP_div ? 0 - bits_of(left) : 0;
  return static_cast<UnsignedWide>(atom == DW_OP_div ? number_of(left) / number_of(right)
                                                     : number_of(left) % number_of(right));
}

Result<StackValue> shift(unsigned atom, const StackValue &left, const StackValue &right) {
  const auto count = right.address();
  if (!count)
    return std::unexpected(count.error());
  const unsigned width = 8 * left.type.size;
  if (atom == DW_OP_shl)
    return integer_value(left.type, *count < width ? bits_of(left) << *count : 0);
  if (atom == DW_OP_shr)
    return integer_value(left.type, *count < width ? bits_of(left) >> *count : 0);
  // Arithmetic whatever the type: that is what the operator is for.
  StackValue as_signed = left;
  as_signed.type.kind = Kind::signed_integer;
  const unsigned bounded = *count < width ? static_cast<unsigned>(*count) : width - 1;
  return integer_value(left.type, static_cast<UnsignedWide>(number_of(as_signed) >> bounded));
}

Result<StackValue> combine_integers(unsigned atom, const StackValue &left, const StackValue &right) {
  const bool is_unsigned = left.type.kind == Kind::unsigned_integer;
  if (const auto holds =
          is_unsigned ? compare(atom, bits_of(left), bits_of(right)) : compare(atom, number_of(left), number_of(right)))
    return StackValue::generic(*holds);
  const UnsignedWide first = bits_of(left);
  const UnsignedWide second = bits_of(right);
  switch (atom) {
  case DW_OP_and:
    return integer_value(left.type, first & second);
  case DW_OP_or:
    return integer_value(left.type, first | second);
  case DW_OP_xor:
    return integer_value(left.type, first ^ second);
  case DW_OP_plus:
    return integer_value(left.type, first + second);
  case DW_OP_minus:
    return integer_value(left.type, first - second);
  case DW_OP_mul:
    return integer_value(left.type, first * second);
  default:
    if (second == 0)
      return corrupt("divides by zero");
    return integer_value(left.type, divide(atom, left, right));
  }
}

Result<StackValue> combine_generic_values(unsigned atom, const StackValue &left, const StackValue &right) {
  const auto first = static_cast<std::uint64_t>(bits_of(left));
  const auto second = static_cast<std::uint64_t>(bits_of(right));
  if ((atom == DW_OP_div || atom == DW_OP_mod) && second == 0)
    return corrupt("divides by zero");
  return StackValue::generic(combine_generic(atom, first, second).value_or(0));
}

Result<StackValue> to_integer(long double number, StackType type) {
  const bool is_unsigned = type.kind == Kind::unsigned_integer;
  const unsigned value_bits = 8 * type.size - (is_unsigned ? 0 : 1);
  const long double limit = std::ldexp(1.0L, static_cast<int>(value_bits));
  const long double whole = std::trunc(number);
  if (!(whole < limit) || whole < (is_unsigned ? 0.0L : -limit)) // a NaN is in no range
    return corrupt("converts a floating-point number that does not fit into an integer");
  if (is_unsigned)
    return integer_value(type, static_cast<UnsignedWide>(whole));
  return integer_value(type, static_cast<UnsignedWide>(static_cast<Wide>(whole)));
}

} // namespace

Result<StackType> stack_type(Dwarf_Die type) {
  const std::uint64_t size = unsigned_attribute(type, DW_AT_byte_size).value_or(0);
  if (dwarf_tag(&type) != DW_TAG_base_type || size == 0 || size > max_size)
    return corrupt("names a type that its stack cannot hold");
  const char *name = string_attribute(type, DW_AT_name);
  StackType found{Kind::opaque, static_cast<unsigned>(size)};
  switch (unsigned_attribute(type, DW_AT_encoding).value_or(0)) {
  case DW_ATE_signed:
  case DW_ATE_signed_char:
    found.kind = Kind::signed_integer;
    break;
  case DW_ATE_unsigned:
  case DW_ATE_unsigned_char:
  case DW_ATE_boolean:
  case DW_ATE_address:
  case DW_ATE_UTF:
    found.kind = Kind::unsigned_integer;
    break;
  case DW_ATE_float: // IEEE's 128 bits have the size and the encoding of x87's 80; only the name tells them apart
    if (size == sizeof(float) || size == sizeof(double) ||
        (size >= extended_size && (name == nullptr || std::string_view(name).find("128") == std::string_view::npos)))
      found.kind = Kind::floating;
    break;
  default:
    break;
  }
  return found;
}

StackValue StackValue::generic(std::uint64_t value) {
  return integer_value({}, value);
}

StackValue StackValue::from_bytes(StackType type, std::span<const std::byte> bytes) {
  StackValue value;
  value.type = type;
  std::ranges::copy(bytes.first(std::min<std::size_t>(bytes.size(), type.size)), value.bytes.begin());
  return value;
}

Result<std::uint64_t> StackValue::address() const {
  if (!is_integer())
    return corrupt("takes for an address what is not an integer");
  return static_cast<std::uint64_t>(bits_of(*this));
}

Result<StackValue> combine(unsigned atom, const StackValue &left, const StackValue &right) {
  if (!combine_generic(atom, 1, 1))
    return std::unexpected(
        Error(ErrorKind::unsupported, fmt::format("a DWARF expression uses operator {:#x}, which is not known", atom)));
  const bool shifts = atom == DW_OP_shl || atom == DW_OP_shr || atom == DW_OP_shra;
  if (shifts && left.is_integer() && (left.type != right.type || left.type.kind != Kind::generic))
    return shift(atom, left, right);
  if (left.type != right.type)
    return corrupt("computes with values of different types");
  switch (left.type.kind) {
  case Kind::generic:
    return combine_generic_values(atom, left, right);
  case Kind::floating:
    return combine_reals(atom, left, right);
  case Kind::opaque:
    return corrupt("computes with a value that is not a number");
  default:
    return combine_integers(atom, left, right);
  }
}

Result<StackValue> apply_unary(unsigned atom, const StackValue &value, std::uint64_t operand) {
  if (value.type.kind == Kind::opaque)
    return corrupt("computes with a value that is not a number");
  if (value.type.kind == Kind::floating) {
    if (atom == DW_OP_abs)
      return real_value(value.type, std::fabs(real_of(value)));
    if (atom == DW_OP_neg)
      return real_value(value.type, -real_of(value));
    return corrupt("computes with a floating-point number as if it were an integer");
  }
  const UnsignedWide bits = bits_of(value);
  const bool negative = value.type.kind != Kind::unsigned_integer && number_of(value) < 0;
  switch (atom) {
  case DW_OP_not:
    return integer_value(value.type, ~bits);
  case DW_OP_neg:
    return integer_value(value.type, 0 - bits);
  case DW_OP_abs:
    return integer_value(value.type, negative ? 0 - bits : bits);
  default:
    return integer_value(value.type, bits + operand);
  }
}

Result<StackValue> convert(const StackValue &value, StackType type) {
  if (value.type.kind == Kind::opaque || type.kind == Kind::opaque)
    return corrupt("converts a value that is not a number");
  if (value.type.kind == Kind::floating)
    return type.kind == Kind::floating ? Result<StackValue>(real_value(type, real_of(value)))
                                       : to_integer(real_of(value), type);
  if (type.kind != Kind::floating)
    return integer_value(type, static_cast<UnsignedWide>(number_of(value)));
  if (value.type.kind == Kind::unsigned_integer)
    return real_value(type, static_cast<long double>(bits_of(value)));
  return real_value(type, static_cast<long double>(number_of(value)));
}

Result<StackValue> reinterpret(const StackValue &value, StackType type) {
  if (value.type.size != type.size)
    return corrupt("reinterprets a value as one of another size");
  return StackValue::from_bytes(type, value.bytes);
}

} // namespace inspect
