// Runs what is typed, piped or written in files in a session.
#pragma once

#include "commands/cli/command_spec.h"
#include "commands/session/session.h"

#include <string>
#include <string_view>

namespace inspect {

/// One line: a command with its arguments. An empty line and a comment (#) do nothing and succeed. Failures are said on
/// `output`.
ExitStatus run_line(Session &session, Output &output, std::string_view line);

/// The status of both together: that the process has ended outweighs what failed for it.
ExitStatus both(ExitStatus first, ExitStatus second);

/// Every line of a file; errors name the file and the line, and the rest still runs. Failure when one of them failed.
Result<ExitStatus> run_file(Session &session, Output &output, const std::string &path);

/// Reads commands from standard input until it ends or `exit`: with line editing on a terminal, else plainly, and then
/// a failing command makes the status 1, or 3 where the process has ended.
ExitStatus run_interactively(Session &session, Output &output);

/// "(inspect 4251 running) ".
std::string prompt(const Session &session);

} // namespace inspect
