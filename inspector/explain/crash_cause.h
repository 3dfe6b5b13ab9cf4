// Why a goroutine crashed, as far as the text shows it: what the fault's address means, which argument is nil and where
// it came from, which slice is too short, what recursed.
#pragma once

#include "inspector/explain/crash_site.h"
#include "inspector/explain/explanation.h"
#include "inspector/explain/frame_decoder.h"

namespace inspect {

/// Which goroutine of the traceback crashed, by index; nothing for mere dumps of stacks.
std::optional<std::size_t> crashed_goroutine(const Traceback &traceback, CrashKind kind);
CrashKind crash_kind(const Traceback &traceback);
/// Whether something crashed: not a dump that was asked for, nor a deadlock, in which all wait.
bool has_crash(const Traceback &traceback, CrashKind kind);

/// Fills what, where, then and why. `crashed` is an index into the goroutines.
void explain_cause(const Traceback &traceback, std::optional<std::size_t> crashed, FrameDecoder &decoder,
                   ExplainedTraceback &into);

} // namespace inspect
