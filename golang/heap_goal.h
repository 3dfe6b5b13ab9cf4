// MemStats.NextGC: at how many live bytes the next garbage collection is to have ended.
//
// Until Go 1.18 a variable. Since 1.19, which has a memory limit, it is computed when someone asks.
//
// Source: runtime/mgcpacer.go, heapGoalInternal and memoryLimitHeapGoal, Go 1.19 to 1.26; mstats.next_gc in 1.16,
// gcControllerState.heapGoal in 1.17 and 1.18.
#pragma once

#include "golang/memory_layout.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

namespace inspect {

/// From copies of memstats and of gcController (which may be empty: not found). `cached` are the bytes that the Ps'
/// caches have handed out and not counted yet.
std::optional<std::uint64_t> next_heap_goal(const MemoryLayout &layout, std::span<const std::byte> stats,
                                            std::span<const std::byte> controller, std::int64_t cached);

} // namespace inspect
