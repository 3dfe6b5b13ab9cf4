#include "values/go/go_conversion.h"

#include "golang/values/scalar_text.h"
#include "values/go/go_operations.h"
#include "values/go/go_variables.h"

#include <bit>
#include <cmath>
#include <fmt/format.h>

namespace inspect {
namespace {

Error no_conversion(const GoType &from, const GoType &to, std::string_view why = {}) {
  return {ErrorKind::usage, fmt::format("{} cannot be converted to {}{}", from.name, to.name, why)};
}

bool is_float(const GoType &type) {
  return type.kind == GoKind::float32 || type.kind == GoKind::float64;
}

bool is_integer(const GoType &type) {
  return is_signed_integer(type.kind) || is_unsigned_integer(type.kind);
}

/// "0 to 255".
std::string range_text(const GoType &type) {
  const unsigned bits = static_cast<unsigned>(8 * size_of_kind(type.kind));
  if (is_signed_integer(type.kind))
    return fmt::format("{} to {}", -(1LL << (bits - 1)) + 0LL, (1ULL << (bits - 1)) - 1);
  return fmt::format("0 to {}", bits == 64 ? UINT64_MAX : (1ULL << bits) - 1);
}

std::vector<std::byte> bytes_of(std::uint64_t word, std::size_t size) {
  std::vector<std::byte> bytes(size);
  for (std::size_t i = 0; i < size && i < 8; ++i)
    bytes[i] = static_cast<std::byte>(word >> (8 * i));
  return bytes;
}

std::vector<std::byte> float_bytes(long double value, const GoType &type) {
  if (type.kind == GoKind::float32)
    return bytes_of(std::bit_cast<std::uint32_t>(static_cast<float>(value)), 4);
  return bytes_of(std::bit_cast<std::uint64_t>(static_cast<double>(value)), 8);
}

bool fits(__int128 value, const GoType &type) {
  const unsigned bits = static_cast<unsigned>(8 * size_of_kind(type.kind));
  const __int128 one = 1;
  if (is_signed_integer(type.kind))
    return value >= -(one << (bits - 1)) && value < (one << (bits - 1));
  return value >= 0 && value < (one << bits);
}

std::string shown(const Number &number) {
  if (number.kind == Number::Kind::floating)
    return fmt::format("{}", static_cast<double>(number.real));
  return fmt::format("{}", number.integer);
}

/// As Go's conversion does it: the low bits of integers, floats without their fraction.
Result<Value> convert_number(Number number, const GoType &from, const GoType &type) {
  if (number.kind == Number::Kind::boolean)
    return std::unexpected(no_conversion(from, type));
  const std::size_t size = size_of_kind(type.kind);
  if (is_float(type)) {
    const long double real =
        number.kind == Number::Kind::floating ? number.real : static_cast<long double>(number.integer);
    return go_value_of_bytes(type, float_bytes(real, type));
  }
  if (number.kind == Number::Kind::floating) {
    if (!(std::fabs(number.real) < 0x1p64L))
      return std::unexpected(no_conversion(from, type, fmt::format(": {} is out of its range", shown(number))));
    number.integer = static_cast<__int128>(number.real);
  }
  return go_value_of_bytes(type, bytes_of(static_cast<std::uint64_t>(number.integer), size));
}

bool is_list_of(const GoType &type, GoKind kind) {
  return type.kind == GoKind::slice && type.element != nullptr && type.element->kind == kind;
}

/// []rune is as much text as is printed of anything.
constexpr std::uint64_t max_runes = 65'536;
constexpr std::size_t max_literal = 1 << 20;

Result<Value> runes_to_string(const GoList &runes, const GoType &type, ValueEnvironment &environment) {
  std::string text;
  for (std::uint64_t i = 0; i < std::min(runes.length, max_runes); ++i) {
    const auto code = read_number(runes.element(i, 4, environment.memory), 0, 4);
    if (!code)
      return std::unexpected(code.error());
    text += go_character(*code);
  }
  Value value = go_text_literal(text, environment);
  value.type.go = &type;
  return value;
}

Result<Value> convert_to_string(const Value &value, const GoType &from, const GoType &type,
                                ValueEnvironment &environment) {
  const auto source = source_of(value);
  if (!source)
    return std::unexpected(source.error());
  if (is_list_of(from, GoKind::unsigned8) || is_list_of(from, GoKind::integer32)) {
    const auto list = read_go_slice(*source);
    if (!list)
      return std::unexpected(list.error());
    if (is_list_of(from, GoKind::integer32))
      return runes_to_string(*list, type, environment);
    if (list->address)
      return go_value_of_words(type, {list->address->value, list->length});
    const auto bytes = read_go_text(*list, max_literal, environment.memory);
    if (!bytes)
      return std::unexpected(bytes.error());
    Value literal = go_text_literal(*bytes, environment);
    literal.type.go = &type;
    return literal;
  }
  if (!is_integer(from))
    return std::unexpected(no_conversion(from, type));
  const auto number = go_number(value);
  if (!number)
    return std::unexpected(number.error());
  Value made = go_text_literal(go_character(static_cast<std::uint64_t>(number->integer)), environment);
  made.type.go = &type;
  return made;
}

} // namespace

Value go_slice_literal(const GoType &type, std::span<const std::byte> elements, std::uint64_t count) {
  auto image = std::make_shared<ValueImage>(24 + elements.size());
  image->set(8, count, 8);
  image->set(16, count, 8);
  for (std::size_t i = 0; i < elements.size(); ++i)
    image->set(24 + i, std::to_integer<unsigned>(elements[i]), 1);
  Value value;
  value.type.go = &type;
  value.language = SourceLanguage::go;
  value.source = ValueSource::of_image(std::move(image));
  return value;
}

namespace {

Result<Value> string_to_bytes(const Value &value, const GoType &type, ValueEnvironment &environment) {
  const auto list = read_go_string(*value.source);
  if (!list)
    return std::unexpected(list.error());
  if (list->address && list->length > 0) // of an empty string it is not nil, whatever the string's address
    return go_value_of_words(type, {list->address->value, list->length, list->length});
  const auto text = read_go_text(*list, max_literal, environment.memory);
  if (!text)
    return std::unexpected(text.error());
  return go_slice_literal(type, std::as_bytes(std::span(*text)), text->size());
}

/// As Go's range over a string: what is no UTF-8 is U+FFFD, a byte at a time.
Result<Value> string_to_runes(const Value &value, const GoType &type, ValueEnvironment &environment) {
  const auto list = read_go_string(*value.source);
  if (!list)
    return std::unexpected(list.error());
  if (list->length > max_literal)
    return std::unexpected(
        Error(ErrorKind::unsupported, fmt::format("a string of {} bytes is too long to be converted", list->length)));
  const auto text = read_go_text(*list, max_literal, environment.memory);
  if (!text)
    return std::unexpected(text.error());
  std::vector<std::byte> elements;
  std::uint64_t count = 0;
  for (std::string_view rest = *text; !rest.empty(); ++count) {
    const auto character = go_character_at(rest);
    const std::uint32_t code = character ? character->value : 0xfffd;
    for (unsigned i = 0; i < 4; ++i)
      elements.push_back(static_cast<std::byte>(code >> (8 * i) & 0xffU));
    rest.remove_prefix(character ? character->bytes : 1);
  }
  return go_slice_literal(type, elements, count);
}

/// complex64(c): each part rounded, or widened.
Result<Value> convert_complex(const ValueSource &source, const GoType &from, const GoType &type) {
  const auto part = [&](std::uint64_t index) -> Result<long double> {
    const std::size_t size = from.kind == GoKind::complex64 ? 4 : 8;
    const auto bits = read_number(source, index * size, size);
    if (!bits)
      return std::unexpected(bits.error());
    return size == 4 ? std::bit_cast<float>(static_cast<std::uint32_t>(*bits)) : std::bit_cast<double>(*bits);
  };
  const auto real = part(0);
  const auto imaginary = part(1);
  if (!real || !imaginary)
    return std::unexpected((real ? imaginary : real).error());
  GoType half;
  half.kind = type.kind == GoKind::complex64 ? GoKind::float32 : GoKind::float64;
  std::vector<std::byte> bytes = float_bytes(*real, half);
  const std::vector<std::byte> second = float_bytes(*imaginary, half);
  bytes.insert(bytes.end(), second.begin(), second.end());
  return go_value_of_bytes(type, bytes);
}

bool is_complex(const GoType &type) {
  return type.kind == GoKind::complex64 || type.kind == GoKind::complex128;
}

/// Whether a value of one type may be looked at as the other: their underlying types are the same, as far as the
/// descriptions tell.
bool same_structure(const GoType &left, const GoType &right, ValueEnvironment &environment, int depth = 0) {
  if (depth > 8 || same_go_type(left, right))
    return true;
  if (left.kind != right.kind || left.size != right.size || left.length != right.length)
    return false;
  whole(left, environment);
  whole(right, environment);
  const auto same_part = [](const GoType *one, const GoType *other) {
    return (one == nullptr) == (other == nullptr) && (one == nullptr || same_go_type(*one, *other));
  };
  if (!same_part(left.element, right.element) || !same_part(left.key, right.key) ||
      left.fields.size() != right.fields.size())
    return false;
  for (std::size_t i = 0; i < left.fields.size(); ++i)
    if (left.fields[i].name != right.fields[i].name || left.fields[i].offset != right.fields[i].offset ||
        !same_part(left.fields[i].type, right.fields[i].type))
      return false;
  return left.kind != GoKind::unknown;
}

} // namespace

bool is_go_number(const GoType &type) {
  return is_integer(type) || is_float(type);
}

bool is_go_address(const GoType &type) {
  return type.kind == GoKind::pointer || type.kind == GoKind::unsafe_pointer || type.kind == GoKind::channel ||
         type.kind == GoKind::map || type.kind == GoKind::function;
}

bool same_go_type(const GoType &left, const GoType &right) {
  if (&left == &right)
    return true;
  if (left.runtime_type.value != 0 && right.runtime_type.value != 0 && left.runtime_type == right.runtime_type)
    return true;
  // Two types of one name in packages of one name cannot be told apart where one of them comes from the DWARF.
  return left.kind == right.kind && left.size == right.size &&
         short_go_type_name(left.name) == short_go_type_name(right.name);
}

Result<Number> any_number(const Value &value, ValueEnvironment &environment) {
  return value.type.go != nullptr ? go_number(value) : native_operations().number(value, environment);
}

Result<Number> go_number(const Value &value) {
  const GoType &type = *value.type.go;
  const auto source = source_of(value);
  if (!source)
    return std::unexpected(source.error());
  if (!is_go_number(type) && !is_go_address(type) && type.kind != GoKind::boolean)
    return std::unexpected(Error(ErrorKind::usage, fmt::format("{} is not a number", type.name)));
  Number number;
  number.size = static_cast<unsigned>(size_of_kind(type.kind));
  const auto bits = read_number(*source, 0, number.size);
  if (!bits)
    return std::unexpected(bits.error());
  if (is_float(type)) {
    number.kind = Number::Kind::floating;
    number.real = type.kind == GoKind::float32 ? std::bit_cast<float>(static_cast<std::uint32_t>(*bits))
                                               : std::bit_cast<double>(*bits);
    return number;
  }
  number.integer = *bits;
  if (is_signed_integer(type.kind)) {
    const unsigned unused = 64 - 8 * number.size;
    number.integer = static_cast<std::int64_t>(*bits << unused) >> unused;
  } else {
    number.kind = type.kind == GoKind::boolean ? Number::Kind::boolean
                  : is_go_address(type)        ? Number::Kind::address
                                               : Number::Kind::unsigned_integer;
  }
  return number;
}

Result<std::vector<std::byte>> encode_go_number(const Number &number, const GoType &type) {
  const bool whole_number = number.kind != Number::Kind::floating;
  const auto refused = [&](std::string_view why) {
    return std::unexpected(Error(ErrorKind::usage, fmt::format("{} {} {}", shown(number), why, type.name)));
  };
  if (type.kind == GoKind::boolean) {
    if (number.kind != Number::Kind::boolean)
      return refused("is not of type");
    return bytes_of(number.integer != 0 ? 1 : 0, 1);
  }
  if (number.kind == Number::Kind::boolean)
    return std::unexpected(Error(
        ErrorKind::usage, fmt::format("{} is not of type {}", number.integer != 0 ? "true" : "false", type.name)));
  if (is_float(type))
    return float_bytes(whole_number ? static_cast<long double>(number.integer) : number.real, type);
  if (!is_integer(type) && !is_go_address(type))
    return refused("is not of type");
  if (!whole_number && (std::trunc(number.real) != number.real || std::fabs(number.real) >= 0x1p64L))
    return refused("is not of type");
  const __int128 integer = whole_number ? number.integer : static_cast<__int128>(number.real);
  if (is_go_address(type) ? integer < 0 || integer > UINT64_MAX : !fits(integer, type))
    return std::unexpected(
        Error(ErrorKind::usage,
              is_go_address(type) ? fmt::format("{} is not an address", integer)
                                  : fmt::format("{} does not fit into {} ({})", integer, type.name, range_text(type))));
  return bytes_of(static_cast<std::uint64_t>(integer), size_of_kind(type.kind));
}

Result<Value> convert_go_value(const Value &value, const GoType &type, ValueEnvironment &environment) {
  if (value.type.go == nullptr) {
    const auto number = operations_of(value).number(value, environment);
    if (!number)
      return std::unexpected(number.error());
    if (is_go_number(type))
      return convert_number(*number, type, type);
    const auto bytes = encode_go_number(*number, type);
    if (!bytes)
      return std::unexpected(bytes.error());
    return go_value_of_bytes(type, *bytes);
  }
  const GoType &from = whole(*value.type.go, environment);
  whole(type, environment);
  const auto source = source_of(value);
  if (!source)
    return std::unexpected(source.error());
  const bool from_word = is_integer(from) || is_go_address(from);
  if (is_go_number(from) && is_go_number(type)) {
    const auto number = go_number(value);
    return number ? convert_number(*number, from, type) : std::unexpected(number.error());
  }
  if (from_word && (is_go_address(type) || type.kind == GoKind::uintptr)) {
    const auto word = go_number(value);
    if (!word)
      return std::unexpected(word.error());
    return go_value_of_words(type, {static_cast<std::uint64_t>(word->integer)});
  }
  if (type.kind == GoKind::string && from.kind != GoKind::string)
    return convert_to_string(value, from, type, environment);
  if (from.kind == GoKind::string && is_list_of(type, GoKind::unsigned8))
    return string_to_bytes(value, type, environment);
  if (from.kind == GoKind::string && is_list_of(type, GoKind::integer32))
    return string_to_runes(value, type, environment);
  if (is_complex(from) && is_complex(type))
    return convert_complex(*source, from, type);
  if (from.kind == GoKind::interface && type.kind != GoKind::interface)
    return std::unexpected(no_conversion(from, type, fmt::format(": what it holds is .({})", type.name)));
  if (!same_structure(from, type, environment))
    return std::unexpected(no_conversion(from, type));
  Value converted = value;
  converted.type.go = &type;
  return converted;
}

} // namespace inspect
