// whatis and ptype: the type of an expression, by name and in full.
#include "commands/cli/command_spec.h"
#include "commands/session/session.h"
#include "commands/values/expression_failure.h"
#include "inspector/scope/frame_scope.h"
#include "values/expression/expression_evaluator.h"
#include "values/operations/native_operations.h"
#include "values/printers/library_type_name.h"
#include "values/value_operations.h"

#include <cstdint>
#include <fmt/format.h>

namespace inspect {
namespace {

enum class TypeText : std::uint8_t { name, definition };

/// The lines of a definition, each escaped.
void write_lines(Output &output, std::string_view text) {
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    output.write(escape(text.substr(0, end)) + "\n");
    text.remove_prefix(std::min(end + 1, text.size()));
  }
}

using TypeQuestion = Result<ValueType> (*)(std::string_view, NameScope &);

/// gdb's "/o" in front: taken off.
bool take_layout(std::string &text) {
  if (!text.starts_with("/o "))
    return false;
  text.erase(0, text.find_first_not_of(' ', 2));
  return true;
}

Result<ExitStatus> write_type(CommandContext &context, TypeQuestion question, TypeText text) {
  Session &session = *context.session;
  auto positional = context.arguments.positional();
  const bool with_layout = !positional.empty() && text == TypeText::definition && take_layout(positional.front());
  if (positional.empty())
    return std::unexpected(Error(ErrorKind::usage, "an expression or a type is missing", "help whatis"));
  const auto scope = session.evaluator.scope();
  if (!scope)
    return std::unexpected(scope.error());
  const auto type = question(positional.front(), **scope);
  if (!type)
    return fail_in_expression(context.output, type.error(), positional.front());
  ValueEnvironment &environment = (*scope)->environment();
  const ValueOperations &operations = operations_of(*type);
  if (with_layout && type->go == nullptr)
    write_lines(context.output, native_type_layout(type->native, environment));
  else if (text == TypeText::definition)
    write_lines(context.output, operations.type_definition(*type, environment));
  else
    write_lines(context.output, type->go != nullptr ? operations.type_name(*type, environment)
                                                    : short_type_name(environment.types, type->native));
  return ExitStatus::success;
}

Result<ExitStatus> run_whatis(CommandContext &context) {
  return write_type(context, named_type_of, TypeText::name);
}

Result<ExitStatus> run_ptype(CommandContext &context) {
  return write_type(context, type_of_expression, TypeText::definition);
}

CommandSpec type_command(std::string name, std::string summary, std::string help,
                         Result<ExitStatus> (*run)(CommandContext &)) {
  CommandSpec spec;
  spec.name = std::move(name);
  spec.summary = std::move(summary);
  spec.help = std::move(help);
  spec.positionals = {{.name = "EXPRESSION", .help = "as print takes it, or a type", .required = true}};
  spec.completion = CompletionKind::expression;
  spec.in_session = true;
  spec.raw_arguments = true;
  spec.raw_line = true;
  spec.run = run;
  return spec;
}

} // namespace

CommandSpec make_whatis_command() {
  return type_command(
      "whatis", "Show the type of an expression",
      "By its name, as one writes it in the language of the frame. Of a typedef's name what it stands for, one step.",
      run_whatis);
}

CommandSpec make_ptype_command() {
  return type_command(
      "ptype", "Show the definition of a type, or of the type of an expression",
      "With all members, their types and, of enumerations, their values. ptype /o shows where each member of a "
      "structure lies, its size, and the holes between them (Go's definitions always do).",
      run_ptype);
}

} // namespace inspect
