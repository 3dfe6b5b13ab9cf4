// Lists of numbers, human-readable: "ids 10-12 20".
#pragma once

#include "machine/number_text.h"

#include <cstdint>
#include <span>
#include <string>

namespace inspect {

/// " 4251-4259 4263", cut after a while: " … and 12 more". `ids` ascend.
std::string id_ranges(std::span<const std::uint64_t> ids);

} // namespace inspect
