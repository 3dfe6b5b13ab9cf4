#include "values/native/native_layout.h"
#include "values/native/native_numbers.h"

#include "dwarf/types/type_name.h"

#include <cmath>
#include <cstring>
#include <fmt/format.h>
#include <limits>

namespace inspect {
namespace {

__extension__ using Wide = __int128;
__extension__ using UnsignedWide = unsigned __int128;

template <typename T> std::vector<std::byte> bytes_of(T value, std::size_t size = sizeof(T)) {
  std::vector<std::byte> bytes(size);
  std::memcpy(bytes.data(), &value, std::min(size, sizeof value));
  return bytes;
}

/// To the nearest, ties to even, which ldexp and nearbyint do; subnormal numbers included.
std::uint16_t to_half(long double real) {
  const std::uint16_t sign = std::signbit(real) ? 0x8000 : 0;
  const long double size = std::fabs(real);
  if (std::isnan(real))
    return static_cast<std::uint16_t>(sign | 0x7e00);
  if (size >= 65520.0L)
    return static_cast<std::uint16_t>(sign | 0x7c00);
  int exponent = 0;
  std::frexp(size, &exponent);
  const int step = std::max(exponent - 11, -24);
  const auto fraction = static_cast<std::uint32_t>(std::nearbyint(std::ldexp(size, -step)));
  // A fraction of 2048 carries into the exponent by itself.
  const std::uint32_t bits = step == -24 ? fraction : static_cast<std::uint32_t>(step + 24) * 1024U + fraction;
  return static_cast<std::uint16_t>(sign | bits);
}

Result<std::vector<std::byte>> float_bytes(long double real, const DwarfType &type) {
  if (type.encoding == TypeEncoding::decimal_float)
    return std::unexpected(Error(ErrorKind::unsupported, fmt::format("a {} cannot be written", type.name)));
  switch (type.byte_size.value_or(0)) {
  case 2:
    if (type.name.find("bf") == std::string::npos)
      return bytes_of(to_half(real));
    break;
  case 4:
    return bytes_of(static_cast<float>(real));
  case 8:
    return bytes_of(static_cast<double>(real));
  case 10:
  case 12:
  case 16:
    if (type.name.find("128") == std::string::npos) {
      std::vector<std::byte> bytes(static_cast<std::size_t>(*type.byte_size));
      std::memcpy(bytes.data(), &real, 10);
      return bytes;
    } else {
      __extension__ using Quad = __float128;
      return bytes_of(static_cast<Quad>(real), 16);
    }
  default:
    break;
  }
  return std::unexpected(
      Error(ErrorKind::unsupported,
            fmt::format("a floating-point number of {} bytes cannot be written", type.byte_size.value_or(0))));
}

struct IntegerShape {
  std::size_t bytes = 0;
  unsigned bits = 0;
  bool with_sign = false;
};

Result<IntegerShape> integer_shape(const TypeHandle &handle, const DwarfType &type, ValueEnvironment &environment) {
  const std::uint64_t size = environment.types.size_of(handle).value_or(0);
  if (size == 0 || size > 16)
    return std::unexpected(
        Error(ErrorKind::usage, fmt::format("{} holds no number", type_name(environment.types, handle))));
  IntegerShape shape{static_cast<std::size_t>(size), static_cast<unsigned>(8 * size), is_signed(type, environment)};
  if (type.bit_size && *type.bit_size > 0 && *type.bit_size < shape.bits)
    shape.bits = static_cast<unsigned>(*type.bit_size);
  return shape;
}

Error range_error(const IntegerShape &shape, const TypeHandle &handle, const std::string &number,
                  ValueEnvironment &environment) {
  const UnsignedWide all = shape.bits >= 128 ? ~UnsignedWide{0} : (UnsignedWide{1} << shape.bits) - 1;
  const std::string low = shape.with_sign ? decimal_text(-static_cast<Wide>(all / 2) - 1) : "0";
  return {ErrorKind::usage,
          fmt::format("{} does not fit into {}, which holds {} to {}", number, type_name(environment.types, handle),
                      low, decimal_text(shape.with_sign ? all / 2 : all))};
}

std::string text_of(const Number &number) {
  if (number.kind == Number::Kind::floating)
    return fmt::format("{}", static_cast<double>(number.real));
  return is_unsigned(number) ? decimal_text(static_cast<UnsignedWide>(number.integer)) : decimal_text(number.integer);
}

Result<std::vector<std::byte>> encode_integer(const Number &number, const TypeHandle &handle, const DwarfType &type,
                                              ValueEnvironment &environment) {
  auto shape = integer_shape(handle, type, environment);
  if (!shape)
    return std::unexpected(shape.error());
  if (number.kind == Number::Kind::floating && (!std::isfinite(number.real) || std::trunc(number.real) != number.real))
    return std::unexpected(Error(ErrorKind::usage, fmt::format("{} is not a whole number, which {} holds",
                                                               text_of(number), type_name(environment.types, handle))));
  const Wide integer = integer_of(number);
  if (scalar_kind(type) == ScalarKind::boolean)
    shape->bits = 1;
  // Code points and bytes are written as the numbers that people know: '\xff' as -1 and as 255.
  const bool byte_of_text = scalar_kind(type) == ScalarKind::character && shape->bytes == 1;
  if (byte_of_text && (fits(number, 8, true) || fits(number, 8, false)))
    return low_bytes(static_cast<UnsignedWide>(integer), 1);
  if (!fits(number, shape->bits, shape->with_sign))
    return std::unexpected(range_error(*shape, handle, text_of(number), environment));
  return low_bytes(static_cast<UnsignedWide>(integer), shape->bytes);
}

} // namespace

Result<std::vector<std::byte>> encode_number(const Number &number, const TypeHandle &handle,
                                             ValueEnvironment &environment) {
  const DwarfType &type = environment.types.underlying(handle);
  const ScalarKind kind = scalar_kind(type);
  if (kind == ScalarKind::none)
    return std::unexpected(
        Error(ErrorKind::usage, fmt::format("{} holds no number", type_name(environment.types, handle))));
  if (kind != ScalarKind::floating)
    return encode_integer(number, handle, type, environment);
  const long double real = real_of(number);
  auto bytes = float_bytes(real, type);
  if (!bytes)
    return bytes;
  const auto back = float_from_bytes(*bytes, type.name);
  if (std::isfinite(real) && (!back || !std::isfinite(*back)))
    return std::unexpected(Error(ErrorKind::usage, fmt::format("{} is too large for {}", text_of(number),
                                                               type_name(environment.types, handle))));
  return bytes;
}

Result<std::vector<std::byte>> convert_number(const Number &number, const TypeHandle &handle,
                                              ValueEnvironment &environment) {
  const DwarfType &type = environment.types.underlying(handle);
  switch (scalar_kind(type)) {
  case ScalarKind::none:
    return std::unexpected(
        Error(ErrorKind::usage, fmt::format("a number is not converted to {}", type_name(environment.types, handle))));
  case ScalarKind::floating:
    return float_bytes(real_of(number), type);
  case ScalarKind::boolean:
    return low_bytes((number.kind == Number::Kind::floating ? number.real != 0 : number.integer != 0) ? 1 : 0,
                     static_cast<std::size_t>(type.byte_size.value_or(1)));
  default: {
    const auto shape = integer_shape(handle, type, environment);
    if (!shape)
      return std::unexpected(shape.error());
    return low_bytes(static_cast<UnsignedWide>(integer_of(number)), shape->bytes);
  }
  }
}

} // namespace inspect
