#include "commands/cli/command_spec.h"
#include "commands/cli/typed_text.h"
#include "commands/session/session.h"
#include "commands/stacks/frame_text.h"

#include <fmt/format.h>
#include <limits>

namespace inspect {
namespace {

Result<ExitStatus> run_thread(CommandContext &context) {
  Session &session = *context.session;
  const auto &positional = context.arguments.positional();
  if (!positional.empty()) {
    const auto number = parse_number(positional.front());
    if (!number || *number == 0 || *number > static_cast<std::uint64_t>(std::numeric_limits<pid_t>::max()))
      return std::unexpected(
          Error(ErrorKind::usage, fmt::format("'{}' is not a thread id", positional.front()), "threads"));
    if (auto selected = session.selection.select_thread(static_cast<pid_t>(*number)); !selected)
      return std::unexpected(selected.error());
  }
  const auto thread = session.selection.thread();
  if (!thread)
    return std::unexpected(thread.error());
  context.output.write(
      context.output.styled(Style::heading, fmt::format("thread {} {}: {}", (*thread)->thread, escape((*thread)->name),
                                                        (*thread)->state_text)));
  context.output.write((*thread)->goroutine != 0 ? fmt::format(", runs goroutine {}\n", (*thread)->goroutine) : "\n");
  if ((*thread)->frames.empty())
    return ExitStatus::success;
  if (auto written = write_selected_frame(context.output, session.target(), session.selection); !written)
    return std::unexpected(written.error());
  return ExitStatus::success;
}

} // namespace

CommandSpec make_thread_command() {
  CommandSpec spec;
  spec.name = "thread";
  spec.aliases = {"tr"};
  spec.summary = "Select a thread, or say which is selected";
  spec.help = "bt, frame, regs and list then speak of it.";
  spec.positionals = {{.name = "ID", .help = "the kernel's thread id, as `threads` lists it"}};
  spec.completion = CompletionKind::thread;
  spec.in_session = true;
  spec.run = run_thread;
  return spec;
}

} // namespace inspect
