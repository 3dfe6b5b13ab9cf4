#include "commands/command_spec.h"
#include "commands/goroutine_text.h"
#include "commands/session.h"
#include "commands/stack_writers.h"
#include "commands/typed_text.h"

#include <fmt/format.h>

namespace inspect {
namespace {

Result<std::size_t> wanted_depth(const CommandContext &context) {
  const auto &positional = context.arguments.positional();
  if (positional.empty())
    return context.session->settings().number("depth");
  const auto depth = parse_number(positional.front());
  if (!depth || positional.front().starts_with('-'))
    return std::unexpected(
        Error(ErrorKind::usage, fmt::format("'{}' is no number of frames", positional.front()), "bt 20"));
  return static_cast<std::size_t>(*depth);
}

Result<ExitStatus> run_backtrace(CommandContext &context) {
  Session &session = *context.session;
  const auto depth = wanted_depth(context);
  if (!depth)
    return std::unexpected(depth.error());
  const auto report = session.fresh_report();
  if (!report)
    return std::unexpected(report.error());
  for (const std::string &warning : (*report)->warnings)
    context.output.warning(warning);
  const bool addresses = session.settings().text("backtrace-addresses") == "on";
  if (!context.arguments.has("-a")) {
    const auto goroutine = session.selected_goroutine();
    if (!goroutine)
      return std::unexpected(goroutine.error());
    if (*goroutine != nullptr) {
      StackWriterOptions options;
      options.arguments = ArgumentDetail::values;
      options.internal = context.arguments.has("--internal");
      options.depth = *depth;
      options.with_addresses = addresses;
      write_goroutine(context.output, *(*report)->go, **goroutine, options);
      return ExitStatus::success;
    }
    const auto thread = session.selected_thread();
    if (!thread)
      return std::unexpected(thread.error());
    write_backtrace(context.output, **report, **thread, *depth, addresses);
    return ExitStatus::success;
  }
  for (const ThreadReport &thread : (*report)->threads) {
    if (session.cancellation().requested())
      return std::unexpected(Error(ErrorKind::cancelled, "cancelled"));
    write_backtrace(context.output, **report, thread, *depth, addresses);
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
                  {.name = "--internal", .help = "of a goroutine: with the Go runtime's own frames"}};
  spec.positionals = {{.name = "DEPTH", .help = "how many frames; 0: all"}};
  spec.in_session = true;
  spec.run = run_backtrace;
  return spec;
}

} // namespace inspect
