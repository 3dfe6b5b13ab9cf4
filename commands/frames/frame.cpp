#include "commands/cli/command_spec.h"
#include "commands/cli/typed_text.h"
#include "commands/session/session.h"
#include "commands/stacks/frame_text.h"

#include <fmt/format.h>

namespace inspect {
namespace {

Result<std::size_t> number_or(const CommandContext &context, std::size_t fallback) {
  const auto &positional = context.arguments.positional();
  if (positional.empty())
    return fallback;
  const auto number = parse_number(positional.front());
  if (!number || positional.front().starts_with('-'))
    return std::unexpected(
        Error(ErrorKind::usage, fmt::format("'{}' is not a frame number", positional.front()), "bt"));
  return static_cast<std::size_t>(*number);
}

Result<ExitStatus> select(CommandContext &context, std::size_t index) {
  if (auto selected = context.session->selection.select_frame(index); !selected)
    return std::unexpected(selected.error());
  if (auto written = write_selected_frame(context.output, context.session->target(), context.session->selection);
      !written)
    return std::unexpected(written.error());
  return ExitStatus::success;
}

Result<ExitStatus> run_frame(CommandContext &context) {
  // The first look selects a frame.
  if (const auto report = context.session->selection.last_report(); !report)
    return std::unexpected(report.error());
  const auto index = number_or(context, context.session->selection.frame_index());
  return index ? select(context, *index) : std::unexpected(index.error());
}

Result<ExitStatus> run_up(CommandContext &context) {
  const auto count = number_or(context, 1);
  if (!count)
    return std::unexpected(count.error());
  const auto selected = context.session->selection.frames();
  if (!selected)
    return std::unexpected(selected.error());
  const std::size_t frames = selected->size();
  const std::size_t now = context.session->selection.frame_index();
  if (now + 1 >= frames && *count > 0)
    return std::unexpected(Error(ErrorKind::usage, "this is the outermost frame; there is none above"));
  return select(context, *count >= frames - now ? frames - 1 : now + *count);
}

Result<ExitStatus> run_down(CommandContext &context) {
  if (const auto report = context.session->selection.last_report(); !report)
    return std::unexpected(report.error());
  const auto count = number_or(context, 1);
  if (!count)
    return std::unexpected(count.error());
  const std::size_t now = context.session->selection.frame_index();
  if (now == 0 && *count > 0)
    return std::unexpected(Error(ErrorKind::usage, "this is the innermost frame; there is none below"));
  return select(context, *count >= now ? 0 : now - *count);
}

CommandSpec frame_command(std::string name, std::string summary, std::string help,
                          Result<ExitStatus> (*run)(CommandContext &)) {
  CommandSpec spec;
  spec.name = std::move(name);
  spec.summary = std::move(summary);
  spec.help = std::move(help);
  spec.positionals = {{.name = "N", .help = "a number"}};
  spec.in_session = true;
  spec.run = run;
  return spec;
}

} // namespace

CommandSpec make_frame_command() {
  return frame_command("frame", "Select a frame of the last stack shown, by its number",
                       "Frame 0 is the innermost. Without a number the selected frame is shown again. regs, list, "
                       "disassemble and registers in addresses ($rsp) then speak of it.",
                       run_frame);
}

CommandSpec make_up_command() {
  return frame_command("up", "Select the frame's caller", "N frames further out; 1 when it is left out.", run_up);
}

CommandSpec make_down_command() {
  return frame_command("down", "Select the frame that this one called", "N frames further in; 1 when it is left out.",
                       run_down);
}

} // namespace inspect
