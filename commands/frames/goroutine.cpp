#include "commands/cli/command_spec.h"
#include "commands/cli/typed_text.h"
#include "commands/session/session.h"
#include "commands/stacks/frame_text.h"
#include "commands/stacks/goroutine_text.h"
#include "inspector/stacks/goroutine_details.h"

#include <fmt/format.h>

namespace inspect {
namespace {

Result<const GoroutineReport *> wanted_goroutine(CommandContext &context) {
  Session &session = *context.session;
  const auto &positional = context.arguments.positional();
  if (!positional.empty()) {
    const auto number = parse_number(positional.front());
    if (!number || *number == 0 || positional.front().starts_with('-'))
      return std::unexpected(
          Error(ErrorKind::usage, fmt::format("'{}' is not a goroutine id", positional.front()), "goroutines"));
    const std::string_view image = positional.size() > 1 ? std::string_view(positional[1]) : std::string_view();
    if (auto selected = session.selection.select_goroutine(*number, image); !selected)
      return std::unexpected(selected.error());
  }
  if (const auto go = session.selection.go_report(); !go)
    return std::unexpected(go.error());
  auto goroutine = session.selection.goroutine();
  if (goroutine && *goroutine == nullptr)
    return std::unexpected(Error(ErrorKind::usage,
                                 fmt::format("thread {} is selected, and no goroutine", session.selection.thread_id()),
                                 "goroutine ID; goroutines lists them"));
  return goroutine;
}

/// "waits to receive from channel 0xc000012120 of main.answer, 3 of 64 in its buffer"
std::string wait_text(const WaitedChannel &channel) {
  const std::string_view what = channel.direction == WaitedChannel::Direction::receive ? "waits to receive from"
                                : channel.direction == WaitedChannel::Direction::send  ? "waits to send to"
                                                                                       : "waits on";
  std::string text = fmt::format("{} channel {:#x}", what, channel.channel.value);
  if (!channel.element.empty())
    text += fmt::format(" of {}", escape(channel.element));
  text +=
      channel.capacity == 0 ? ", unbuffered" : fmt::format(", {} of {} in its buffer", channel.count, channel.capacity);
  return text + (channel.closed ? ", closed" : "");
}

void write_waits(Output &output, Target &target, const GoroutineReport &goroutine) {
  const auto channels = waited_channels(target, goroutine);
  if (!channels) {
    output.warning(channels.error().message());
    return;
  }
  for (const WaitedChannel &channel : *channels)
    output.write(fmt::format("    {}\n", wait_text(channel)));
}

Result<ExitStatus> run_goroutine(CommandContext &context) {
  Session &session = *context.session;
  const auto goroutine = wanted_goroutine(context);
  if (!goroutine)
    return std::unexpected(goroutine.error());
  const auto go = session.selection.go_report();
  if (!go)
    return std::unexpected(go.error());
  context.output.write(context.output.styled(Style::heading, goroutine_title(**go, **goroutine)) + "\n");
  if (const std::string creation = creation_text(**go, **goroutine); !creation.empty())
    context.output.write("    " + creation + "\n");
  write_waits(context.output, session.target(), **goroutine);
  if ((*go)->stack_of(**goroutine).frames.empty())
    return ExitStatus::success;
  if (auto written = write_selected_frame(context.output, session.target(), session.selection); !written)
    return std::unexpected(written.error());
  return ExitStatus::success;
}

std::string call_text(const DeferredCall &call) {
  std::string text = call.function.empty() ? "a function that is not known" : escape(call.function);
  if (!call.by.empty())
    text += fmt::format(", deferred by {}", escape(call.by));
  if (!call.file.empty())
    text += fmt::format(" {} {}:{}", call.at_statement ? "at" : "(it begins at", shown_path(call.file), call.line) +
            (call.at_statement ? "" : ")");
  return text;
}

Result<ExitStatus> run_deferred(CommandContext &context) {
  Session &session = *context.session;
  const auto goroutine = wanted_goroutine(context);
  if (!goroutine)
    return std::unexpected(goroutine.error());
  const auto report = session.selection.last_report();
  if (!report)
    return std::unexpected(report.error());
  std::vector<std::string> warnings;
  const auto calls = deferred_calls_of(session.target(), **report, **goroutine, warnings);
  if (!calls)
    return std::unexpected(calls.error());
  if (calls->empty())
    context.output.write(fmt::format("goroutine {} has no deferred calls\n", (*goroutine)->id));
  for (std::size_t i = 0; i < calls->size(); ++i)
    context.output.write(fmt::format("#{:<3} {}\n", i, call_text((*calls)[i])));
  for (const std::string &warning : warnings)
    context.output.warning(warning);
  return ExitStatus::success;
}

} // namespace

CommandSpec make_goroutine_command() {
  CommandSpec spec;
  spec.name = "goroutine";
  spec.aliases = {"gr"};
  spec.summary = "Select a goroutine, or say which is selected";
  spec.help = "bt, frame, up, down, list, regs and deferred then speak of it, until `thread ID` selects a thread. The "
              "innermost frame that is not the standard library's is selected with it. Shows what it waits on, too: "
              "goroutines -chan ADDRESS lists who else does.";
  spec.positionals = {
      {.name = "ID", .help = "as `goroutines` lists it"},
      {.name = "LIBRARY", .help = "whose goroutine it is, where the process hosts several Go runtimes"}};
  spec.completion = CompletionKind::goroutine;
  spec.in_session = true;
  spec.run = run_goroutine;
  return spec;
}

CommandSpec make_deferred_command() {
  CommandSpec spec;
  spec.name = "deferred";
  spec.summary = "Show the calls that a goroutine has deferred, the next one first";
  spec.help = "Of the selected goroutine, or of the one given, which is then selected.";
  spec.positionals = {
      {.name = "ID", .help = "of a goroutine"},
      {.name = "LIBRARY", .help = "whose goroutine it is, where the process hosts several Go runtimes"}};
  spec.completion = CompletionKind::goroutine;
  spec.in_session = true;
  spec.run = run_deferred;
  return spec;
}

} // namespace inspect
