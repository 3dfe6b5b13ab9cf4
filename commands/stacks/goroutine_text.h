// Human-readable text of goroutines: those with the same stack as one block, with what they wait for, for how long and
// who made them, so that a leak is one line and one stack.
#pragma once

#include "commands/cli/output.h"
#include "commands/stacks/stack_writers.h"
#include "inspector/stacks/goroutine_report.h"

#include <string>

namespace inspect {

/// "goroutine 17 [chan receive, at least 5 minutes, locked to thread, thread 4251]", "goroutine 17 of libA.so
/// [running]"
std::string goroutine_title(const GoReport &report, const GoroutineReport &goroutine);
/// "created by main.handle in goroutine 1 at svc.go:41"; empty where that is not known.
std::string creation_text(const GoReport &report, const GoroutineReport &goroutine);

/// How many do what, then the groups (or each by itself), then the runtime's own in a few words.
void write_goroutines(Output &output, const GoReport &report, const StackWriterOptions &options);

/// One goroutine: its title, labels, stack and creation.
void write_goroutine(Output &output, const GoReport &report, const GoroutineReport &goroutine,
                     const StackWriterOptions &options);

} // namespace inspect
