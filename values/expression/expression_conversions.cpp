#include "values/expression/expression_evaluation.h"
#include "values/expression/expression_evaluator.h"
#include "values/expression/number_arithmetic.h"
#include "values/go/go_conversion.h"
#include "values/go/go_operations.h"
#include "values/go/go_variables.h"
#include "values/native/native_layout.h"
#include "values/native/native_numbers.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <fmt/format.h>
#include <span>

namespace inspect {

using Kind = ExpressionNode::Kind;
using Operand = EvaluationOperand;

namespace {

__extension__ using UnsignedWide = unsigned __int128;

/// Rust's `as` between floats and integers stays within the type's range, NaN becomes 0.
std::optional<Number> saturated(const Number &number, const DwarfType &type, ValueEnvironment &environment) {
  const ScalarKind kind = scalar_kind(type);
  const bool to_integer = kind == ScalarKind::signed_integer || kind == ScalarKind::unsigned_integer;
  const unsigned size = static_cast<unsigned>(type.byte_size.value_or(0));
  if (number.kind != Number::Kind::floating || !to_integer || size == 0 || size > 16)
    return std::nullopt;
  const bool with_sign = is_signed(type, environment);
  const int bits = static_cast<int>(size * 8);
  const long double limit = std::ldexp(1.0L, with_sign ? bits - 1 : bits);
  Number result{.kind = with_sign ? Number::Kind::signed_integer : Number::Kind::unsigned_integer,
                .integer = 0,
                .real = 0,
                .size = size};
  const auto all = Number{.kind = Number::Kind::unsigned_integer, .integer = -1, .real = 0, .size = 16};
  const auto highest = converted(all, Number::Kind::unsigned_integer, size).integer;
  if (std::isnan(number.real))
    return result;
  if (number.real >= limit) {
    result.integer =
        with_sign ? static_cast<decltype(Number::integer)>(static_cast<UnsignedWide>(highest) >> 1) : highest;
  } else if (number.real <= (with_sign ? -limit : 0.0L)) {
    result.integer = with_sign ? static_cast<decltype(Number::integer)>(-limit) : 0;
  } else {
    result.integer = with_sign ? static_cast<decltype(Number::integer)>(number.real)
                               : static_cast<decltype(Number::integer)>(static_cast<UnsignedWide>(number.real));
  }
  return result;
}

} // namespace

Result<Operand> ExpressionEvaluation::cast(const ExpressionNode &node) {
  const ExpressionNode &what = node.operands.front();
  const auto operand = evaluate(what);
  if (!operand)
    return operand;
  const auto type = find_type(*node.type, scope_);
  if (!type)
    return std::unexpected(at_offset(type.error(), node.type->begin));
  if (node.type->shape != TypeSyntax::Shape::reference)
    return of_value(cast_to(*operand, *type));
  // A cast to a reference looks at the same bytes as another type: *(T *)&x.
  const auto value = value_of(*operand);
  if (!value)
    return std::unexpected(value.error());
  const auto address = operations_of(*value).address_of(*value, environment_);
  if (!address)
    return std::unexpected(address.error());
  const ValueOperations &operations = operations_of(*type);
  const auto pointer = operations.cast(*address, operations.pointer_to(*type, environment_), environment_);
  return pointer ? of_value(operations.dereference(*pointer, environment_)) : std::unexpected(pointer.error());
}

Result<Value> ExpressionEvaluation::cast_number(const Number &number, const ValueType &type) {
  // Go's constants must fit.
  if (type.go != nullptr && (is_go_number(*type.go) || is_go_address(*type.go)))
    return number_value(number, type);
  if (in_rust())
    if (const auto kept = saturated(number, environment_.types.underlying(type.native), environment_))
      return number_value(*kept, type);
  const auto value = number_value(number);
  return value ? operations_of(type).cast(*value, type, environment_) : value;
}

Result<Value> ExpressionEvaluation::cast_to(const Operand &operand, const ValueType &type) {
  if (operand.kind == Operand::Kind::untyped_number)
    return cast_number(operand.number, type);
  if (operand.kind == Operand::Kind::null_pointer)
    return number_value({.kind = Number::Kind::address, .integer = 0, .real = 0, .size = 8}, type);
  const auto value = value_of(operand);
  if (!value)
    return value;
  // Between Go's types and others only numbers and addresses go.
  if (value->type.go != nullptr && type.go == nullptr) {
    const auto number = operations_of(*value).number(*value, environment_);
    if (!number)
      return std::unexpected(number.error());
    const auto native = number_value(*number, native_operations().type_of_number(*number, environment_));
    return native ? native_operations().cast(*native, type, environment_) : native;
  }
  if (in_rust()) {
    const auto number = operations_of(*value).number(*value, environment_);
    const auto kept =
        number ? saturated(*number, environment_.types.underlying(type.native), environment_) : std::nullopt;
    if (kept)
      return number_value(*kept, type);
  }
  return operations_of(type).cast(*value, type, environment_);
}

Result<Operand> ExpressionEvaluation::length_call(const ExpressionNode &argument, bool capacity) {
  const auto operand = evaluate(argument);
  if (!operand)
    return operand;
  Result<std::uint64_t> length = operand->text.size();
  if (operand->kind != Operand::Kind::text) {
    const auto value = value_of(*operand);
    if (!value)
      return std::unexpected(value.error());
    const ValueOperations &operations = operations_of(*value);
    length = capacity ? operations.capacity(*value, environment_) : operations.length(*value, environment_);
  }
  if (!length)
    return std::unexpected(length.error());
  const bool of_go = operand->kind == Operand::Kind::value && operand->value.type.go != nullptr;
  const Number number{.kind = of_go ? Number::Kind::signed_integer : Number::Kind::unsigned_integer,
                      .integer = static_cast<decltype(Number::integer)>(*length),
                      .real = 0,
                      .size = 8};
  return of_value(number_value(number));
}

/// Conversions and the few functions that need none of the program's code.
Result<Operand> ExpressionEvaluation::call(const ExpressionNode &node) {
  const ExpressionNode &callee = node.operands.front();
  const std::size_t arguments = node.operands.size() - 1;
  const bool is_method = callee.kind == Kind::member;
  if (is_method && arguments == 0) {
    constexpr auto lengths = std::to_array<std::string_view>({"len", "length", "size"});
    if (std::ranges::find(lengths, callee.text) != lengths.end() || callee.text == "capacity")
      return length_call(callee.operands.front(), callee.text == "capacity");
  }
  std::string name = joined_name(callee);
  if (callee.kind == Kind::element) // a generic type of Go's: main.Pair[int](x)
    name = expression_.text.substr(callee.begin, callee.end - callee.begin);
  if (arguments == 1 && (name == "len" || name == "cap"))
    return length_call(node.operands[1], name == "cap");
  if (arguments == 1 && name == "unsafe.Sizeof") {
    ExpressionNode size = node;
    size.kind = Kind::size_of;
    size.operands.erase(size.operands.begin());
    return size_of(size);
  }
  if (in_go())
    if (auto done = go_builtin(name, node))
      return *std::move(done);
  if (name.empty())
    return std::unexpected(Error(ErrorKind::usage, "functions of the program are not called"));
  auto type = scope_.find_type(name);
  if (type && arguments == 1) {
    const auto operand = evaluate(node.operands[1]);
    return operand ? of_value(cast_to(*operand, *type)) : operand;
  }
  if (type)
    return std::unexpected(Error(ErrorKind::usage, fmt::format("a conversion to {} takes one value", name)));
  if (scope_.find(name) || is_method)
    return std::unexpected(
        at_offset(Error(ErrorKind::usage, fmt::format("{} is not called: functions of the program do not run", name)),
                  callee.begin));
  return std::unexpected(at_offset(type.error(), callee.begin));
}

/// min, max, complex, real and imag; nothing where the name is none of these, or the program's own.
std::optional<Result<Operand>> ExpressionEvaluation::go_builtin(std::string_view name, const ExpressionNode &node) {
  constexpr auto builtins = std::to_array<std::string_view>({"min", "max", "complex", "real", "imag"});
  if (std::ranges::find(builtins, name) == builtins.end() || scope_.find_in_frame(name))
    return std::nullopt;
  std::vector<Operand> arguments;
  for (std::size_t i = 1; i < node.operands.size(); ++i) {
    auto argument = evaluate(node.operands[i]);
    if (!argument)
      return argument;
    arguments.push_back(std::move(*argument));
  }
  if (name != "min" && name != "max")
    return complex_call(name, arguments);
  if (arguments.empty())
    return std::unexpected(Error(ErrorKind::usage, fmt::format("{} takes at least one value", name)));
  Operand best = arguments.front();
  for (const Operand &other : std::span(arguments).subspan(1)) {
    const auto better = combine(name == "min" ? "<" : ">", other, best);
    if (!better)
      return better;
    const auto truth = truth_of(*better);
    if (!truth)
      return std::unexpected(truth.error());
    // A constant takes the type of what it is compared with.
    const bool typed = best.kind == Operand::Kind::value;
    Operand chosen = *truth ? other : best;
    if (chosen.kind == Operand::Kind::untyped_number && (typed || other.kind == Operand::Kind::value))
      chosen = *of_value(number_value(chosen.number, (typed ? best : other).value.type));
    best = std::move(chosen);
  }
  return best;
}

/// Go's T{…} of a structure or an array: to be compared with, and to be a map's key.
Result<Operand> ExpressionEvaluation::composite(const ExpressionNode &node) {
  const auto found = find_type(*node.type, scope_);
  if (!found)
    return std::unexpected(at_offset(found.error(), node.type->begin));
  if (found->go == nullptr)
    return std::unexpected(Error(ErrorKind::usage, "only Go has literals like this"));
  const GoType &type = whole(*found->go, environment_);
  const bool is_structure = type.kind == GoKind::structure;
  if (!is_structure && (type.kind != GoKind::array || type.element == nullptr))
    return std::unexpected(
        Error(ErrorKind::unsupported,
              fmt::format("a literal of {} is not understood: of structures and arrays it is", type.name)));
  constexpr std::uint64_t max_parts = 4096;
  const std::uint64_t count = is_structure ? type.fields.size() : type.length;
  if (count > max_parts || node.operands.size() > count)
    return std::unexpected(Error(ErrorKind::usage, fmt::format("{} has {} parts", type.name, count)));
  const auto type_of_part = [&](std::uint64_t index) -> const GoType & {
    return whole(is_structure ? *type.fields[index].type : *type.element, environment_);
  };
  std::vector<Value> parts(static_cast<std::size_t>(count));
  for (std::uint64_t i = 0; i < count; ++i)
    parts[i] = zero_go_value(type_of_part(i), environment_);
  std::string_view names = node.text;
  for (std::size_t i = 0; i < node.operands.size(); ++i) {
    std::size_t index = i;
    if (!names.empty()) {
      const std::string_view name = names.substr(0, names.find(' '));
      names.remove_prefix(name.size() + 1);
      const auto field = std::ranges::find(type.fields, name, &GoField::name);
      if (field == type.fields.end())
        return std::unexpected(
            expression_error(node.operands[i].begin, fmt::format("{} has no field {}", type.name, name)));
      index = static_cast<std::size_t>(field - type.fields.begin());
    }
    const auto operand = evaluate(node.operands[i]);
    if (!operand)
      return operand;
    const bool is_number = operand->kind == Operand::Kind::untyped_number;
    auto value =
        is_number ? number_value(operand->number, {.native = {}, .go = &type_of_part(index)}) : value_of(*operand);
    if (!value)
      return std::unexpected(at_offset(value.error(), node.operands[i].begin));
    parts[index] = std::move(*value);
  }
  Value literal = zero_go_value(type, environment_);
  literal.source = ValueSource::of_image(std::make_shared<ValueImage>(static_cast<std::size_t>(type.size)));
  literal.parts = std::make_shared<const std::vector<Value>>(std::move(parts));
  return of_value(std::move(literal));
}

Result<Operand> ExpressionEvaluation::size_of(const ExpressionNode &node) {
  std::optional<ValueType> of_operand;
  const TypesAlone without_reading(environment_);
  if (!node.operands.empty()) {
    const auto value = evaluate_value(node.operands.front());
    if (value)
      of_operand = value->type.go != nullptr ? value->type : without_references(*value, environment_).type;
    else if (!node.type || value.error().kind() != ErrorKind::not_found)
      return std::unexpected(value.error());
  }
  const auto type = of_operand ? Result<ValueType>(*of_operand) : find_type(*node.type, scope_);
  if (!type)
    return std::unexpected(type.error());
  const auto size = operations_of(*type).size_of(*type, environment_);
  if (!size)
    return std::unexpected(
        Error(ErrorKind::unsupported,
              fmt::format("the size of {} is not known", operations_of(*type).type_name(*type, environment_))));
  return of_value(number_value({.kind = Number::Kind::unsigned_integer,
                                .integer = static_cast<decltype(Number::integer)>(*size),
                                .real = 0,
                                .size = 8}));
}

} // namespace inspect
