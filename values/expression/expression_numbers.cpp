// What operators do with numbers: C converts the operands to one type, Go and Rust refuse two.
#include "values/expression/expression_evaluation.h"
#include "values/expression/number_arithmetic.h"
#include "values/go/go_conversion.h"

#include <algorithm>
#include <fmt/format.h>

namespace inspect {

using Operand = EvaluationOperand;
using Wide = decltype(Number::integer);

namespace {

bool is_value(const Operand &operand) {
  return operand.kind == Operand::Kind::value;
}

bool is_constant(const Operand &operand) {
  // What Go's numbers and a native one, such as a register, are combined to is Go's.
  return !is_value(operand);
}

/// The size that a constant needs.
Number sized(Number number) {
  number.size = fits(number, 32, true) ? 4 : fits(number, 64, true) ? 8 : 16;
  if (number.size == 16 && fits(number, 64, false)) {
    number.kind = Number::Kind::unsigned_integer;
    number.size = 8;
  }
  return number;
}

Error too_large() {
  return {ErrorKind::usage, "the constant is too large"};
}

/// Of integers without a type, which do not wrap.
Result<Number> exact(std::string_view operator_text, const Number &left, const Number &right) {
  Wide result = 0;
  bool overflow = false;
  if (operator_text == "+") {
    overflow = __builtin_add_overflow(left.integer, right.integer, &result);
  } else if (operator_text == "-") {
    overflow = __builtin_sub_overflow(left.integer, right.integer, &result);
  } else if (operator_text == "*") {
    overflow = __builtin_mul_overflow(left.integer, right.integer, &result);
  } else if (operator_text == "<<") {
    if (right.integer < 0 || right.integer > 126)
      return std::unexpected(too_large());
    overflow = __builtin_mul_overflow(left.integer, Wide{1} << static_cast<unsigned>(right.integer), &result);
  } else {
    const auto computed = is_shift(operator_text) ? shift(operator_text, left, right, WideShift::emptied)
                                                  : arithmetic(operator_text, left, right);
    if (!computed)
      return computed;
    result = computed->integer;
  }
  if (overflow)
    return std::unexpected(too_large());
  return Number{.kind = Number::Kind::signed_integer, .integer = result, .real = 0, .size = 16};
}

} // namespace

Result<Operand> ExpressionEvaluation::c_numbers(std::string_view operator_text, const Operand &left,
                                                const Operand &right) {
  const auto one = number_of(left);
  if (!one)
    return std::unexpected(one.error());
  const auto other = number_of(right);
  if (!other)
    return std::unexpected(other.error());
  if (is_shift(operator_text)) {
    const auto result = shift(operator_text, promoted(*one), promoted(*other), WideShift::refused);
    return result ? of_value(number_value(*result)) : std::unexpected(result.error());
  }
  NumberPair pair = usual_conversions(*one, *other);
  if (is_comparison(operator_text))
    return boolean(compare(operator_text, pair.left, pair.right));
  if (environment_.types_alone && is_zero(pair.right)) // a quotient has a type, whatever it is divided by
    pair.right.integer = 1;
  const auto result = arithmetic(operator_text, pair.left, pair.right);
  return result ? of_value(number_value(*result)) : std::unexpected(result.error());
}

Result<Operand> ExpressionEvaluation::untyped_numbers(std::string_view operator_text, const Number &left,
                                                      const Number &right) {
  const auto is_kind = [&](Number::Kind kind) { return left.kind == kind || right.kind == kind; };
  if (is_kind(Number::Kind::boolean)) {
    const bool both = left.kind == right.kind;
    const bool is_equality = operator_text == "==" || operator_text == "!=";
    const bool is_logic = operator_text == "&" || operator_text == "|" || operator_text == "^";
    if (!both || (!is_equality && !(in_rust() && (is_logic || is_comparison(operator_text)))))
      return std::unexpected(Error(ErrorKind::usage, fmt::format("{} does not go with true and false", operator_text)));
    if (is_comparison(operator_text))
      return boolean(compare(operator_text, left, right));
    const auto result = arithmetic(operator_text, left, right);
    return result ? Result<Operand>(boolean(!is_zero(*result))) : std::unexpected(result.error());
  }
  if (is_kind(Number::Kind::floating)) {
    const Number one = converted(left, Number::Kind::floating, 8);
    const Number other = converted(right, Number::Kind::floating, 8);
    if (is_comparison(operator_text))
      return boolean(compare(operator_text, one, other));
    if (operator_text == "/" && is_zero(other))
      return std::unexpected(Error(ErrorKind::usage, "division by zero"));
    if (operator_text == "%" && in_rust())
      return untyped(real_remainder(one, other));
    const auto result = is_shift(operator_text) ? shift(operator_text, one, other, WideShift::refused)
                                                : arithmetic(operator_text, one, other);
    return result ? Result<Operand>(untyped(*result)) : std::unexpected(result.error());
  }
  Number one = left;
  Number other = right;
  one.kind = other.kind = Number::Kind::signed_integer;
  one.size = other.size = 16;
  if (is_comparison(operator_text))
    return boolean(compare(operator_text, one, other));
  auto result = exact(operator_text, one, other);
  if (!result)
    return std::unexpected(result.error());
  *result = sized(*result);
  // 'a' + 1 is still a character.
  if (is_kind(Number::Kind::character) && result->size == 4)
    result->kind = Number::Kind::character;
  return untyped(*result);
}

Result<Operand> ExpressionEvaluation::strict_shift(std::string_view operator_text, const Operand &left,
                                                   const Operand &right) {
  const auto value = value_of(left);
  if (!value)
    return std::unexpected(value.error());
  const auto number = operations_of(*value).number(*value, environment_);
  if (!number)
    return std::unexpected(number.error());
  const auto count = number_of(right);
  if (!count)
    return std::unexpected(count.error());
  const auto whole = [](const Number &one) {
    return one.kind != Number::Kind::boolean && one.kind != Number::Kind::address;
  };
  if (!whole(*number) || !whole(*count))
    return std::unexpected(Error(ErrorKind::usage, fmt::format("{} takes whole numbers", operator_text)));
  const auto result = shift(operator_text, *number, *count, in_rust() ? WideShift::refused : WideShift::emptied);
  return result ? of_value(number_value(*result, value->type)) : std::unexpected(result.error());
}

Result<Operand> ExpressionEvaluation::strict_numbers(std::string_view operator_text, const Operand &left,
                                                     const Operand &right) {
  if (is_constant(left) && is_constant(right)) {
    const auto one = number_of(left);
    const auto other = number_of(right);
    if (!one || !other)
      return std::unexpected((one ? other : one).error());
    return untyped_numbers(operator_text, *one, *other);
  }
  if (is_shift(operator_text))
    return strict_shift(operator_text, left, right);
  // The type of both: a register takes that of its neighbour.
  const bool left_decides = is_value(left) && (!is_value(right) || left.value.type.go != nullptr || in_rust());
  const Value &deciding = left_decides ? left.value : right.value;
  const ValueOperations &operations = operations_of(deciding);
  const ValueType type = deciding.type;
  std::optional<Number> numbers[2];
  for (const bool second : {false, true}) {
    const Operand &operand = second ? right : left;
    auto number = number_of(operand);
    if (!number)
      return std::unexpected(number.error());
    const bool same_world = is_value(operand) && (operand.value.type.go != nullptr) == (type.go != nullptr);
    if (same_world) {
      const bool same = type.go != nullptr ? same_go_type(*operand.value.type.go, *type.go)
                                           : operations.type_name(operand.value.type, environment_) ==
                                                 operations.type_name(type, environment_);
      if (!same)
        return std::unexpected(
            Error(ErrorKind::usage,
                  fmt::format("{} and {} do not mix", operations.type_name(left.value.type, environment_),
                              operations.type_name(right.value.type, environment_)),
                  in_rust() ? "convert one of them with as" : "convert one of them"));
    } else {
      const auto adapted = number_value(*number, type);
      if (!adapted)
        return std::unexpected(adapted.error());
      number = operations.number(*adapted, environment_);
      if (!number)
        return std::unexpected(number.error());
    }
    numbers[second ? 1 : 0] = *number;
  }
  if (is_comparison(operator_text))
    return boolean(compare(operator_text, *numbers[0], *numbers[1]));
  const Number::Kind kind = numbers[0]->kind;
  const bool bits_of_rust = in_rust() && kind == Number::Kind::boolean &&
                            (operator_text == "&" || operator_text == "|" || operator_text == "^");
  if (kind == Number::Kind::address || (kind == Number::Kind::boolean && !bits_of_rust))
    return std::unexpected(
        Error(ErrorKind::usage,
              fmt::format("{} has no operator {}", operations.type_name(type, environment_), operator_text)));
  const bool is_remainder = in_rust() && kind == Number::Kind::floating && operator_text == "%";
  const auto result =
      is_remainder ? real_remainder(*numbers[0], *numbers[1]) : arithmetic(operator_text, *numbers[0], *numbers[1]);
  return result ? of_value(number_value(*result, type)) : std::unexpected(result.error());
}

} // namespace inspect
