// The formats of stack reports. All take plain data and print to an Output; target text is escaped here.
#pragma once

#include "commands/cli/output.h"
#include "inspector/stacks/stack_report.h"

#include <cstddef>
#include <functional>
#include <span>
#include <string>

namespace inspect {

/// How much of a Go function's arguments is said.
enum class ArgumentDetail {
  none,
  words,  ///< as the Go runtime prints them
  values, ///< names, types and values as far as they are known
};

struct StackWriterOptions {
  bool group = true; ///< text: threads and goroutines with the same stack once
  ArgumentDetail arguments = ArgumentDetail::none;
  bool locals = false;          ///< below each frame, where debug information has them
  bool internal = false;        ///< also the Go runtime's own frames, goroutines and threads
  bool goroutines_only = false; ///< no threads
  std::size_t depth = 0;        ///< text of one goroutine: at most so many lines of its stack; 0: all
  bool with_addresses = false;  ///< text of one goroutine or thread
  /// Text: what stands below a goroutine's frame; may be empty.
  std::function<std::string(const GoroutineReport &goroutine, std::size_t frame)> goroutine_locals = {};
};

void write_stacks_text(Output &output, const ProcessReport &report, const StackWriterOptions &options);
/// One object, inspect.stacks/1 (docs/json.md), with everything internal. Several processes: one object a line (JSON
/// lines).
void write_stacks_json(Output &output, const ProcessReport &report, const StackWriterOptions &options);
/// "command;outermost;…;innermost count" a line, for flamegraph.pl and its kin; `;` and blanks in names are replaced.
void write_stacks_folded(Output &output, const ProcessReport &report, const StackWriterOptions &options);
/// As the Go runtime prints the stacks of all goroutines; threads in the same shape.
void write_go_traceback(Output &output, const ProcessReport &report, const StackWriterOptions &options);
/// One stack, as `bt` prints it: what the thread does, then numbered frames, at most `depth` lines of them (0: all).
/// The report tells the names of other threads.
void write_backtrace(Output &output, const ProcessReport &report, const ThreadReport &thread,
                     const StackWriterOptions &options);

} // namespace inspect
