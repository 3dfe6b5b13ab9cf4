#include "values/assign/assignment_plan.h"

#include "values/assign/assigned_bytes.h"
#include "values/expression/expression_evaluation.h"
#include "values/expression/expression_evaluator.h"
#include "values/native/native_layout.h"

#include <algorithm>
#include <fmt/format.h>

namespace inspect {
namespace {

std::string_view text_of(const Expression &expression) {
  const ExpressionNode &root = expression.root;
  return std::string_view(expression.text).substr(root.begin, root.end - root.begin);
}

/// "an int", "a main.T".
std::string with_article(const std::string &type) {
  // "an unsigned", but "a uint8".
  const bool vowel = (!type.empty() && std::string_view("aeioAEIO").contains(type.front())) || type.starts_with("un");
  return fmt::format("{} {}", vowel ? "an" : "a", type);
}

/// The place that is written: behind C++'s references, in memory or in one register.
Result<Value> written_place(const Expression &expression, NameScope &scope) {
  auto evaluated = evaluate(expression, scope);
  if (!evaluated)
    return evaluated;
  Value value = evaluated->type.go != nullptr ? *evaluated : without_references(*evaluated, scope.environment());
  const std::string_view name = text_of(expression);
  if (!value.source)
    return std::unexpected(Error(ErrorKind::usage, fmt::format("{} cannot be set: {}", name, value.missing)));
  if (value.at_entry)
    return std::unexpected(
        Error(ErrorKind::usage,
              fmt::format("{} cannot be set: only what the caller passed is known, not where it is", name)));
  if (value.type.go == nullptr && value.type.native.is_void())
    return std::unexpected(Error(ErrorKind::usage,
                                 fmt::format("{} has no type: how many bytes it is is not known", name),
                                 fmt::format("set *(int *)&{} = …", name)));
  if (!value.source->address() && !value.register_number)
    return std::unexpected(
        Error(ErrorKind::usage, fmt::format("{} is a computed value, not a place that can be set", name)));
  return value;
}

/// An enumerator of the target's type, which no scope need know: RED, Color::RED.
std::optional<Number> enumerator(const ExpressionNode &node, const Value &target, ValueEnvironment &environment) {
  if (node.kind != ExpressionNode::Kind::name || target.type.go != nullptr)
    return std::nullopt;
  const DwarfType &type = environment.types.underlying(target.type.native);
  if (type.kind != DwarfTypeKind::enumeration)
    return std::nullopt;
  const std::size_t colons = node.text.rfind("::");
  const std::string_view name = std::string_view(node.text).substr(colons == std::string::npos ? 0 : colons + 2);
  const auto found = std::ranges::find(type.enumerators, name, &DwarfEnumerator::name);
  if (found == type.enumerators.end())
    return std::nullopt;
  return Number{.kind = Number::Kind::signed_integer, .integer = found->value, .real = 0, .size = 8};
}

Result<AssignedValue> assigned_value(const Expression &expression, const Value &target, NameScope &scope) {
  ExpressionEvaluation evaluation(expression, scope);
  AssignedValue assigned;
  if (const auto number = enumerator(expression.root, target, scope.environment())) {
    assigned.operand.kind = EvaluationOperand::Kind::untyped_number;
    assigned.operand.number = *number;
  } else {
    auto operand = evaluation.evaluate(expression.root);
    if (!operand)
      return std::unexpected(at_offset(operand.error(), expression.root.mark));
    assigned.operand = std::move(*operand);
  }
  auto value = evaluation.value_of(assigned.operand);
  if (!value)
    return std::unexpected(at_offset(value.error(), expression.root.mark));
  assigned.value = std::move(*value);
  return assigned;
}

} // namespace

Result<AssignmentPlan> plan_assignment(std::string_view text, NameScope &scope) {
  const auto parsed = parse_assignment_expression(text, expression_syntax(scope));
  if (!parsed)
    return std::unexpected(parsed.error());
  const auto target = written_place(parsed->target, scope);
  if (!target)
    return std::unexpected(target.error());
  const auto assigned = assigned_value(parsed->value, *target, scope);
  if (!assigned)
    return std::unexpected(assigned.error());
  ValueEnvironment &environment = scope.environment();
  AssignmentPlan plan{.target = std::string(text_of(parsed->target)),
                      .value = std::string(text_of(parsed->value)),
                      .old_value = *target,
                      .writes = {},
                      .register_write = {}};
  auto writes = target->type.go != nullptr ? go_assignment(*target, *assigned, environment)
                                           : native_assignment(*target, *assigned, environment);
  if (!writes) {
    const std::string type = operations_of(*target).type_name(target->type, environment);
    return std::unexpected(writes.error().while_doing(fmt::format("{} is {}", plan.target, with_article(type))));
  }
  if (!target->register_number || target->source->address()) {
    plan.writes = std::move(*writes);
    return plan;
  }
  if (writes->size() != 1 || target->bits || writes->front().address != RunAddress{})
    return std::unexpected(
        Error(ErrorKind::unsupported, fmt::format("{} is in a register, and only written as a whole", plan.target)));
  plan.register_write = RegisterWrite{*target->register_number, std::move(writes->front().bytes)};
  return plan;
}

} // namespace inspect
