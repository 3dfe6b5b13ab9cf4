// The processes that a word of a command line means: a PID, or a name as people know it.
//
//     const auto processes = chosen_processes("nginx", arguments.has("--all"));
#pragma once

#include "inspector/process/process_table.h"
#include "machine/error.h"

#include <string>
#include <string_view>
#include <sys/types.h>
#include <vector>

namespace inspect {

/// Of the rows, those that are called so: by the kernel's short name, the executable or the first word of the command
/// line; where none is, those whose name or executable holds the text, else those whose command line does. Neither this
/// process, the sudo that it runs under, nor what has ended.
std::vector<const ProcessRow *> rows_named(const std::vector<ProcessRow> &rows, std::string_view name);
/// Its words with blanks between, not escaped; empty: none is known.
std::string command_line(const ProcessRow &row);
/// This process and the sudo that it runs under: the pattern stands in their command lines, too.
std::vector<pid_t> own_processes(const std::vector<ProcessRow> &rows);

/// At least one. usage: several have the name and not all are wanted, they are listed; no_such_process: none has.
Result<std::vector<pid_t>> chosen_processes(std::string_view word, bool all);
Result<pid_t> chosen_process(std::string_view word);

} // namespace inspect
