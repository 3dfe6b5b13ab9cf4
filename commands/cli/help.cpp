#include "commands/cli/command_spec.h"
#include "commands/cli/help_text.h"

namespace inspect {
namespace {

Result<ExitStatus> run_help(CommandContext &context) {
  const bool in_session = context.session != nullptr;
  const auto &names = context.arguments.positional();
  if (names.empty()) {
    context.output.write(command_list(in_session));
    return ExitStatus::success;
  }
  auto command = find_command(names.front(), in_session);
  if (!command && !in_session) { // `inspect help bt`: what the sessions offer is worth a question, too
    if (auto in_sessions = find_command(names.front(), true))
      command = in_sessions;
  }
  if (!command)
    return std::unexpected(command.error());
  context.output.write(help_text(**command, in_session || !(*command)->on_command_line));
  return ExitStatus::success;
}

} // namespace

CommandSpec make_help_command() {
  CommandSpec spec;
  spec.name = "help";
  spec.summary = "List the commands, or explain one";
  spec.positionals = {{.name = "COMMAND", .help = "the command to explain"}};
  spec.completion = CompletionKind::command;
  spec.on_command_line = true;
  spec.works_after_end = true;
  spec.in_session = true;
  spec.run = run_help;
  return spec;
}

} // namespace inspect
