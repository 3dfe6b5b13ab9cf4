// The program behind main: `inspect COMMAND …`, `inspect --version`, `inspect help`.
#pragma once

#include "commands/cli/command_spec.h"

#include <span>
#include <string>

namespace inspect {

/// Parses the words after a command's name and runs it.
Result<ExitStatus> try_command(const CommandSpec &spec, std::span<const std::string> words, Output &output,
                               Session *session);
/// The same, and says on `output` what went wrong.
ExitStatus run_command(const CommandSpec &spec, std::span<const std::string> words, Output &output, Session *session);

/// The words after the program's name; the process' exit status.
int run_command_line(std::span<const std::string> words, Output &output);

} // namespace inspect
