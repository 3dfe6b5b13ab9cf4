// The runtime's structures g and m, from their bytes, by the layout of the version. Pure: whether what comes out makes
// sense is for the caller to judge.
#pragma once

#include "golang/runtime/goroutine.h"
#include "golang/runtime/runtime_layout.h"

#include <cstddef>
#include <span>

namespace inspect {

/// `bytes` are layout.g.size long.
Goroutine decode_goroutine(const RuntimeLayout &layout, RunAddress address, std::span<const std::byte> bytes);

/// `bytes` are layout.m.size long. What lies in the g structures of its own (g0_…, gsignal_stack) is
/// left empty.
GoM decode_m(const RuntimeLayout &layout, RunAddress address, std::span<const std::byte> bytes);

/// Whether the status is one that the runtime knows.
bool is_known_status(GoroutineStatus status);
/// Whether it has a stack to show: neither idle nor dead.
bool is_live(GoroutineStatus status);

} // namespace inspect
