// MemStats.NextGC: at how many live bytes the next garbage collection is to have ended.
//
// Until Go 1.18 a variable. Since 1.19, which has a memory limit, it is computed when someone asks.
//
// Source: runtime/mgcpacer.go, heapGoalInternal and memoryLimitHeapGoal, Go 1.19 to 1.26; mstats.next_gc in 1.16,
// gcControllerState.heapGoal in 1.17 and 1.18.
#pragma once

#include "golang/memstats/memory_layout.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

namespace inspect {

/// From copies of memstats and of gcController (which may be empty: not found). `cached` are the bytes that the Ps'
/// caches have handed out and not counted yet.
std::optional<std::uint64_t> next_heap_goal(const MemoryLayout &layout, std::span<const std::byte> stats,
                                            std::span<const std::byte> controller, std::int64_t cached);

/// GOGC of a Go 1.16 whose variable gcpercent was not found, from the goal that was computed from it (mgc.go,
/// gcSetTriggerRatio): the growth over what was marked last, or the least heap, in whole per cent. Nothing where the
/// goal is neither; that a goal which was raised for other reasons is whole by chance is one case in some ten thousand.
std::optional<std::int64_t> gc_percent_by_goal(std::uint64_t goal, std::uint64_t marked);

} // namespace inspect
