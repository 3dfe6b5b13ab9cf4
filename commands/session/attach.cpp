#include "commands/cli/command_spec.h"
#include "commands/cli/process_choice.h"
#include "commands/cli/typed_text.h"
#include "commands/session/interrupt.h"
#include "commands/session/session.h"
#include "commands/session/session_loop.h"
#include "machine/cancellation_point.h"
#include "machine/thrown_error.h"

#include <fmt/format.h>

namespace inspect {
namespace {

/// -e and -x in the order in which they were given. All of them run, unless Ctrl-C ends it.
ExitStatus run_given(Session &session, Output &output, const ParsedArguments &arguments) {
  ExitStatus status = ExitStatus::success;
  for (const auto &given : arguments.given_) {
    if (session.dialogue.leave || session.cancellation().requested())
      break;
    ExitStatus one = ExitStatus::success;
    if (given.option == "-e") {
      one = run_line(session, output, given.value);
    } else if (given.option == "-x") {
      const auto done = run_file(session, output, given.value);
      if (!done)
        output.error(done.error());
      one = done ? *done : ExitStatus::failure;
    }
    status = both(status, one);
  }
  return session.cancellation().requested() ? both(status, ExitStatus::failure) : status;
}

/// Which debug files there are is found out for it, and that may take long. Ctrl-C leaves it for when names are asked
/// for.
void read_names_ahead(Session &session, Output &output) {
  const InterruptibleCommand beginning;
  const CancellationScope scope(&session.cancellation());
  const auto begun = caught([&]() -> Result<void> {
    session.evaluator.read_names_ahead();
    return {};
  });
  if (!begun)
    output.warning(fmt::format("names are not read ahead: {}", begun.error().message()));
  session.cancellation().clear();
}

Result<ExitStatus> run_attach(CommandContext &context) {
  const ParsedArguments &arguments = context.arguments;
  if (arguments.has("--stop") && arguments.has("--no-stop"))
    return std::unexpected(Error(ErrorKind::usage, "--stop and --no-stop exclude each other", "leave one of them out"));
  const auto process = chosen_process(arguments.positional().front());
  if (!process)
    return std::unexpected(process.error());
  context.output.progress(fmt::format("reading process {}", *process));
  TargetOptions options;
  options.use_debuginfod = arguments.has("--debuginfod");
  options.debug_directories = arguments.values("--debug-directory");
  auto target = Target::open(*process, options);
  context.output.progress({});
  if (!target)
    return std::unexpected(target.error());
  for (const std::string &warning : (*target)->take_warnings())
    context.output.warning(warning);
  Session session(std::move(*target), arguments.has("--read-only"));
  const auto guard = InterruptGuard::begin(session.cancellation());
  if (!guard)
    return std::unexpected(guard.error());
  session.progress = [&output = context.output](std::string_view phase, std::size_t done, std::size_t total) {
    output.progress(total == 0 ? std::string(phase) : fmt::format("{} {}/{}", phase, done, total));
  };
  if (arguments.has("--no-stop")) {
    if (auto set = session.dialogue.settings.set("stop", "none"); !set)
      return std::unexpected(set.error());
    session.choose_stop(StopChoice::none);
  }
  if (arguments.has("--stop")) {
    if (auto held = session.hold(); !held)
      return std::unexpected(held.error());
  }
  const bool given = arguments.has("-e") || arguments.has("-x");
  if (!given)
    read_names_ahead(session, context.output);
  ExitStatus status =
      given ? run_given(session, context.output, arguments) : run_interactively(session, context.output);
  const bool ended = session.target_ended();
  session.let_go();
  context.output.set_transcript(nullptr);
  if (session.dialogue.transcript != nullptr &&
      (std::fflush(session.dialogue.transcript) != 0 || std::ferror(session.dialogue.transcript) != 0)) {
    context.output.error("the transcript could not be written completely");
    status = ExitStatus::failure;
  }
  if (!given && !ended)
    context.output.hint("detached, the target runs on");
  return status;
}

} // namespace

CommandSpec make_attach_command() {
  CommandSpec spec;
  spec.name = "attach";
  spec.summary = "Look around in a running process: stacks, memory, registers, code";
  spec.help =
      "A session with the words of dlv and gdb (inspect attach PID -e help lists them). The target runs on, unless "
      "--stop or the command stop hold it; each look stops it for a moment. Ctrl-C cancels a long command, Ctrl-D "
      "leaves, an empty line repeats the last command. However this program ends, the target runs on.\n"
      "\n"
      "With -e or -x the commands are run, in the order given, and the program leaves; one that fails does not "
      "keep the others from running, and makes the exit status 1, or 3 where the process has ended. Without a "
      "terminal, "
      "commands are read from standard input, one a line.\n"
      "\n"
      "  inspect attach 4251 -e bt -e 'x -fmt hex -count 4 -size 8 $rsp'";
  spec.options = {
      {.name = "-e", .value = "COMMAND", .help = "run this command, then leave", .repeatable = true},
      {.name = "-x", .value = "FILE", .help = "run the commands in this file, then leave", .repeatable = true},
      {.name = "--stop", .help = "hold the target from the start"},
      {.name = "--no-stop", .help = "stop nothing: looks read what sleeps (config stop changes it)"},
      {.name = "--read-only", .help = "refuse to write memory"},
      {.name = "--debug-directory",
       .value = "DIR",
       .help = "look for separate debug files here instead of /usr/lib/debug",
       .repeatable = true},
      {.name = "--debuginfod", .help = "ask the servers in $DEBUGINFOD_URLS for missing debug information"}};
  spec.positionals = {
      {.name = "PID", .help = "the process, by its id or name; -p and --pid may stand in front", .required = true}};
  spec.completion = CompletionKind::process;
  spec.on_command_line = true;
  spec.run = run_attach;
  return spec;
}

} // namespace inspect
