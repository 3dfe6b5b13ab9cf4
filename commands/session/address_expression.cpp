// Session::evaluate: what people type where an address is wanted.
#include "commands/cli/typed_text.h"
#include "commands/session/session.h"
#include "inspector/scope/frame_scope.h"
#include "inspector/scope/symbol_search.h"
#include "machine/x86_64/registers.h"
#include "values/expression/expression_evaluator.h"
#include "values/value_operations.h"

#include <algorithm>
#include <cctype>
#include <cstdlib>
#include <fmt/format.h>

namespace inspect {
namespace {

/// Where the last + or - outside of brackets stands, npos without: "a+b-4" is split before the 4. Not the first
/// character, which is a sign.
std::size_t last_operator(std::string_view text) {
  int depth = 0;
  for (std::size_t at = text.size(); at-- > 1;) {
    const char character = text[at];
    if (character == ')' || character == '>' || character == ']')
      ++depth;
    else if (character == '(' || character == '<' || character == '[')
      --depth;
    else if (depth == 0 && (character == '+' || character == '-'))
      return at;
  }
  return std::string_view::npos;
}

/// The address that an expression stands for: a number's or a pointer's value, where an array, a structure or a
/// function is.
Result<std::uint64_t> address_of_expression(std::string_view text, FrameScope &scope) {
  const auto value = inspect::evaluate(text, scope);
  if (!value)
    return std::unexpected(value.error());
  const ValueOperations &operations = operations_of(*value);
  if (const auto number = operations.number(*value, scope.environment());
      number && number->kind != Number::Kind::floating)
    return static_cast<std::uint64_t>(number->integer);
  if (value->source && value->source->address())
    return value->source->address()->value;
  return std::unexpected(Error(ErrorKind::usage, fmt::format("'{}' is no address", text), "x &EXPRESSION"));
}

bool is_identifier(std::string_view text) {
  return std::ranges::all_of(text, [](char character) {
    return std::isalnum(static_cast<unsigned char>(character)) != 0 || character == '_';
  });
}

} // namespace

Result<std::uint64_t> Session::register_value(unsigned dwarf_number, std::string_view name) {
  const auto frame = selected_physical_frame();
  if (!frame)
    return std::unexpected(frame.error());
  if (dwarf_number == x86_64::return_address)
    return (*frame)->pc.value;
  if (const auto &known = (*frame)->registers; known != nullptr && known->knows(dwarf_number))
    return *known->get(dwarf_number);
  return std::unexpected(
      Error(ErrorKind::not_found, fmt::format("{} is not recoverable in frame {}", name, selected_frame_), "frame 0"));
}

Result<std::uint64_t> Session::evaluate(std::string_view text) {
  text = trimmed(text);
  if (parse_number(text))
    return evaluate_symbols(text);
  // A variable of the frame hides symbols; all else that was an address before there were expressions still is one.
  const bool name = is_identifier(text) && !x86_64::register_by_name(text);
  if (name && report_) {
    const auto in_frame = scope();
    const FunctionScope *function = in_frame ? (*in_frame)->function() : nullptr;
    if (function != nullptr &&
        std::ranges::find(function->variables, text, &ScopeVariable::name) != function->variables.end())
      return address_of_expression(text, **in_frame);
  }
  auto number = evaluate_symbols(text);
  if (number || name || number.error().kind() == ErrorKind::cancelled)
    return number;
  const auto in_frame = scope();
  auto address = in_frame ? address_of_expression(text, **in_frame) : std::unexpected(in_frame.error());
  // Where neither makes sense, what was meant is an expression if it looks like one.
  const bool simple = text.find_first_of("*&[({.<>=|^~!/") == std::string_view::npos;
  return address || !simple ? address : number;
}

Result<std::uint64_t> Session::evaluate_symbols(std::string_view text) {
  text = trimmed(text);
  constexpr std::size_t longest = 4096;
  if (text.empty() || text.size() > longest)
    return std::unexpected(Error(ErrorKind::usage, "an address is missing", "help x"));
  if (const auto number = parse_number(text))
    return *number;
  if (text.starts_with('(') && text.ends_with(')') && text.find('(', 1) == std::string_view::npos)
    return evaluate_symbols(text.substr(1, text.size() - 2));

  std::string_view name = text;
  const bool dollar = name.starts_with('$') || name.starts_with('%');
  const bool ampersand = name.starts_with('&');
  if (dollar || ampersand)
    name.remove_prefix(1);
  if (const auto number = ampersand ? std::nullopt : x86_64::register_by_name(name))
    return register_value(*number, name);
  if (dollar) {
    // Runbooks pass addresses in the environment: ADDR=0x… inspect attach PID -e 'x $ADDR'.
    const char *variable = std::getenv(std::string(name).c_str());
    if (const auto number = variable == nullptr ? std::nullopt : parse_number(variable))
      return *number;
  }
  // Names of operators hold + and -, so that the whole text is tried as a name first.
  const std::size_t split = last_operator(text);
  auto symbol = find_symbol(*target_, name, cancellation_);
  if (symbol)
    return symbol->address.value;
  if (split == std::string_view::npos && dollar && symbol.error().kind() == ErrorKind::not_found)
    return std::unexpected(Error(ErrorKind::not_found,
                                 fmt::format("'{}' is no register, no number in the environment and no symbol", text),
                                 "regs -a"));
  if (split == std::string_view::npos || symbol.error().kind() == ErrorKind::cancelled)
    return std::unexpected(symbol.error());
  const auto left = evaluate_symbols(text.substr(0, split));
  if (!left)
    return std::unexpected(left.error());
  const auto right = evaluate_symbols(text.substr(split + 1));
  if (!right)
    return std::unexpected(right.error());
  return text[split] == '+' ? *left + *right : *left - *right;
}

} // namespace inspect
