// How much memory this machine has to give.
//
// Source: man page proc(5), "/proc/meminfo".
#pragma once

#include <cstdint>
#include <optional>

namespace inspect {

/// MemAvailable in bytes: what programs can take without driving others into swap. Nothing where it cannot be read.
std::optional<std::uint64_t> available_memory();

} // namespace inspect
