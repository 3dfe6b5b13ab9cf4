// How far from UTC a time.Location is at a moment, by the table of changes that the target itself has loaded.
//
// Source: time/zoneinfo.go (Location, zone, zoneTrans, lookup), Go 1.15 to 1.27: the fields have stood in these places
// since `extend` came in 1.15.
#pragma once

#include "machine/memory_view.h"

#include <cstdint>
#include <optional>

namespace inspect {

/// Seconds east of UTC. `seconds`: of the moment, since 1 January of the year 1. Nothing where the location cannot be
/// read, is UTC itself, or its table ends before the moment and only a rule says what holds then.
std::optional<std::int64_t> seconds_east(RunAddress location, std::int64_t seconds, const MemoryView &memory);

} // namespace inspect
