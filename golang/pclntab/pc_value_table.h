// One pc-value table of the pclntab: a function's code cut into stretches of one value each (frame size, file, line,
// inlined call, …), as deltas in varints.
//
// Source: runtime/symtab.go, pcvalue and step; "Go 1.2 Runtime Symbol Information".
#pragma once

#include "machine/address.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

namespace inspect {

/// The value that the table at the start of `bytes` has for the byte of code `offset` from its function's entry.
/// Nothing where the table ends before, or is damaged. -1 is a value of its own: "none" in most tables.
std::optional<std::int32_t> pc_value(std::span<const std::byte> bytes, std::uint64_t offset);

} // namespace inspect
