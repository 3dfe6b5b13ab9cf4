#include "commands/cli/command_spec.h"
#include "commands/session/session.h"

#include <fmt/format.h>

namespace inspect {
namespace {

void list_settings(CommandContext &context) {
  for (const SettingSpec &spec : setting_specs()) {
    const std::string values = spec.choices.empty() ? "a number" : fmt::format("{}", fmt::join(spec.choices, "|"));
    context.output.write(fmt::format("{:22} {:6}  {} ({})\n", spec.key,
                                     context.session->dialogue.settings.text(spec.key), spec.help, values));
  }
}

Result<ExitStatus> run_config(CommandContext &context) {
  const auto &positional = context.arguments.positional();
  Settings &settings = context.session->dialogue.settings;
  if (context.arguments.has("-list") || positional.empty()) {
    list_settings(context);
    return ExitStatus::success;
  }
  if (positional.size() < 2)
    return std::unexpected(
        Error(ErrorKind::usage, fmt::format("config {} needs a value", positional.front()), "config -list"));
  if (auto done = settings.set(positional[0], positional[1]); !done)
    return std::unexpected(done.error());
  if (positional[0] == "stop")
    context.session->choose_stop(stop_choice_of(settings.text("stop")));
  const std::string &colour = settings.text("colour");
  if (positional[0] == "colour")
    context.output.set_colour(colour == "auto" ? context.output.wants_colour() : colour == "on");
  return ExitStatus::success;
}

} // namespace

CommandSpec make_config_command() {
  CommandSpec spec;
  spec.name = "config";
  spec.summary = "Show or change the settings of this session";
  spec.help = "Without arguments, or with -list: all settings, their values and what they do.";
  spec.options = {{.name = "-list", .help = "show them"}};
  spec.positionals = {{.name = "KEY", .help = "which"}, {.name = "VALUE", .help = "its new value"}};
  spec.completion = CompletionKind::config_key;
  spec.in_session = true;
  spec.works_after_end = true;
  spec.run = run_config;
  return spec;
}

} // namespace inspect
