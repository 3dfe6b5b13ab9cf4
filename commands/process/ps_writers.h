// The formats of the process list. Plain data in; text from processes is escaped here.
#pragma once

#include "commands/cli/output.h"
#include "inspector/process/process_details.h"
#include "inspector/process/process_table.h"
#include "machine/number_text.h"

#include <cstdint>
#include <span>
#include <string>

namespace inspect {

struct PsTextOptions {
  bool tree = false;
  bool unicode = true;  ///< draw the tree with box characters
  bool as_root = false; ///< sudo would not help
};

void write_processes_text(Output &output, std::span<const ProcessRow> rows, const PsTextOptions &options);
/// One object, inspect.ps/1 (docs/json.md).
void write_processes_json(Output &output, std::span<const ProcessRow> rows);
/// The same with one process and all that is known of it.
void write_process_json(Output &output, const ProcessDetails &details);

/// The command line, escaped; "[name]" of what has none, as ps shows it.
std::string command_text(const ProcessRow &row);

/// "go1.22.1", "c++", "python3.11"; "?" where it was not seen.
std::string runtime_text(const RuntimeInfo &runtime);
/// At most `columns` columns of escaped text; what is cut is replaced by an ellipsis.
std::string cut_to_width(std::string_view text, std::size_t columns, bool unicode);

} // namespace inspect
