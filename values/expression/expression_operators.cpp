#include "values/expression/expression_evaluation.h"

#include "values/expression/number_arithmetic.h"
#include "values/go/go_operations.h"
#include "values/go/go_variables.h"
#include "values/native/native_layout.h"

#include <algorithm>
#include <fmt/format.h>

namespace inspect {

using Kind = ExpressionNode::Kind;
using Operand = EvaluationOperand;

namespace {

constexpr std::size_t max_compared_text_length = 1 << 20;

bool has_value(const Operand &operand) {
  return operand.kind == Operand::Kind::value;
}

bool is_of_go(const Operand &operand) {
  return has_value(operand) && operand.value.type.go != nullptr;
}

} // namespace

Result<Number> ExpressionEvaluation::number_of(const Operand &operand) {
  switch (operand.kind) {
  case Operand::Kind::untyped_number:
    return operand.number;
  case Operand::Kind::text:
    return std::unexpected(Error(ErrorKind::usage, "a text is not a number"));
  case Operand::Kind::null_pointer:
    return Number{.kind = Number::Kind::address, .integer = 0, .real = 0, .size = 8};
  case Operand::Kind::value:
    break;
  }
  auto number = operations_of(operand.value).number(operand.value, environment_);
  // C promotes a bit-field that fits to int.
  if (number && operand.value.bits && operand.value.bits->size < 32 && number->kind == Number::Kind::unsigned_integer) {
    number->kind = Number::Kind::signed_integer;
    number->size = 4;
  }
  return number;
}

Result<bool> ExpressionEvaluation::truth_of(const Operand &operand) {
  if (operand.kind == Operand::Kind::text)
    return true;
  if (const auto pointer = as_pointer(operand)) {
    const auto address = operations_of(*pointer).number(*pointer, environment_);
    return address ? Result<bool>(!is_zero(*address)) : std::unexpected(address.error());
  }
  const auto number = number_of(operand);
  if (!number)
    return std::unexpected(number.error());
  if ((in_go() || in_rust() || is_of_go(operand)) && number->kind != Number::Kind::boolean)
    return std::unexpected(Error(ErrorKind::usage, "a condition must be true or false"));
  return !is_zero(*number);
}

std::optional<Value> ExpressionEvaluation::as_pointer(const Operand &operand) {
  if (!has_value(operand) || operand.value.type.go != nullptr)
    return std::nullopt;
  Value value = without_references(operand.value, environment_);
  const DwarfType &type = environment_.types.underlying(value.type.native);
  if (is_pointer(type))
    return value;
  const bool is_array = type.kind == DwarfTypeKind::array && !type.is_vector;
  if ((!is_array && type.kind != DwarfTypeKind::subroutine) || !value.source || !value.source->address())
    return std::nullopt;
  const TypeHandle target = is_array ? element_type(type, environment_.types) : value.type.native;
  const Number address{.kind = Number::Kind::address,
                       .integer = static_cast<decltype(Number::integer)>(value.source->address()->value),
                       .real = 0,
                       .size = 8};
  const auto pointer = number_value(address, {.native = environment_.types.pointer_to(target)});
  return pointer ? std::optional(*pointer) : std::nullopt;
}

/// What the pointer moves by for each 1; of void and functions 1, as GCC has it.
Result<std::uint64_t> ExpressionEvaluation::step_of(const Value &pointer) {
  const TypeHandle target = environment_.types.underlying(pointer.type.native).target;
  if (target.is_void() || environment_.types.underlying(target).kind == DwarfTypeKind::subroutine)
    return 1;
  const auto size = environment_.types.size_of(target);
  if (!size || *size == 0)
    return std::unexpected(
        Error(ErrorKind::unsupported, fmt::format("how large a {} is is not known",
                                                  native_operations().type_name({.native = target}, environment_))));
  return *size;
}

/// Rust's operators work on references to numbers as on numbers.
Operand ExpressionEvaluation::without_rust_reference(Operand operand) {
  for (int depth = 0; depth < 4 && in_rust() && has_value(operand); ++depth) {
    const ValueOperations &operations = operations_of(operand.value);
    if (!is_pointer(environment_.types.underlying(operand.value.type.native)) ||
        !operations.type_name(operand.value.type, environment_).starts_with('&'))
      break;
    auto target = operations.dereference(operand.value, environment_);
    if (!target)
      break;
    operand.value = std::move(*target);
  }
  return operand;
}

Result<Operand> ExpressionEvaluation::unary(const ExpressionNode &node) {
  if (node.text == "*")
    return dereference(node);
  if (node.text == "&")
    return address_of(node);
  auto evaluated = evaluate(node.operands.front());
  if (!evaluated)
    return evaluated;
  const Operand operand = without_rust_reference(std::move(*evaluated));
  if (node.text == "!")
    return logical_not(operand);
  if (const auto complex = complex_of(operand); !complex || *complex) {
    if (!complex)
      return std::unexpected(complex.error());
    const bool negates = node.text == "-";
    if (!negates && node.text != "+")
      return std::unexpected(Error(ErrorKind::usage, fmt::format("complex numbers have no operator {}", node.text)));
    return of_value(
        complex_value(negates ? ComplexNumber{-(**complex).real, -(**complex).imaginary, (**complex).size} : **complex,
                      has_value(operand) ? operand.value.type : complex_type((**complex).size)));
  }
  const auto number = number_of(operand);
  if (!number)
    return std::unexpected(number.error());
  if (operand.kind == Operand::Kind::untyped_number && (in_go() || in_rust()))
    return untyped_numbers(node.text == "~" ? "^" : node.text,
                           {.integer = node.text == "~" ? -1 : 0, .real = 0, .size = 16}, *number);
  const bool strict = in_go() || in_rust() || is_of_go(operand);
  const bool has_operator = number->kind != Number::Kind::address && (!strict || number->kind != Number::Kind::boolean);
  if (!has_operator)
    return std::unexpected(Error(ErrorKind::usage, fmt::format("{} takes a number", node.text)));
  const auto result = unary_arithmetic(node.text, strict ? *number : promoted(*number));
  if (!result)
    return std::unexpected(result.error());
  return of_value(strict ? number_value(*result, operand.value.type) : number_value(*result));
}

Result<Operand> ExpressionEvaluation::logical_not(const Operand &operand) {
  if (in_rust() && operand.kind == Operand::Kind::untyped_number && operand.number.kind != Number::Kind::boolean)
    return untyped_numbers("^", {.integer = -1, .real = 0, .size = 16}, operand.number);
  if (in_rust() && has_value(operand)) {
    const auto number = number_of(operand);
    if (number && number->kind != Number::Kind::boolean) {
      const auto result = unary_arithmetic("~", *number);
      return result ? of_value(number_value(*result, operand.value.type)) : std::unexpected(result.error());
    }
  }
  const auto truth = truth_of(operand);
  return truth ? Result<Operand>(boolean(!*truth)) : std::unexpected(truth.error());
}

Result<Operand> ExpressionEvaluation::dereference(const ExpressionNode &node) {
  const auto operand = evaluate(node.operands.front());
  if (!operand)
    return operand;
  if (operand->kind != Operand::Kind::value)
    return std::unexpected(Error(ErrorKind::usage, "what an address leads to has no type: cast it first",
                                 in_go() ? "*(*uint32)(0x7bf6c)" : "*(int *)0x7bf6c"));
  const Value value = operand->value;
  if (value.type.go == nullptr) {
    const Value plain = without_references(value, environment_);
    const DwarfType &type = environment_.types.underlying(plain.type.native);
    if (type.kind == DwarfTypeKind::array && !type.is_vector) {
      const auto first = number_value({.kind = Number::Kind::signed_integer, .integer = 0, .real = 0, .size = 4});
      return first ? of_value(native_operations().element(plain, *first, environment_))
                   : std::unexpected(first.error());
    }
  }
  return of_value(operations_of(value).dereference(value, environment_));
}

Result<Operand> ExpressionEvaluation::address_of(const ExpressionNode &node) {
  const ExpressionNode &place = node.operands.front();
  if (place.kind == Kind::name && !in_go() && !in_rust())
    if (auto pointer = member_pointer(place.text))
      return of_value(std::move(*pointer));
  // Where something would lie is asked here, not what lies there: &((T *)0)->member.
  const NullIsAPlace without_reading(environment_);
  const auto operand = evaluate(place);
  if (!operand)
    return operand;
  if (in_rust() && place.kind == Kind::slice) // &x[1..3] is the slice
    return operand;
  // &1 and &-1i8, as keys are written, are compared as 1 is.
  const bool is_computed = place.kind == Kind::number || place.kind == Kind::text || place.kind == Kind::binary ||
                           (place.kind == Kind::unary && place.text != "*") || place.kind == Kind::cast;
  if (in_rust() && is_computed)
    return operand;
  if (operand->kind != Operand::Kind::value)
    return std::unexpected(Error(ErrorKind::usage, "a literal has no address"));
  return of_value(operations_of(operand->value).address_of(operand->value, environment_));
}

Result<Operand> ExpressionEvaluation::binary(const ExpressionNode &node) {
  if (node.text == "&&" || node.text == "||")
    return logical(node);
  if (node.text == "@")
    return repeated(node);
  if (node.text == ".*" || node.text == "->*")
    return through_member_pointer(node);
  auto left = evaluate(node.operands[0]);
  if (!left)
    return left;
  auto right = evaluate(node.operands[1]);
  if (!right)
    return right;
  return combine(node.text, without_rust_reference(std::move(*left)), without_rust_reference(std::move(*right)));
}

Result<Operand> ExpressionEvaluation::logical(const ExpressionNode &node) {
  const bool decides = node.text == "||";
  for (const ExpressionNode &side : node.operands) {
    const auto operand = evaluate(side);
    if (!operand)
      return operand;
    const auto truth = truth_of(*operand);
    if (!truth)
      return std::unexpected(at_offset(truth.error(), side.mark));
    if (*truth == decides)
      return boolean(decides);
  }
  return boolean(!decides);
}

/// gdb's first@count: an array of what lies there and behind it.
Result<Operand> ExpressionEvaluation::repeated(const ExpressionNode &node) {
  const auto first = evaluate_value(node.operands[0]);
  if (!first)
    return std::unexpected(first.error());
  const auto operand = evaluate(node.operands[1]);
  if (!operand)
    return operand;
  const auto count = number_of(*operand);
  if (!count)
    return std::unexpected(count.error());
  constexpr int max_repetitions = 1 << 24;
  if (count->kind == Number::Kind::floating || count->integer < 1 || count->integer > max_repetitions)
    return std::unexpected(Error(ErrorKind::usage, "behind @ stands how many elements, a whole number from 1"));
  const auto address = first->source ? first->source->address() : std::nullopt;
  if (!address || first->bits)
    return std::unexpected(Error(ErrorKind::usage, "only what is in memory can be repeated with @"));
  const auto length = static_cast<std::uint64_t>(count->integer);
  if (first->type.go != nullptr)
    return of_value(go_value_at(*environment_.go->pool->array_of(*first->type.go, length), *address, environment_));
  return of_value(
      value_at(*address, environment_.types.array_of(first->type.native, length), first->language, environment_));
}

Result<Operand> ExpressionEvaluation::combine(std::string_view operator_text, const Operand &left,
                                              const Operand &right) {
  for (const auto step :
       {&ExpressionEvaluation::complex_numbers, &ExpressionEvaluation::vectors, &ExpressionEvaluation::texts,
        &ExpressionEvaluation::pointers, &ExpressionEvaluation::go_comparison}) {
    auto done = (this->*step)(operator_text, left, right);
    if (!done)
      return std::unexpected(done.error());
    if (*done)
      return std::move(**done);
  }
  const bool strict =
      is_of_go(left) || is_of_go(right) || in_rust() || (in_go() && !(has_value(left) && has_value(right)));
  return strict ? strict_numbers(operator_text, left, right) : c_numbers(operator_text, left, right);
}

Result<std::optional<Operand>> ExpressionEvaluation::texts(std::string_view operator_text, const Operand &left,
                                                           const Operand &right) {
  const bool literal = left.kind == Operand::Kind::text || right.kind == Operand::Kind::text;
  const auto may_be_text = [this](const Operand &operand) {
    if (!has_value(operand))
      return false;
    if (operand.value.type.go != nullptr)
      return operand.value.type.go->kind == GoKind::string;
    const Value value = without_references(operand.value, environment_);
    return is_structure(environment_.types.underlying(value.type.native));
  };
  const bool strings = may_be_text(left) && may_be_text(right);
  if ((!literal && !strings) || (operator_text != "+" && !is_comparison(operator_text)))
    return std::nullopt;
  const auto text_of = [this](const Operand &operand) -> Result<std::string> {
    if (operand.kind == Operand::Kind::text)
      return operand.text;
    if (!has_value(operand))
      return std::unexpected(Error(ErrorKind::usage, "a number is not text"));
    return operations_of(operand.value).text(operand.value, max_compared_text_length, environment_);
  };
  const auto one = text_of(left);
  const auto other = text_of(right);
  if (!one || !other) {
    const bool is_object = !literal && (one ? other : one).error().kind() == ErrorKind::usage;
    return is_object && is_of_go(left) ? Result<std::optional<Operand>>(std::nullopt)
                                       : std::unexpected((one ? other : one).error());
  }
  if (one->size() >= max_compared_text_length || other->size() >= max_compared_text_length)
    return std::unexpected(Error(ErrorKind::unsupported, "the texts are too long to compare"));
  if (is_comparison(operator_text)) {
    const auto ordering = *one <=> *other;
    const Number order{.integer = ordering < 0 ? -1 : ordering > 0 ? 1 : 0, .real = 0, .size = 4};
    return boolean(compare(operator_text, order, {.integer = 0, .real = 0, .size = 4}));
  }
  if (!in_go())
    return std::unexpected(Error(ErrorKind::usage, "texts are only added in Go"));
  Operand sum{.kind = Operand::Kind::text};
  sum.text = *one + *other;
  return sum;
}

Result<std::optional<Operand>> ExpressionEvaluation::pointers(std::string_view operator_text, const Operand &left,
                                                              const Operand &right) {
  const auto one = as_pointer(left);
  const auto other = as_pointer(right);
  if (!one && !other)
    return std::nullopt;
  const auto number = number_of(one ? Operand{.value = *one} : left);
  const auto second = number_of(other ? Operand{.value = *other} : right);
  if (!number || !second)
    return std::unexpected((number ? second : number).error());
  const auto whole = [](const Number &operand) { return operand.kind != Number::Kind::floating; };
  if (!whole(*number) || !whole(*second))
    return std::unexpected(Error(ErrorKind::usage, "pointers and fractions do not go together"));
  const auto address = [](const Number &operand) { return converted(operand, Number::Kind::address, 8); };
  if (is_comparison(operator_text))
    return boolean(compare(operator_text, address(*number), address(*second)));
  const bool subtracts = operator_text == "-";
  if ((operator_text != "+" && !subtracts) || (subtracts && !one) || (!subtracts && one && other))
    return std::unexpected(
        Error(ErrorKind::usage, fmt::format("{} does not go with pointers like this", operator_text)));
  const Value &pointer = one ? *one : *other;
  const auto step = step_of(pointer);
  if (!step)
    return std::unexpected(step.error());
  const auto low = static_cast<std::uint64_t>(number->integer);
  const auto high = static_cast<std::uint64_t>(second->integer);
  if (one && other) {
    const auto other_step = step_of(*other);
    if (!other_step || *other_step != *step)
      return std::unexpected(
          Error(ErrorKind::usage, "the pointers are of different types: their distance has no unit"));
    const auto distance = static_cast<std::int64_t>(low - high) / static_cast<std::int64_t>(*step);
    auto result = of_value(number_value({.integer = distance, .real = 0, .size = 8}));
    return result ? Result<std::optional<Operand>>(std::move(*result)) : std::unexpected(result.error());
  }
  const std::uint64_t base = one ? low : high;
  const std::uint64_t moved = (one ? high : low) * *step;
  const Number sum{.kind = Number::Kind::address,
                   .integer = static_cast<decltype(Number::integer)>(subtracts ? base - moved : base + moved),
                   .real = 0,
                   .size = 8};
  auto result = of_value(number_value(sum, pointer.type));
  return result ? Result<std::optional<Operand>>(std::move(*result)) : std::unexpected(result.error());
}

/// Slices, maps, functions and interfaces are nil where their first word is 0.
Result<bool> ExpressionEvaluation::is_nil(const Value &value) {
  switch (value.type.go->kind) {
  case GoKind::channel:
  case GoKind::function:
  case GoKind::interface:
  case GoKind::map:
  case GoKind::pointer:
  case GoKind::slice:
  case GoKind::unsafe_pointer:
    break;
  default:
    return std::unexpected(Error(ErrorKind::usage, fmt::format("a {} is never nil", value.type.go->name)));
  }
  if (!value.source)
    return std::unexpected(missing_error(value));
  const auto word = value.source->unsigned_at(0, 8);
  if (!word)
    return std::unexpected(Error(ErrorKind::unreadable, "the value cannot be read"));
  return *word == 0;
}

Result<std::optional<Operand>> ExpressionEvaluation::go_comparison(std::string_view operator_text, const Operand &left,
                                                                   const Operand &right) {
  if ((operator_text != "==" && operator_text != "!=") || (!is_of_go(left) && !is_of_go(right)))
    return std::nullopt;
  const bool equal_wanted = operator_text == "==";
  const Operand &typed = is_of_go(left) ? left : right;
  const Operand &other = is_of_go(left) ? right : left;
  Result<bool> equal = false;
  if (other.kind == Operand::Kind::null_pointer) {
    equal = is_nil(typed.value);
  } else {
    const bool is_interface = typed.value.type.go->kind == GoKind::interface ||
                              (is_of_go(other) && other.value.type.go->kind == GoKind::interface);
    if (!is_interface && (number_of(typed) || !is_of_go(other)))
      return std::nullopt;
    const auto value = value_of(other);
    if (!value)
      return std::unexpected(value.error());
    equal = go_equal(typed.value, *value, environment_);
  }
  if (!equal)
    return std::unexpected(equal.error());
  return boolean(*equal == equal_wanted);
}

} // namespace inspect
