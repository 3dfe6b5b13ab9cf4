// The texts about commands that are made from the table: synopsis, help, and what main prints without arguments.
#pragma once

#include "commands/cli/command_spec.h"

#include <string>
#include <vector>

namespace inspect {

/// "stacks PID... [--depth N]", as it is typed.
std::string synopsis(const CommandSpec &spec);
/// The values of an option whose placeholder lists them ("rss|vsz|cpu"); empty: any value.
std::vector<std::string> choices(const OptionSpec &option);
/// "-o, --output FILE".
std::string option_heading(const OptionSpec &option);

/// What `help NAME` prints: synopsis, summary, paragraphs, arguments, options.
std::string help_text(const CommandSpec &spec, bool in_session);
/// What `help` prints: every command with its summary.
std::string command_list(bool in_session);
/// A few lines for somebody who typed `inspect` alone.
std::string short_usage();

} // namespace inspect
