// A goroutine profile for `go tool pprof` and its kin: profile.proto, compressed. Of a process without goroutines it is
// one of its threads.
//
// Source: github.com/google/pprof, proto/profile.proto.
#pragma once

#include "commands/stacks/stack_writers.h"

namespace inspect {

void write_pprof_profile(Output &output, const ProcessReport &report, const StackWriterOptions &options);

} // namespace inspect
