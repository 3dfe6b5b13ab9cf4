// Operators on what is several numbers: complex ones, and the vectors of GNU C.
//
// Sources: the Go specification, "Manipulating complex numbers", "Constant expressions"; C23 Annex G (without its rules
// for infinities, as the machine's own arithmetic has it); GCC's manual, "Vector Extensions".
#include "values/expression/expression_evaluation.h"
#include "values/expression/number_arithmetic.h"
#include "values/go/go_variables.h"
#include "values/native/native_layout.h"
#include "values/native/native_numbers.h"

#include <array>
#include <cstring>
#include <fmt/format.h>
#include <span>

namespace inspect {

using Operand = EvaluationOperand;

namespace {

constexpr std::size_t max_part_size = 16;
constexpr std::uint64_t max_vector_length = 4096;

bool is_complex_type(const ValueType &type, ValueEnvironment &environment) {
  if (type.go != nullptr)
    return type.go->kind == GoKind::complex64 || type.go->kind == GoKind::complex128;
  const DwarfType &native = environment.types.underlying(type.native);
  return native.kind == DwarfTypeKind::base && native.encoding == TypeEncoding::complex_float;
}

template <typename Real> void store(std::span<std::byte> into, long double number) {
  const Real rounded = static_cast<Real>(number);
  std::memcpy(into.data(), &rounded, std::min(into.size(), sizeof rounded));
}

/// In the precision of the parts.
template <typename Real>
std::optional<ComplexNumber> computed(std::string_view operator_text, const ComplexNumber &left,
                                      const ComplexNumber &right, unsigned size) {
  const Real a = static_cast<Real>(left.real), b = static_cast<Real>(left.imaginary);
  const Real c = static_cast<Real>(right.real), d = static_cast<Real>(right.imaginary);
  const auto made = [size](Real real, Real imaginary) { return ComplexNumber{real, imaginary, size}; };
  if (operator_text == "+")
    return made(a + c, b + d);
  if (operator_text == "-")
    return made(a - c, b - d);
  if (operator_text == "*")
    return made(a * c - b * d, a * d + b * c);
  if (operator_text == "/") {
    const Real square = c * c + d * d;
    return made((a * c + b * d) / square, (b * c - a * d) / square);
  }
  return std::nullopt;
}

} // namespace

Result<std::optional<ComplexNumber>> ExpressionEvaluation::complex_of(const Operand &operand) {
  if (operand.kind == Operand::Kind::untyped_number && operand.number.kind == Number::Kind::imaginary)
    return ComplexNumber{0, operand.number.real, 16};
  if (operand.kind != Operand::Kind::value)
    return std::nullopt;
  const bool is_go = operand.value.type.go != nullptr;
  const Value value = is_go ? operand.value : without_references(operand.value, environment_);
  if (!is_complex_type(value.type, environment_))
    return std::nullopt;
  const auto size = operations_of(value).size_of(value.type, environment_);
  std::array<std::byte, 2 * max_part_size> bytes{};
  if (!value.source)
    return std::unexpected(missing_error(value));
  if (!size || *size > bytes.size() || !value.source->read(0, std::span(bytes).first(static_cast<std::size_t>(*size))))
    return std::unexpected(Error(ErrorKind::unreadable, "the complex number cannot be read"));
  const auto half = static_cast<std::size_t>(*size / 2);
  const std::string name = is_go ? std::string() : environment_.types.underlying(value.type.native).name;
  const auto real = float_from_bytes(std::span(bytes).first(half), name);
  const auto imaginary = float_from_bytes(std::span(bytes).subspan(half, half), name);
  if (!real || !imaginary)
    return std::unexpected(Error(ErrorKind::unsupported, "a complex number of this size is not understood"));
  return ComplexNumber{*real, *imaginary, static_cast<unsigned>(*size)};
}

Result<ComplexNumber> ExpressionEvaluation::any_complex(const Operand &operand) {
  const auto complex = complex_of(operand);
  if (!complex)
    return std::unexpected(complex.error());
  if (*complex)
    return **complex;
  const auto number = number_of(operand);
  if (!number)
    return std::unexpected(number.error());
  const bool is_float = number->kind == Number::Kind::floating && operand.kind == Operand::Kind::value;
  return ComplexNumber{real_of(*number), 0, is_float ? 2 * number->size : 0};
}

ValueType ExpressionEvaluation::complex_type(unsigned size) const {
  if (in_go())
    return {.native = {}, .go = environment_.go->pool->predeclared(size <= 8 ? "complex64" : "complex128")};
  const std::string_view name = size <= 8 ? "complex float" : size <= 16 ? "complex double" : "complex long double";
  return {.native = environment_.types.base_type(name, TypeEncoding::complex_float, size)};
}

Value ExpressionEvaluation::complex_value(const ComplexNumber &number, const ValueType &type) const {
  const auto size = operations_of(type).size_of(type, environment_).value_or(number.size);
  std::vector<std::byte> bytes(static_cast<std::size_t>(size));
  const std::size_t half = bytes.size() / 2;
  for (const bool second : {false, true}) {
    const auto place = std::span(bytes).subspan(second ? half : 0, half);
    const long double part = second ? number.imaginary : number.real;
    if (half == sizeof(float))
      store<float>(place, part);
    else if (half == sizeof(double))
      store<double>(place, part);
    else
      store<long double>(place, part);
  }
  return value_of_bytes(std::move(bytes), type, scope_.language());
}

Result<std::optional<Operand>> ExpressionEvaluation::complex_numbers(std::string_view operator_text,
                                                                     const Operand &left, const Operand &right) {
  const auto one = complex_of(left);
  const auto other = complex_of(right);
  if (!one || !other)
    return std::unexpected((one ? other : one).error());
  if (!*one && !*other)
    return std::nullopt;
  const auto first = any_complex(left);
  const auto second = any_complex(right);
  if (!first || !second)
    return std::unexpected((first ? second : first).error());
  if (operator_text == "==" || operator_text == "!=") {
    const bool same = !(first->real < second->real) && !(first->real > second->real) &&
                      !(first->imaginary < second->imaginary) && !(first->imaginary > second->imaginary);
    return boolean(same == (operator_text == "=="));
  }
  // A value's type decides over a literal's; of two in C the larger, in Go they must be one.
  const auto typed = [](const Operand &operand, bool is_complex) {
    return is_complex && operand.kind == Operand::Kind::value;
  };
  const bool left_typed = typed(left, one->has_value());
  const bool right_typed = typed(right, other->has_value());
  if (in_go() && left_typed && right_typed && first->size != second->size)
    return std::unexpected(Error(ErrorKind::usage, "complex64 and complex128 do not mix", "convert one of them"));
  const unsigned size = left_typed && right_typed ? std::max(first->size, second->size)
                        : left_typed              ? std::max(first->size, in_go() ? 0 : second->size)
                        : right_typed             ? std::max(second->size, in_go() ? 0 : first->size)
                                                  : 16;
  const auto result = size <= 8    ? computed<float>(operator_text, *first, *second, size)
                      : size <= 16 ? computed<double>(operator_text, *first, *second, size)
                                   : computed<long double>(operator_text, *first, *second, size);
  if (!result)
    return std::unexpected(Error(ErrorKind::usage, fmt::format("complex numbers have no operator {}", operator_text)));
  const ValueType type = left_typed && first->size == size     ? left.value.type
                         : right_typed && second->size == size ? right.value.type
                                                               : complex_type(size);
  auto value = of_value(complex_value(*result, type));
  return value ? Result<std::optional<Operand>>(std::move(*value)) : std::unexpected(value.error());
}

/// Go's complex(a, b), real(c), imag(c).
Result<Operand> ExpressionEvaluation::complex_call(std::string_view name, const std::vector<Operand> &arguments) {
  const bool makes = name == "complex";
  if (arguments.size() != (makes ? 2U : 1U))
    return std::unexpected(
        Error(ErrorKind::usage, fmt::format("{} takes {}", name, makes ? "two numbers" : "one complex number")));
  const auto first = any_complex(arguments.front());
  if (!first)
    return std::unexpected(first.error());
  if (!makes) {
    const long double part = name == "real" ? first->real : first->imaginary;
    const Number number{.kind = Number::Kind::floating, .integer = 0, .real = part, .size = first->size == 8 ? 4U : 8U};
    const std::string_view type = number.size == 4 ? "float32" : "float64";
    return of_value(number_value(number, {.native = {}, .go = environment_.go->pool->predeclared(type)}));
  }
  const auto second = any_complex(arguments.back());
  if (!second)
    return std::unexpected(second.error());
  const bool single = first->size == 8 || second->size == 8;
  return of_value(complex_value({first->real, second->real, 16}, complex_type(single ? 8 : 16)));
}

/// Element by element; a number stands for a vector of it.
Result<std::optional<Operand>> ExpressionEvaluation::vectors(std::string_view operator_text, const Operand &left,
                                                             const Operand &right) {
  const auto vector_of = [this](const Operand &operand) -> std::optional<Value> {
    if (operand.kind != Operand::Kind::value || operand.value.type.go != nullptr)
      return std::nullopt;
    Value value = without_references(operand.value, environment_);
    return environment_.types.underlying(value.type.native).is_vector ? std::optional(std::move(value)) : std::nullopt;
  };
  const auto one = vector_of(left);
  const auto other = vector_of(right);
  if (!one && !other)
    return std::nullopt;
  const ValueType type = (one ? *one : *other).type;
  const DwarfType &vector = environment_.types.underlying(type.native);
  const std::uint64_t length = vector.dimensions.empty() ? 0 : vector.dimensions.front().value_or(0);
  const std::uint64_t size = environment_.types.size_of(vector.target).value_or(0);
  const bool same =
      !one || !other || environment_.types.size_of(one->type.native) == environment_.types.size_of(other->type.native);
  if (length == 0 || length > max_vector_length || size == 0 || !same || is_comparison(operator_text))
    return std::unexpected(
        Error(ErrorKind::usage, fmt::format("{} does not go with vectors like these", operator_text)));
  std::vector<std::byte> bytes;
  for (std::uint64_t i = 0; i < length; ++i) {
    const auto part = [&](const std::optional<Value> &whole, const Operand &scalar) {
      return whole ? *of_value(part_of(*whole, i * size, vector.target, environment_)) : scalar;
    };
    const auto element = c_numbers(operator_text, part(one, left), part(other, right));
    if (!element)
      return std::unexpected(element.error());
    const auto number = number_of(*element);
    auto encoded = number ? convert_number(*number, vector.target, environment_)
                          : Result<std::vector<std::byte>>(std::unexpected(number.error()));
    if (!encoded)
      return std::unexpected(encoded.error());
    bytes.insert(bytes.end(), encoded->begin(), encoded->end());
  }
  auto value = of_value(value_of_bytes(std::move(bytes), type, scope_.language()));
  return value ? Result<std::optional<Operand>>(std::move(*value)) : std::unexpected(value.error());
}

} // namespace inspect
