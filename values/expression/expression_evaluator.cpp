#include "values/expression/expression_evaluator.h"

#include "values/expression/expression_evaluation.h"
#include "values/expression/expression_parser.h"
#include "values/expression/number_arithmetic.h"
#include "values/go/go_operations.h"
#include "values/go/go_variables.h"
#include "values/native/native_layout.h"
#include "values/native/predeclared_types.h"

#include <algorithm>
#include <fmt/format.h>

namespace inspect {

using Kind = ExpressionNode::Kind;
using Operand = EvaluationOperand;

Value value_of_bytes(std::vector<std::byte> bytes, const ValueType &type, SourceLanguage language) {
  Value value = computed_value(std::move(bytes), type.native, language);
  value.type = type;
  if (type.go != nullptr)
    value.language = SourceLanguage::go;
  return value;
}

Operand ExpressionEvaluation::untyped(const Number &number) const {
  Operand operand{.kind = Operand::Kind::untyped_number};
  operand.number = number;
  return operand;
}

Operand ExpressionEvaluation::boolean(bool value) const {
  return untyped({.kind = Number::Kind::boolean, .integer = value ? 1 : 0, .real = 0, .size = 1});
}

Result<Operand> ExpressionEvaluation::of_value(Result<Value> value) const {
  if (!value)
    return std::unexpected(value.error());
  Operand operand;
  operand.value = environment_.types_alone ? with_any_bytes(std::move(*value)) : std::move(*value);
  return operand;
}

Value ExpressionEvaluation::with_any_bytes(Value value) const {
  if (value.type.go != nullptr)
    return value;
  if (scalar_kind(environment_.types.underlying(value.type.native)) == ScalarKind::none) {
    // An array at an address can become a pointer.
    if (!value.source)
      value = value_at(RunAddress{0}, value.type.native, value.language, environment_);
    return value;
  }
  std::vector<std::byte> bytes(std::min<std::uint64_t>(inspect::size_of(value, environment_).value_or(8), 64));
  const bool is_known =
      value.source && (value.bits ? raw_bits(value, environment_).has_value() : value.source->read(0, bytes));
  if (is_known)
    return value;
  return value_of_bytes(std::vector<std::byte>(bytes.size()), value.type, value.language);
}

Result<Value> ExpressionEvaluation::number_value(const Number &number, const ValueType &type) {
  auto bytes = operations_of(type).encode(number, type, environment_);
  if (!bytes)
    return std::unexpected(bytes.error());
  return value_of_bytes(std::move(*bytes), type, scope_.language());
}

Result<Value> ExpressionEvaluation::number_value(const Number &number) {
  if (in_go())
    return number_value(number, go_operations().type_of_number(number, environment_));
  if (in_rust() && number.kind != Number::Kind::boolean && number.kind != Number::Kind::address) {
    const bool real = number.kind == Number::Kind::floating;
    std::string name = number.kind == Number::Kind::character          ? "char"
                       : real                                          ? "f64"
                       : number.kind == Number::Kind::unsigned_integer ? "u64"
                       : number.size <= 4                              ? "i32"
                       : number.size == 8                              ? "i64"
                                                                       : "i128";
    if (const auto type = scope_.find_type(name))
      return number_value(number, *type);
  }
  // In C a comparison is an int.
  Number of_c = number;
  if (scope_.language() == SourceLanguage::c && number.kind == Number::Kind::boolean)
    of_c = {.kind = Number::Kind::signed_integer, .integer = number.integer, .real = 0, .size = 4};
  return number_value(of_c, native_operations().type_of_number(of_c, environment_));
}

/// An array of bytes; a str where it is called so.
Value ExpressionEvaluation::rust_bytes(const std::string &text, std::string_view name) {
  std::vector<std::byte> bytes(text.size());
  std::ranges::transform(text, bytes.begin(), [](char c) { return static_cast<std::byte>(c); });
  const TypeHandle byte = *predeclared_type("u8", SourceLanguage::rust, environment_.types);
  return value_of_bytes(std::move(bytes), {.native = environment_.types.array_of(byte, text.size(), name)},
                        SourceLanguage::rust);
}

Result<Value> ExpressionEvaluation::value_of(const Operand &operand) {
  switch (operand.kind) {
  case Operand::Kind::value:
    return operand.value;
  case Operand::Kind::untyped_number:
    if (operand.number.kind == Number::Kind::imaginary)
      return complex_value({0, operand.number.real, 16}, complex_type(16));
    return number_value(operand.number);
  case Operand::Kind::text: {
    if (in_go())
      return go_text_literal(operand.text, environment_);
    if (in_rust())
      return rust_bytes(operand.text, rust_text_type);
    const TypeHandle character =
        native_operations().type_of_number({.kind = Number::Kind::character, .size = 1}, environment_).native;
    std::vector<std::byte> bytes(operand.text.size() + 1);
    std::ranges::transform(operand.text, bytes.begin(), [](char c) { return static_cast<std::byte>(c); });
    const std::uint64_t length = bytes.size();
    return value_of_bytes(std::move(bytes), {.native = environment_.types.array_of(character, length)},
                          scope_.language());
  }
  case Operand::Kind::null_pointer:
    break;
  }
  const Number null{.kind = Number::Kind::address, .integer = 0, .real = 0, .size = 8};
  return number_value(null);
}

Result<Value> ExpressionEvaluation::run() {
  const auto operand = evaluate(expression_.root);
  if (!operand)
    return std::unexpected(operand.error());
  if (operand->kind == Operand::Kind::null_pointer && in_go()) // which has no type by itself
    return go_value_of_words(environment_.go->pool->add(GoKind::function, "untyped nil"), {0});
  auto value = value_of(*operand);
  return value ? value : std::unexpected(at_offset(value.error(), expression_.root.mark));
}

Result<Operand> ExpressionEvaluation::evaluate(const ExpressionNode &node) {
  if (environment_.out_of_time()) {
    const bool cancelled = environment_.cancellation != nullptr && environment_.cancellation->requested();
    return std::unexpected(cancelled ? Error(ErrorKind::cancelled, "cancelled")
                                     : Error(ErrorKind::timed_out, "the expression takes too long"));
  }
  auto operand = evaluate_kind(node);
  if (operand)
    return operand;
  const bool single_name = node.kind == Kind::name && &node == &expression_.root;
  const bool ended = operand.error().kind() == ErrorKind::cancelled || operand.error().kind() == ErrorKind::timed_out;
  return single_name || ended ? operand : std::unexpected(at_offset(operand.error(), node.mark));
}

Result<Value> ExpressionEvaluation::evaluate_value(const ExpressionNode &node) {
  const auto operand = evaluate(node);
  return operand ? value_of(*operand) : std::unexpected(operand.error());
}

Result<Operand> ExpressionEvaluation::evaluate_kind(const ExpressionNode &node) {
  switch (node.kind) {
  case Kind::number:
    if (!node.text.empty())
      if (const auto type = scope_.find_type(node.text))
        return of_value(number_value(node.number, *type));
    return node.untyped || node.number.kind == Number::Kind::boolean ? untyped(node.number)
                                                                     : of_value(number_value(node.number));
  case Kind::text: {
    Operand operand{.kind = Operand::Kind::text};
    operand.text = node.text;
    return node.is_bytes && in_rust() ? of_value(rust_bytes(node.text, {})) : operand;
  }
  case Kind::null_pointer:
    return null_pointer(node);
  case Kind::name:
    return name(node);
  case Kind::register_name:
    return of_value(scope_.find_register(node.text));
  case Kind::unary:
    return unary(node);
  case Kind::binary:
    return binary(node);
  case Kind::conditional:
    return conditional(node);
  case Kind::member:
    return member(node);
  case Kind::element:
    return element(node);
  case Kind::slice:
    return slice(node);
  case Kind::cast:
    return cast(node);
  case Kind::dynamic_cast_:
  case Kind::type_assertion:
  case Kind::type_data:
    return assertion(node);
  case Kind::call:
    return call(node);
  case Kind::composite:
    return composite(node);
  case Kind::size_of:
    return size_of(node);
  }
  return std::unexpected(Error(ErrorKind::unsupported, "this cannot be evaluated"));
}

Result<Operand> ExpressionEvaluation::name(const ExpressionNode &node) {
  auto found = scope_.find(node.text);
  if (found || found.error().kind() != ErrorKind::not_found)
    return of_value(std::move(found));
  auto of_register = scope_.find_register(node.text);
  return of_value(of_register ? std::move(of_register) : std::move(found));
}

/// In languages that do not have the word, a variable may be called so.
Result<Operand> ExpressionEvaluation::null_pointer(const ExpressionNode &node) {
  const bool own_word = (node.text == "nil") == (scope_.language() == SourceLanguage::go);
  if (!own_word || in_rust())
    if (auto variable = scope_.find(node.text))
      return of_value(std::move(variable));
  return Operand{.kind = Operand::Kind::null_pointer};
}

std::string ExpressionEvaluation::joined_name(const ExpressionNode &node) const {
  if (node.kind == Kind::name)
    return node.text;
  if (node.kind == Kind::member) {
    const std::string before = joined_name(node.operands.front());
    return before.empty() ? before : before + "." + node.text;
  }
  if (node.kind == Kind::type_assertion && node.type) {
    const std::string before = joined_name(node.operands.front());
    const TypeSyntax &type = *node.type;
    return before.empty() ? before
                          : fmt::format("{}.({})", before,
                                        std::string_view(expression_.text).substr(type.begin, type.end - type.begin));
  }
  return {};
}

/// Of which no member can be meant: the name is a package's, too.
bool ExpressionEvaluation::is_function_name(const std::string &name) {
  const auto value = scope_.find(name);
  return value && (!value->function_name.empty() ||
                   (value->type.go == nullptr &&
                    environment_.types.underlying(value->type.native).kind == DwarfTypeKind::subroutine));
}

Result<Operand> ExpressionEvaluation::member(const ExpressionNode &node) {
  const ExpressionNode &whole = node.operands.front();
  // Registers have no members: package "sp" is not $rsp's low half.
  const std::string joined = joined_name(node);
  if (whole.kind == Kind::type_assertion && !joined.empty()) // main.(*T).method is the name of a function
    if (auto found = scope_.find(joined))
      return of_value(std::move(found));
  // A package's variable before the fields of what is called as the package is, but for what the frame has: main.mu is
  // no field of the function main.main.
  const bool may_be_package = environment_.go && whole.kind == Kind::name && !scope_.find_in_frame(whole.text);
  if (may_be_package) {
    auto qualified = scope_.find(joined);
    const bool is_function = !qualified && is_function_name(whole.text);
    if (qualified || is_function || qualified.error().kind() == ErrorKind::cancelled)
      return of_value(std::move(qualified));
  }
  auto object = whole.kind == Kind::name ? of_value(scope_.find(whole.text)) : evaluate(whole);
  if (!object) {
    if (object.error().kind() != ErrorKind::not_found || joined.empty())
      return std::unexpected(at_offset(object.error(), whole.mark));
    auto found = scope_.find(joined);
    if (found || found.error().kind() != ErrorKind::not_found)
      return of_value(std::move(found));
    // Whichever of the two is more help.
    const bool suggests = found.error().message().find("did you mean") != std::string::npos;
    return std::unexpected(at_offset(suggests ? found.error() : object.error(), whole.mark));
  }
  const auto value = value_of(*object);
  if (!value)
    return std::unexpected(value.error());
  return of_value(operations_of(*value).member(*value, node.text, environment_));
}

Result<Operand> ExpressionEvaluation::element(const ExpressionNode &node) {
  const auto whole = evaluate_value(node.operands[0]);
  if (!whole)
    return std::unexpected(whole.error());
  const auto index = evaluate_value(node.operands[1]);
  if (!index)
    return std::unexpected(index.error());
  return of_value(operations_of(*whole).element(*whole, *index, environment_));
}

Result<Operand> ExpressionEvaluation::slice(const ExpressionNode &node) {
  const auto whole = evaluate_value(node.operands[0]);
  if (!whole)
    return std::unexpected(whole.error());
  std::optional<std::uint64_t> bounds[2];
  std::size_t next = 1;
  for (const bool high : {false, true}) {
    if (high ? !node.has_high : !node.has_low)
      continue;
    const ExpressionNode &bound = node.operands[next++];
    const auto operand = evaluate(bound);
    if (!operand)
      return std::unexpected(operand.error());
    const auto number = number_of(*operand);
    if (!number)
      return std::unexpected(number.error());
    if (number->kind == Number::Kind::floating || number->kind == Number::Kind::boolean || number->integer < 0 ||
        number->integer > INT64_MAX)
      return std::unexpected(expression_error(bound.mark, "a bound must be a whole number from 0"));
    bounds[high ? 1 : 0] = static_cast<std::uint64_t>(number->integer);
  }
  return of_value(operations_of(*whole).slice(*whole, bounds[0].value_or(0), bounds[1], environment_));
}

Result<Operand> ExpressionEvaluation::conditional(const ExpressionNode &node) {
  const auto condition = evaluate(node.operands[0]);
  if (!condition)
    return condition;
  const auto truth = truth_of(*condition);
  if (!truth)
    return std::unexpected(truth.error());
  auto chosen = evaluate(node.operands[*truth ? 1 : 2]);
  if (!chosen || in_go() || in_rust())
    return chosen;
  // Both sides have one type in C; where the other has no value, the chosen one's is kept.
  const auto other = evaluate(node.operands[*truth ? 2 : 1]);
  if (!other || as_pointer(*chosen) || as_pointer(*other) || chosen->kind == Operand::Kind::text)
    return chosen;
  const auto one = number_of(*chosen);
  const auto second = number_of(*other);
  if (!one || !second || (one->kind == second->kind && one->size == second->size))
    return chosen;
  return of_value(number_value(usual_conversions(*one, *second).left));
}

Result<Operand> ExpressionEvaluation::assertion(const ExpressionNode &node) {
  const auto value = evaluate_value(node.operands.front());
  if (!value)
    return std::unexpected(value.error());
  if (node.kind == Kind::type_data) {
    if (value->type.go != nullptr)
      return of_value(go_dynamic_value(*value, environment_));
    return of_value(operations_of(*value).dereference(*value, environment_));
  }
  const auto type = find_type(*node.type, scope_);
  if (!type)
    return std::unexpected(at_offset(type.error(), node.type->begin));
  return of_value(operations_of(*value).assert_type(*value, *type, environment_));
}

ExpressionSyntax expression_syntax(NameScope &scope) {
  return {scope.language(), [&scope](std::string_view name) {
            const auto variable = scope.find(name);
            return !variable && variable.error().kind() == ErrorKind::not_found && scope.find_type(name).has_value();
          }};
}

Result<Value> evaluate(const Expression &expression, NameScope &scope) {
  return ExpressionEvaluation(expression, scope).run();
}

Result<Value> evaluate(std::string_view text, NameScope &scope) {
  const auto expression = parse_expression(text, expression_syntax(scope));
  return expression ? evaluate(*expression, scope) : std::unexpected(expression.error());
}

Result<ValueType> named_type_of(std::string_view text, NameScope &scope) {
  auto type = type_of_expression(text, scope);
  if (!type || type->go != nullptr)
    return type;
  const DwarfType &alias = scope.environment().types.read(type->native);
  const auto parsed = alias.kind == DwarfTypeKind::alias ? parse_type(text, expression_syntax(scope))
                                                         : std::unexpected(Error(ErrorKind::usage, "no typedef"));
  const TypesAlone without_reading(scope.environment());
  const bool is_type = parsed && parsed->shape == TypeSyntax::Shape::named && !evaluate(text, scope);
  return is_type ? ValueType{.native = alias.target} : type;
}

Result<ValueType> type_of_expression(std::string_view text, NameScope &scope) {
  const ExpressionSyntax syntax = expression_syntax(scope);
  const auto expression = parse_expression(text, syntax);
  const TypesAlone without_reading(scope.environment());
  auto value = expression ? evaluate(*expression, scope) : std::unexpected(expression.error());
  if (value)
    return value->type;
  const auto parsed = parse_type(text, syntax);
  if (!parsed)
    return std::unexpected(value.error());
  auto type = find_type(*parsed, scope);
  return type || !expression ? type : std::unexpected(value.error());
}

Result<ValueType> find_type(const TypeSyntax &type, NameScope &scope) {
  if (type.shape == TypeSyntax::Shape::named) {
    if (type.name == "void" && scope.language() != SourceLanguage::go)
      return ValueType{};
    return scope.find_type(type.name);
  }
  if (type.parts.empty())
    return std::unexpected(expression_error(type.begin, "the type is not understood"));
  const auto part = find_type(type.parts.front(), scope);
  if (!part)
    return std::unexpected(at_offset(part.error(), type.parts.front().begin));
  ValueEnvironment &environment = scope.environment();
  const bool is_go = part->go != nullptr;
  constexpr std::uint64_t longest = std::uint64_t{1} << 40;
  switch (type.shape) {
  case TypeSyntax::Shape::pointer:
    return operations_of(*part).pointer_to(*part, environment);
  case TypeSyntax::Shape::reference:
    return part;
  case TypeSyntax::Shape::qualified:
    if (is_go || scope.language() == SourceLanguage::rust)
      return part;
    return ValueType{.native = environment.types.qualified(part->native, type.name)};
  case TypeSyntax::Shape::function: {
    if (is_go)
      break;
    std::vector<TypeHandle> parameters;
    for (std::size_t i = 1; i < type.parts.size(); ++i) {
      const auto parameter = find_type(type.parts[i], scope);
      if (!parameter)
        return std::unexpected(at_offset(parameter.error(), type.parts[i].begin));
      parameters.push_back(parameter->native);
    }
    return ValueType{.native = environment.types.function_of(part->native, std::move(parameters), type.is_variadic)};
  }
  case TypeSyntax::Shape::array:
    if (type.length > longest)
      return std::unexpected(expression_error(type.begin, "the array is too long"));
    if (is_go)
      return ValueType{.native = {}, .go = environment.go->pool->array_of(*part->go, type.length)};
    return ValueType{.native = environment.types.array_of(part->native, type.length)};
  case TypeSyntax::Shape::slice:
    if (is_go)
      return ValueType{.native = {}, .go = environment.go->pool->slice_of(*part->go)};
    break;
  default:
    break;
  }
  return std::unexpected(expression_error(type.begin, "the language has no such type"));
}

} // namespace inspect
