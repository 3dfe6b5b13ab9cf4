#include "commands/cli/command_spec.h"
#include "commands/session/session_loop.h"

namespace inspect {
namespace {

Result<ExitStatus> run_source(CommandContext &context) {
  return run_file(*context.session, context.output, context.arguments.positional().front());
}

} // namespace

CommandSpec make_source_command() {
  CommandSpec spec;
  spec.name = "source";
  spec.summary = "Run the commands in a file";
  spec.help =
      "One command a line; lines that begin with # are comments. A command that fails does not keep the rest from "
      "running; its error names file and line.";
  spec.positionals = {{.name = "FILE", .help = "the file", .required = true}};
  spec.completion = CompletionKind::file;
  spec.in_session = true;
  spec.works_after_end = true;
  spec.run = run_source;
  return spec;
}

} // namespace inspect
