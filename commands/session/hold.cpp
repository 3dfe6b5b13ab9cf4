// stop and continue: a session's target runs unless it is told to wait.
#include "commands/cli/command_spec.h"
#include "commands/session/session.h"

#include <fmt/format.h>

namespace inspect {
namespace {

Result<ExitStatus> run_stop(CommandContext &context) {
  Session &session = *context.session;
  if (session.held()) {
    context.output.write("already held\n");
    return ExitStatus::success;
  }
  if (auto held = session.hold(); !held)
    return std::unexpected(held.error());
  context.output.write(fmt::format("process {} is held; continue lets it run\n", session.target().process()));
  for (const StoppedThread &thread : session.held_threads())
    if (thread.state == StopState::did_not_stop || thread.state == StopState::not_traceable)
      context.output.warning(fmt::format("thread {} is not: {}", thread.thread, thread.reason));
  return ExitStatus::success;
}

Result<ExitStatus> run_continue(CommandContext &context) {
  Session &session = *context.session;
  context.output.write(session.held() ? fmt::format("process {} runs\n", session.target().process())
                                      : std::string("already running\n"));
  session.let_go();
  return ExitStatus::success;
}

} // namespace

CommandSpec make_stop_command() {
  CommandSpec spec;
  spec.name = "stop";
  spec.summary = "Hold the target: all its threads wait until continue, or until this program ends";
  spec.help = "bt, threads and the rest then show one and the same moment.";
  spec.in_session = true;
  spec.run = run_stop;
  return spec;
}

CommandSpec make_continue_command() {
  CommandSpec spec;
  spec.name = "continue";
  spec.aliases = {"c"};
  spec.summary = "Let a held target run";
  spec.in_session = true;
  spec.run = run_continue;
  return spec;
}

} // namespace inspect
