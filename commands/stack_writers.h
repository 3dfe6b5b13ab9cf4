// The formats of stack reports. All take plain data and print to an Output; target text is escaped here.
#pragma once

#include "commands/output.h"
#include "inspector/stack_report.h"

#include <cstddef>
#include <span>

namespace inspect {

struct TextStackOptions {
  bool group = true; ///< threads with the same stack once
};

void write_stacks_text(Output &output, const ProcessReport &report, const TextStackOptions &options);
/// One object, inspect.stacks/1 (docs/json.md). Several processes: one object a line (JSON lines).
void write_stacks_json(Output &output, const ProcessReport &report);
/// "command;outermost;…;innermost count" a line, for flamegraph.pl and its kin; `;` and blanks in names are replaced.
void write_stacks_folded(Output &output, const ProcessReport &report);
/// One stack, as `bt` prints it: what the thread does, then numbered frames, at most `depth` lines of them (0: all).
/// The report tells the names of other threads.
void write_backtrace(Output &output, const ProcessReport &report, const ThreadReport &thread, std::size_t depth,
                     bool with_addresses);

} // namespace inspect
