#include "values/go/go_scalar_text.h"

#include "golang/arguments/scalar_text.h"
#include "values/go/go_conversion.h"
#include "values/go/go_reading.h"

#include <bit>
#include <fmt/format.h>

namespace inspect {
namespace {

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

/// "Green", or of flags "Read|Execute"; empty where the type's constants do not make up the number. As dlv's
/// pkg/proc/bininfo.go, constantType.describe.
std::string constants_text(std::uint64_t bits, const std::vector<GoConstant> &constants) {
  for (const GoConstant &constant : constants)
    if (static_cast<std::uint64_t>(constant.value) == bits)
      return constant.name;
  std::string text;
  for (const GoConstant &constant : constants) {
    const auto flag = static_cast<std::uint64_t>(constant.value);
    if (!std::has_single_bit(flag) || (bits & flag) == 0)
      continue;
    text += (text.empty() ? "" : "|") + constant.name;
    bits &= ~flag;
  }
  return bits == 0 ? text : std::string();
}

/// The type with a description in the DWARF: types that the runtime describes have no constants.
const GoType &described_type(const GoType &type, const ValueEnvironment &environment) {
  if (type.runtime_type.value == 0 || !environment.find_type)
    return type;
  const auto found = environment.find_type(type.name, SourceLanguage::go);
  if (!found)
    return type;
  const GoType *described = found->go != nullptr ? found->go : environment.go->converter->convert(found->native);
  return described->kind == type.kind ? *described : type;
}

std::string constant_name(const Number &number, const GoType &type, const ValueEnvironment &environment) {
  // Predeclared types have constants, too, but not every int that is 3 is one of them.
  if (type.name.find('.') == std::string::npos || !environment.go || environment.go->converter == nullptr)
    return {};
  return constants_text(static_cast<std::uint64_t>(number.integer),
                        environment.go->converter->constants(described_type(type, environment)));
}

std::string integer_text(const Number &number, const GoType &type, const ValueEnvironment &environment,
                         const PrintOptions &options) {
  const bool negative = number.integer < 0;
  const auto magnitude = static_cast<std::uint64_t>(negative ? -number.integer : number.integer);
  switch (options.format) {
  case NumberFormat::natural:
    if (type.name == "time.Duration")
      return go_duration_text(static_cast<std::int64_t>(number.integer));
    if (const std::string name = constant_name(number, type, environment); !name.empty())
      return fmt::format("{} ({})", name, number.integer);
    break;
  case NumberFormat::unsigned_decimal:
    if (negative && number.size < 8)
      return fmt::format("{}", static_cast<std::uint64_t>(number.integer) & ((1ULL << (8 * number.size)) - 1));
    return fmt::format("{}", static_cast<std::uint64_t>(number.integer));
  case NumberFormat::decimal:
    if (!negative && number.size == 8 && magnitude > INT64_MAX && type.kind != GoKind::unsigned64)
      return fmt::format("{}", static_cast<std::int64_t>(magnitude));
    break;
  case NumberFormat::character:
  case NumberFormat::quoted:
    return character_text(negative ? UINT64_MAX : magnitude, options.format == NumberFormat::quoted);
  case NumberFormat::address: {
    const auto &classify = environment.go ? environment.go->classify : std::function<std::string(RunAddress)>();
    const auto address = static_cast<std::uint64_t>(number.integer);
    const std::string phrase = classify ? classify(RunAddress{address}) : std::string();
    return fmt::format(fmt::runtime(phrase.empty() ? "{:#x}" : "{:#x} ({})"), address, phrase);
  }
  default:
    break;
  }
  return digits_text(magnitude, negative, options.format, options.bare);
}

std::string float_text(double value, bool single, NumberFormat format) {
  if (format == NumberFormat::hexadecimal)
    return fmt::format("{:a}", value);
  if (format == NumberFormat::floating)
    return fmt::format("{:f}", value);
  return single ? go_float_text(static_cast<float>(value)) : go_float_text(value);
}

std::string complex_text(const GoType &type, const ValueSource &source, NumberFormat format) {
  const bool single = type.kind == GoKind::complex64;
  const std::size_t half = single ? 4 : 8;
  const auto real = read_number(source, 0, half);
  const auto imaginary = read_number(source, half, half);
  if (!real || !imaginary)
    return unreadable_text((real ? imaginary : real).error().message());
  const auto part = [&](std::uint64_t bits) {
    const double value =
        single ? double{std::bit_cast<float>(static_cast<std::uint32_t>(bits))} : std::bit_cast<double>(bits);
    return float_text(value, single, format);
  };
  return fmt::format("({} + {}i)", part(*real), part(*imaginary));
}

} // namespace

std::string unreadable_text(std::string_view why) {
  return fmt::format("(unreadable {})", why);
}

std::optional<std::string> go_scalar_text(const GoType &type, const ValueSource &source,
                                          const ValueEnvironment &environment, const PrintOptions &options) {
  if (type.kind == GoKind::complex64 || type.kind == GoKind::complex128)
    return complex_text(type, source, options.format);
  if (!is_go_number(type) && type.kind != GoKind::boolean)
    return std::nullopt;
  Value value;
  value.type.go = &type;
  value.source = source;
  const auto number = go_number(value);
  if (!number)
    return unreadable_text(number.error().message());
  if (type.kind == GoKind::boolean && number->integer > 1)
    return fmt::format("{:#x}, no bool: not initialised?", static_cast<unsigned>(number->integer));
  if (type.kind == GoKind::boolean)
    return number->integer != 0 ? "true" : "false";
  if (number->kind == Number::Kind::floating)
    return float_text(static_cast<double>(number->real), type.kind == GoKind::float32, options.format);
  return integer_text(*number, type, environment, options);
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
      drop_cut_character(bytes);
    left_out += whole_size - bytes.size();
    text = go_quoted(bytes);
    text = text.substr(1, text.size() - 2);
  }
  if (left_out > 0)
    text += fmt::format("...+{} more", left_out); // inside the quotes, as dlv has it
  const bool quoted = options.format != NumberFormat::text && options.format != NumberFormat::hexadecimal;
  return quoted ? '"' + text + '"' : text;
}

} // namespace inspect
