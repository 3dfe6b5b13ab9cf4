// args and locals: the variables of the selected frame.
#include "commands/cli/command_spec.h"
#include "commands/cli/name_filter.h"
#include "commands/session/session.h"
#include "commands/stacks/variable_text.h"
#include "inspector/scope/frame_scope.h"
#include "inspector/scope/printed_variables.h"

#include <fmt/format.h>

namespace inspect {
namespace {

std::string function_of(const ReportFrame &frame) {
  return frame.function.empty() ? fmt::format("{:#x}", frame.pc.value) : std::string(frame.function);
}

/// Why there are neither arguments nor locals: the module's debug information is missing, or does not reach here.
Error no_debug_information(Target &target, const ReportFrame &frame) {
  if (frame.tail_call)
    return without_frame(frame);
  Module *module = target.modules().find(frame.pc);
  std::string reason;
  if (module == nullptr)
    reason = "it is in no known module";
  else if (module->dwarf() == nullptr)
    reason = module->debug_info_reason();
  else
    reason = fmt::format("that of {} does not describe it", module->name());
  return Error(ErrorKind::not_found,
               fmt::format("there is no debug information for {}: {}", function_of(frame), reason),
               "regs and x show what is in registers and memory");
}

/// A stripped Go program still says what words its functions were called with, and what they lead to.
Result<bool> write_argument_words(CommandContext &context, const ReportFrame &frame, std::size_t index) {
  Session &session = *context.session;
  const auto goroutine = session.selection.goroutine();
  if (!goroutine)
    return std::unexpected(goroutine.error());
  const ProcessReport *report = session.selection.known_report();
  if (*goroutine == nullptr || report == nullptr || !report->go || report->go->values == nullptr)
    return false;
  const auto words = report->go->words_of(**goroutine, frame);
  if (!words)
    return false;
  std::size_t number = 0;
  for (const DecodedArgument &argument : report->go->values->decode(*report->go, **goroutine, index, *words)) {
    const std::string name = argument.name.empty() ? fmt::format("argument {}", number) : argument.name;
    ++number;
    context.output.write(fmt::format("{} = {}{}\n", escape(name),
                                     escape(argument.value.empty() ? argument.words : argument.value),
                                     argument.stale ? "?" : ""));
  }
  return true;
}

Result<ExitStatus> write_variables(CommandContext &context, FrameVariables which) {
  Session &session = *context.session;
  const auto frame = session.selection.report_frame();
  if (!frame)
    return std::unexpected(frame.error());
  const auto &positional = context.arguments.positional();
  const auto wanted = name_filter(positional.empty() ? "" : positional.front());
  if (!wanted)
    return std::unexpected(wanted.error());
  const auto scope = session.evaluator.scope();
  if (!scope)
    return std::unexpected(scope.error());
  if ((*scope)->function() == nullptr) {
    if (which == FrameVariables::arguments) {
      const auto written = write_argument_words(context, **frame, session.selection.frame_index());
      if (!written)
        return std::unexpected(written.error());
      if (*written)
        return ExitStatus::success;
    }
    return std::unexpected(no_debug_information(session.target(), **frame));
  }
  if ((*frame)->guessed)
    context.output.warning("this frame is guessed: what is said of its variables may be wrong");
  FrameVariableOptions options;
  options.print = session.evaluator.print_options();
  options.per_value = std::chrono::milliseconds(1000);
  options.with_types = context.arguments.has("-v");
  options.with_passed = which == FrameVariables::arguments;
  std::size_t count = 0;
  for (const FrameVariable &variable : frame_variables(**scope, which, options)) {
    if (!(*wanted)(variable.name))
      continue;
    context.output.write(variable_line(context.output, variable, options.with_types));
    ++count;
  }
  if (count == 0)
    context.output.write(fmt::format("(no {})\n", which == FrameVariables::arguments ? "arguments" : "locals"));
  return session.cancellation().requested() ? ExitStatus::failure : ExitStatus::success;
}

Result<ExitStatus> run_args(CommandContext &context) {
  return write_variables(context, FrameVariables::arguments);
}

Result<ExitStatus> run_locals(CommandContext &context) {
  return write_variables(context, FrameVariables::locals);
}

CommandSpec variables_command(std::string name, std::string summary, std::string help,
                              Result<ExitStatus> (*run)(CommandContext &)) {
  CommandSpec spec;
  spec.name = std::move(name);
  spec.summary = std::move(summary);
  spec.help = std::move(help);
  spec.options = {{.name = "-v", .help = "with their types"}};
  spec.positionals = {{.name = "REGEX", .help = "only those whose names match, as grep -E has it"}};
  spec.in_session = true;
  spec.run = run;
  return spec;
}

} // namespace

CommandSpec make_args_command() {
  return variables_command(
      "args", "Show the arguments of the selected frame",
      "From the debug information: name and value of each argument of the function, be it a real frame or a call that "
      "was inlined. Where the function has overwritten an argument and its caller still knows it, the value is that of "
      "the call, marked name@entry; what was passed is shown too where the argument is another now. <optimized out> "
      "means that the program does not keep the value here.\n"
      "\n"
      "config max-string-len, max-array-values, max-variable-recurse and max-struct-fields say how much of a value is "
      "printed. Of Go programs without debug information the argument words are shown, with what they lead to.",
      run_args);
}

CommandSpec make_locals_command() {
  return variables_command(
      "locals", "Show the local variables of the selected frame",
      "Those of the function and of the blocks around the place where it stands, outer blocks first; what an inner "
      "block hides is marked (shadowed). A variable that is not yet initialised has whatever is in its place.",
      run_locals);
}

} // namespace inspect
