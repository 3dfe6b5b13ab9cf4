#include "values/native/native_numbers.h"

#include "values/native/exact_float.h"
#include "values/native/native_layout.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <fmt/format.h>

namespace inspect {
namespace {

__extension__ using Wide = __int128;
__extension__ using UnsignedWide = unsigned __int128;

bool is_binary128(const std::string &name) {
  return name.find("128") != std::string::npos;
}

long double from_half(std::uint16_t bits) {
  const int exponent = bits >> 10 & 31;
  const int fraction = bits & 1023;
  const long double sign = (bits & 0x8000) != 0 ? -1.0L : 1.0L;
  if (exponent == 31)
    return fraction != 0 ? std::numeric_limits<long double>::quiet_NaN()
                         : sign * std::numeric_limits<long double>::infinity();
  if (exponent == 0)
    return sign * std::ldexp(static_cast<long double>(fraction), -24);
  return sign * std::ldexp(static_cast<long double>(fraction + 1024), exponent - 25);
}

template <typename T> T copied(std::span<const std::byte> bytes) {
  T value{};
  std::memcpy(&value, bytes.data(), sizeof value);
  return value;
}

Result<Number> floating_number(const Value &value, const DwarfType &type, ValueEnvironment &environment) {
  std::byte bytes[16] = {};
  const std::size_t size = static_cast<std::size_t>(type.byte_size.value_or(0));
  if (size == 0 || size > sizeof bytes)
    return std::unexpected(
        Error(ErrorKind::unsupported, fmt::format("a floating-point number of {} bytes is not understood", size)));
  if (!value.source->read(0, std::span(bytes, size)))
    return std::unexpected(unreadable_error(value, environment));
  const auto real = type.encoding == TypeEncoding::decimal_float ? decimal_float_value(std::span(bytes, size))
                                                                 : float_from_bytes(std::span(bytes, size), type.name);
  if (!real)
    return std::unexpected(
        Error(ErrorKind::unsupported, fmt::format("a floating-point number of {} bytes is not understood", size)));
  // Computed with as the widest binary format: decimal digits mostly survive that.
  const bool is_decimal = type.encoding == TypeEncoding::decimal_float;
  return Number{.kind = Number::Kind::floating, .real = *real, .size = is_decimal ? 16 : static_cast<unsigned>(size)};
}

Number::Kind number_kind(ScalarKind kind, bool with_sign) {
  switch (kind) {
  case ScalarKind::boolean:
    return Number::Kind::boolean;
  case ScalarKind::character:
    return Number::Kind::character;
  case ScalarKind::address:
    return Number::Kind::address;
  default:
    return with_sign ? Number::Kind::signed_integer : Number::Kind::unsigned_integer;
  }
}

} // namespace

ScalarKind scalar_kind(const DwarfType &type) {
  switch (type.kind) {
  case DwarfTypeKind::pointer:
  case DwarfTypeKind::reference:
  case DwarfTypeKind::rvalue_reference:
  case DwarfTypeKind::unspecified:
    return ScalarKind::address;
  case DwarfTypeKind::enumeration:
    return ScalarKind::enumeration;
  case DwarfTypeKind::base:
    break;
  default:
    return ScalarKind::none;
  }
  const bool is_rust = is_rust_language(type.language);
  switch (type.encoding) {
  case TypeEncoding::boolean:
    return ScalarKind::boolean;
  case TypeEncoding::floating:
  case TypeEncoding::decimal_float:
    return ScalarKind::floating;
  case TypeEncoding::utf:
    return ScalarKind::character;
  case TypeEncoding::signed_integer:
    return type.name == "wchar_t" ? ScalarKind::character : ScalarKind::signed_integer;
  case TypeEncoding::unsigned_integer:
    return type.byte_size == 0U ? ScalarKind::none : ScalarKind::unsigned_integer; // Rust's ()
  case TypeEncoding::signed_character:
    return is_rust ? ScalarKind::signed_integer : ScalarKind::character;
  case TypeEncoding::unsigned_character:
    return is_rust ? ScalarKind::unsigned_integer : ScalarKind::character;
  default:
    return ScalarKind::none;
  }
}

bool is_signed(const DwarfType &type, ValueEnvironment &environment) {
  if (type.kind == DwarfTypeKind::base)
    return type.encoding == TypeEncoding::signed_integer || type.encoding == TypeEncoding::signed_character;
  if (type.kind != DwarfTypeKind::enumeration)
    return false;
  if (!type.target.is_void())
    return is_signed(environment.types.underlying(type.target), environment);
  return std::ranges::any_of(type.enumerators, [](const DwarfEnumerator &one) { return one.value < 0; });
}

Result<RawBits> raw_bits(const Value &value, ValueEnvironment &environment) {
  if (!value.source)
    return std::unexpected(missing_error(value));
  const DwarfType &type = environment.types.underlying(value.type.native);
  const std::uint64_t size = size_of(value, environment).value_or(0);
  BitRange range{0, 8 * size};
  if (type.kind == DwarfTypeKind::unspecified) // decltype(nullptr), whose size is not written
    range.size = 64;
  else if (value.bits)
    range = *value.bits;
  else if (type.bit_size && *type.bit_size > 0 && *type.bit_size <= range.size)
    range.size = *type.bit_size;
  if (range.size == 0 || range.size > 128 || range.offset > 128)
    return std::unexpected(
        Error(ErrorKind::unsupported, fmt::format("a number of {} bits is not understood", range.size)));
  std::byte bytes[33] = {};
  const std::size_t count = static_cast<std::size_t>((range.offset + range.size + 7) / 8);
  const std::uint64_t first = range.offset / 8;
  if (!value.source->at(first).read_bits(range.offset % 8, range.size, std::span(bytes + first, count - first)))
    return std::unexpected(unreadable_error(value, environment));
  RawBits raw{.bits = 0, .width = static_cast<unsigned>(range.size)};
  for (std::uint64_t i = 0; i < range.size; ++i) {
    const std::uint64_t bit = range.offset + i;
    if ((std::to_integer<unsigned>(bytes[bit / 8]) >> (bit % 8) & 1U) != 0)
      raw.bits |= UnsignedWide{1} << i;
  }
  return raw;
}

Wide sign_extended(const RawBits &raw) {
  if (raw.width == 0 || raw.width >= 128)
    return static_cast<Wide>(raw.bits);
  const UnsignedWide top = UnsignedWide{1} << (raw.width - 1);
  return static_cast<Wide>((raw.bits ^ top) - top);
}

std::optional<long double> float_from_bytes(std::span<const std::byte> bytes, const std::string &name) {
  switch (bytes.size()) {
  case 2: {
    const auto bits = copied<std::uint16_t>(bytes);
    // The other format of two bytes has the exponent of a float.
    if (name.find("bfloat") != std::string::npos || name.find("bf16") != std::string::npos) {
      const std::uint32_t wide = std::uint32_t{bits} << 16;
      return copied<float>(std::as_bytes(std::span(&wide, 1)));
    }
    return from_half(bits);
  }
  case 4:
    return copied<float>(bytes);
  case 8:
    return copied<double>(bytes);
  case 10:
  case 12:
  case 16:
    if (bytes.size() == 16 && is_binary128(name)) {
      __extension__ using Quad = __float128;
      return static_cast<long double>(copied<Quad>(bytes));
    } else {
      long double real = 0;
      std::memcpy(&real, bytes.data(), 10);
      return real;
    }
  default:
    return std::nullopt;
  }
}

int float_digits(std::uint64_t size, const std::string &name) {
  switch (size) {
  case 2:
    return name.find("bf") != std::string::npos ? 4 : 5;
  case 4:
    return 9;
  case 8:
    return 17;
  default:
    return is_binary128(name) ? 36 : 21;
  }
}

Result<Number> native_number(const Value &given, ValueEnvironment &environment) {
  const Value value = without_references(given, environment);
  if (!value.source)
    return std::unexpected(missing_error(value));
  const DwarfType &type = environment.types.underlying(value.type.native);
  const ScalarKind kind = scalar_kind(type);
  if (kind == ScalarKind::none)
    return std::unexpected(Error(ErrorKind::usage, "the value is not a number"));
  if (kind == ScalarKind::floating)
    return floating_number(value, type, environment);
  const auto raw = raw_bits(value, environment);
  if (!raw)
    return std::unexpected(raw.error());
  const bool with_sign = is_signed(type, environment);
  Number number{.kind = number_kind(kind, with_sign)};
  number.size = static_cast<unsigned>(size_of(value, environment).value_or(8));
  if (kind == ScalarKind::character && with_sign && number.size >= 4) // wchar_t: arithmetic does not make it unsigned
    number.kind = Number::Kind::signed_integer;
  number.integer = with_sign ? sign_extended(*raw) : static_cast<Wide>(raw->bits);
  if (kind == ScalarKind::boolean)
    number.integer = raw->bits != 0 ? 1 : 0;
  return number;
}

std::string decimal_text(UnsignedWide number) {
  if (number == 0)
    return "0";
  std::string digits;
  for (; number != 0; number /= 10)
    digits.insert(digits.begin(), static_cast<char>('0' + static_cast<int>(number % 10)));
  return digits;
}

std::string decimal_text(Wide number) {
  const auto bits = static_cast<UnsignedWide>(number);
  return number < 0 ? "-" + decimal_text(UnsignedWide{0} - bits) : decimal_text(bits);
}

} // namespace inspect
