#include "inspector/scope/printed_variables.h"

#include "values/value_operations.h"

#include <algorithm>

namespace inspect {
namespace {

/// What GCC makes of a coroutine has its parameters as variables of its own in the coroutine's frame.
bool is_coroutine_parameter(const ScopeVariable &variable, const FunctionScope &function) {
  const bool is_awaiter = variable.name == "Is" || variable.name == "Fs" || variable.name.starts_with("Aw");
  return variable.is_artificial && !variable.is_parameter && !is_awaiter && !variable.name.starts_with("_Coro_") &&
         std::ranges::any_of(function.variables,
                             [](const ScopeVariable &one) { return one.name.starts_with("_Coro_"); });
}

bool is_wanted(const ScopeVariable &variable, FrameVariables which, const FunctionScope &function) {
  const bool is_hidden = is_coroutine_parameter(variable, function) ? false
                         : variable.is_artificial                   ? variable.name != "this"
                                                                    : variable.name == go_dictionary_name;
  if (variable.name.empty() || is_hidden)
    return false;
  const bool is_argument = variable.is_parameter || variable.is_result;
  return is_argument == (which == FrameVariables::arguments);
}

FrameVariable described(FrameScope &scope, const ScopeVariable &variable, const FrameVariableOptions &options) {
  FrameVariable text;
  text.name = variable.name;
  text.is_parameter = variable.is_parameter;
  text.is_result = variable.is_result;
  text.shadowed = variable.shadowed;
  text.depth = variable.depth;
  text.line = variable.line;
  ValueEnvironment &environment = scope.environment();
  environment.deadline = std::min(std::chrono::steady_clock::now() + options.per_value, options.until);
  const Value value = scope.value_of(variable);
  text.missing = !value.source.has_value();
  text.at_entry = value.at_entry;
  if (options.with_types)
    text.type = operations_of(value).type_name(value.type, environment);
  text.value = value_text(value, environment, options.print);
  environment.deadline.reset();
  return text;
}

/// The argument as it was passed, where it is another now.
std::optional<FrameVariable> passed(FrameScope &scope, const ScopeVariable &variable, const FrameVariable &now,
                                    const FrameVariableOptions &options) {
  if (!options.with_passed || now.missing || now.at_entry)
    return std::nullopt;
  ValueEnvironment &environment = scope.environment();
  environment.deadline = std::min(std::chrono::steady_clock::now() + options.per_value, options.until);
  const auto value = scope.passed_value_of(variable);
  std::optional<FrameVariable> before;
  if (value) {
    before = now;
    before->at_entry = true;
    before->value = value_text(*value, environment, options.print);
  }
  environment.deadline.reset();
  return before && before->value != now.value ? before : std::nullopt;
}

} // namespace

std::vector<FrameVariable> frame_variables(FrameScope &scope, FrameVariables which,
                                           const FrameVariableOptions &options) {
  std::vector<FrameVariable> all;
  if (scope.function() == nullptr)
    return all;
  for (const ScopeVariable &variable : scope.function()->variables) {
    if (!is_wanted(variable, which, *scope.function()))
      continue;
    if (all.size() >= options.max_variables || std::chrono::steady_clock::now() >= options.until)
      break;
    all.push_back(described(scope, variable, options));
    if (auto before = passed(scope, variable, all.back(), options))
      all.push_back(*std::move(before));
  }
  return all;
}

} // namespace inspect
