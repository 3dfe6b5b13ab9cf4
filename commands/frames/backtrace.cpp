#include "commands/cli/command_spec.h"
#include "commands/cli/typed_text.h"
#include "commands/session/session.h"
#include "commands/stacks/goroutine_text.h"
#include "commands/stacks/stack_writers.h"
#include "commands/stacks/thread_variables.h"

#include <fmt/format.h>

namespace inspect {
namespace {

struct BacktraceRequest {
  std::size_t depth = 0;
  bool full = false; ///< with locals
};

/// A depth, and gdb's word "full" before or after it.
Result<BacktraceRequest> read_request(const CommandContext &context) {
  BacktraceRequest request{context.session->dialogue.settings.number("depth"), context.arguments.has("-full")};
  for (const std::string &word : context.arguments.positional()) {
    if (word == "full") {
      request.full = true;
      continue;
    }
    const auto depth = parse_number(word);
    if (!depth || word.starts_with('-'))
      return std::unexpected(Error(ErrorKind::usage, fmt::format("'{}' is not a number of frames", word), "bt 20"));
    request.depth = static_cast<std::size_t>(*depth);
  }
  return request;
}

Result<ExitStatus> run_backtrace(CommandContext &context) {
  Session &session = *context.session;
  const auto request = read_request(context);
  if (!request)
    return std::unexpected(request.error());
  const auto report = session.selection.fresh_report();
  if (!report)
    return std::unexpected(report.error());
  for (const std::string &warning : (*report)->warnings)
    context.output.warning(warning);
  StackWriterOptions options;
  options.arguments = ArgumentDetail::values;
  options.locals = request->full;
  options.internal = context.arguments.has("--internal");
  options.depth = request->depth;
  options.with_addresses = session.dialogue.settings.text("backtrace-addresses") == "on";
  if (!context.arguments.has("-a")) {
    const auto goroutine = session.selection.goroutine();
    if (!goroutine)
      return std::unexpected(goroutine.error());
    if (*goroutine != nullptr) {
      ThreadVariables variables(**report, options);
      if (options.locals)
        options.goroutine_locals = [&](const GoroutineReport &one, std::size_t frame) {
          return variables.locals(context.output, one, frame);
        };
      write_goroutine(context.output, *(*report)->go, **goroutine, options);
      return ExitStatus::success;
    }
    const auto thread = session.selection.thread();
    if (!thread)
      return std::unexpected(thread.error());
    write_backtrace(context.output, **report, **thread, options);
    return ExitStatus::success;
  }
  for (const ThreadReport &thread : (*report)->threads) {
    if (session.cancellation().requested())
      return std::unexpected(Error(ErrorKind::cancelled, "cancelled"));
    write_backtrace(context.output, **report, thread, options);
    context.output.write("\n");
  }
  return ExitStatus::success;
}

} // namespace

CommandSpec make_backtrace_command() {
  CommandSpec spec;
  spec.name = "bt";
  spec.aliases = {"stack", "backtrace", "where"};
  spec.summary = "Show the stack of the selected thread or goroutine";
  spec.help =
      "Takes a fresh look: unless the target is held, it is stopped for a moment and runs on before anything is "
      "printed. How many frames are shown by default is set with config depth. The frames of the Go runtime in a "
      "goroutine (gopark, chanrecv, …) are counted but not shown.";
  spec.options = {{.name = "-a", .help = "the stacks of all threads"},
                  {.name = "-full", .help = "with the local variables of each frame"},
                  {.name = "--internal", .help = "of a goroutine: with the Go runtime's own frames"}};
  spec.positionals = {{.name = "DEPTH", .help = "how many frames; 0: all"},
                      {.name = "full", .help = "gdb's word for -full, before or after DEPTH"}};
  spec.in_session = true;
  spec.run = run_backtrace;
  return spec;
}

} // namespace inspect
