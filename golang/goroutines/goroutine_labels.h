// The labels that a program gives its goroutines with pprof.Do or pprof.SetGoroutineLabels: what request, tenant or
// handler a goroutine works for.
//
// A label set is never changed once a goroutine has it, only replaced, so that it may be read while the process runs.
//
// Source: runtime/pprof/label.go: a map[string]string up to Go 1.23 (layout: runtime/map.go, type hmap and bmap), a
// slice of key-value pairs since 1.24.
#pragma once

#include "golang/go_version.h"
#include "machine/memory_view.h"

#include <string>
#include <utility>
#include <vector>

namespace inspect {

using GoLabels = std::vector<std::pair<std::string, std::string>>;

/// Sorted by key. `address` is the g's `labels` word, not 0. unreadable, or corrupt where what lies there is no label
/// set.
Result<GoLabels> read_goroutine_labels(const MemoryView &memory, RunAddress address, GoVersion version);

} // namespace inspect
