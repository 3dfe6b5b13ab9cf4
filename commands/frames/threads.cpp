#include "commands/cli/command_spec.h"
#include "commands/session/session.h"
#include "commands/stacks/frame_text.h"

#include <algorithm>
#include <fmt/format.h>

namespace inspect {
namespace {

std::string innermost(const ThreadReport &thread) {
  if (thread.frames.empty())
    return thread.end_reason.empty() ? "" : fmt::format("({})", escape(thread.end_reason));
  const ReportFrame &frame = thread.frames.front();
  std::string text = frame.function.empty() ? fmt::format("{:#x}", frame.pc.value) : escape(frame.function);
  if (!frame.file.empty())
    text += fmt::format(" at {}:{}", shown_path(frame.file), frame.line);
  else if (!frame.module.empty())
    text += fmt::format(" in {}", escape(frame.module));
  return text;
}

Result<ExitStatus> run_threads(CommandContext &context) {
  Session &session = *context.session;
  const auto report = session.selection.fresh_report();
  if (!report)
    return std::unexpected(report.error());
  std::size_t name_width = 4;
  for (const ThreadReport &thread : (*report)->threads)
    name_width = std::max(name_width, escape(thread.name).size());
  for (const ThreadReport &thread : (*report)->threads) {
    if (session.cancellation().requested())
      return std::unexpected(Error(ErrorKind::cancelled, "cancelled"));
    const bool selected = thread.thread == session.selection.thread_id();
    std::string waiting = thread.waiting_in.empty() ? "" : fmt::format(" in {}", escape(thread.waiting_in));
    if (thread.lock_holder != 0)
      waiting +=
          fmt::format(", lock {}held by thread {}", thread.lock_holder_guessed ? "probably " : "", thread.lock_holder);
    if (thread.goroutine != 0)
      waiting += fmt::format(", runs goroutine {}", thread.goroutine);
    context.output.write(fmt::format("{} {:>7} {:{}}  {}{}; {}\n", selected ? "*" : " ", thread.thread,
                                     escape(thread.name), name_width, thread.state_text, waiting,
                                     context.output.styled(Style::function, innermost(thread))));
  }
  return ExitStatus::success;
}

} // namespace

CommandSpec make_threads_command() {
  CommandSpec spec;
  spec.name = "threads";
  spec.summary = "List the threads: id, name, state, goroutine, innermost function";
  spec.help = "The selected thread is marked with *. `thread ID` selects another.";
  spec.in_session = true;
  spec.run = run_threads;
  return spec;
}

} // namespace inspect
