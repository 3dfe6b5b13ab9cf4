#include "commands/cli/command_spec.h"
#include "commands/session/session.h"

namespace inspect {

CommandSpec make_exit_command() {
  CommandSpec spec;
  spec.name = "exit";
  spec.aliases = {"quit", "q"};
  spec.summary = "Leave; the target runs on";
  spec.in_session = true;
  spec.works_after_end = true;
  spec.run = [](CommandContext &context) -> Result<ExitStatus> {
    context.session->dialogue.leave = true;
    return ExitStatus::success;
  };
  return spec;
}

} // namespace inspect
