// Why a range of memory cannot be read: where the first unreadable byte is, and what is mapped nearest.
#pragma once

#include "inspector/target/target.h"

namespace inspect {

struct MemoryGap {
  RunAddress address; ///< the first byte that cannot be read
  Error error;        ///< a sentence with the nearest mapping
};

/// Of a range whose read has just failed.
MemoryGap find_gap(Target &target, RunAddress address, std::size_t size);

} // namespace inspect
