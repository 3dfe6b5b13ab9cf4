#include "commands/cli/command_spec.h"
#include "commands/session/session.h"
#include "commands/values/expression_failure.h"
#include "inspector/scope/frame_scope.h"
#include "values/expression/expression_evaluator.h"
#include "values/print_request.h"
#include "values/value_operations.h"

#include <fmt/format.h>

namespace inspect {
namespace {

/// What a symbol without debug information stands for has an address, and no type to print it by.
std::optional<Error> without_type(const Value &value, std::string_view text) {
  const bool typeless = value.type.go == nullptr && value.type.native.is_void() && value.source.has_value();
  if (!typeless || !value.source->address())
    return std::nullopt;
  return Error(ErrorKind::usage,
               fmt::format("'{}' is at {:#x}, and no debug information says what type it has", text,
                           value.source->address()->value),
               fmt::format("p *(int *)&{}", text));
}

/// A value in memory that cannot be read has nothing to print.
std::optional<Error> unreadable(const Value &value, ValueEnvironment &environment) {
  std::byte first{};
  const auto address = value.source ? value.source->address() : std::nullopt;
  if (!address || operations_of(value).size_of(value.type, environment).value_or(0) == 0 ||
      value.source->read(0, {&first, 1}))
    return std::nullopt;
  return Error(ErrorKind::unreadable, fmt::format("there is no memory to read at {:#x}", address->value), "maps");
}

Result<ExitStatus> run_print(CommandContext &context) {
  Session &session = *context.session;
  const auto &positional = context.arguments.positional();
  if (positional.empty())
    return std::unexpected(Error(ErrorKind::usage, "print needs an expression", "help print"));
  const auto request = parse_print_request(positional.front(), session.evaluator.print_options());
  if (!request)
    return fail_in_expression(context.output, request.error(), positional.front());
  const auto scope = session.evaluator.scope();
  if (!scope)
    return std::unexpected(scope.error());
  const auto value = evaluate(request->expression, **scope);
  if (!value)
    return fail_in_expression(context.output, value.error(), request->expression);
  if (const auto problem = without_type(*value, request->expression))
    return std::unexpected(*problem);
  if (const auto problem = unreadable(*value, (*scope)->environment()))
    return std::unexpected(*problem);
  context.output.write(escape(value_text(*value, (*scope)->environment(), request->options)) + "\n");
  return value->source ? ExitStatus::success : ExitStatus::failure;
}

} // namespace

CommandSpec make_print_command() {
  CommandSpec spec;
  spec.name = "print";
  spec.aliases = {"p", "inspect", "output"};
  spec.summary = "Evaluate an expression in the selected frame and print its value";
  spec.help =
      "Names are those of the frame, then members of `this`, statics of its file, globals of the program. C's, C++'s, "
      "Rust's and Go's operators and casts are understood, whatever the language of the frame; nothing in the target "
      "is ever called.\n"
      "\n"
      "  p count               p s.lookup[1]          p *(*uint32)(0x7bf6c)\n"
      "  p ptr->next->name     p values[2:5]          p ((Foo*)ptr)->bar\n"
      "  p 'ns::x'             p 'file.c'::x          p pkg.Var\n"
      "  p &x                  p a + b * 2            p len(s), cap(s), sizeof(x)\n"
      "  p $rip                p iface.(*pkg.T)       p/x flags    p %x flags\n"
      "\n"
      "Formats: /x /d /u /o /t /c /a /f /s as in gdb, %x %d %o %b %c %p %f %s %q %v %#v as in dlv. Limits for this one "
      "value: -elements N, -string N, -depth N, -fields N in front of the expression; config has those for all.";
  spec.positionals = {{.name = "EXPRESSION", .help = "see above", .required = true}};
  spec.completion = CompletionKind::expression;
  spec.in_session = true;
  spec.raw_arguments = true;
  spec.raw_line = true;
  spec.run = run_print;
  return spec;
}

} // namespace inspect
