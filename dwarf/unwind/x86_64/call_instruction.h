// Whether an address can be a return address: a call instruction ends right in front of it.
//
// Source: Intel SDM volume 2, CALL (E8 rel32; FF /2 with a ModRM operand) and section 2.1.5, table 2-2 (ModRM forms).
#pragma once

#include <cstddef>
#include <span>

namespace inspect::x86_64 {

/// The longest call without prefixes: FF, ModRM, SIB, 32-bit displacement.
constexpr std::size_t max_call_length = 7;

/// `before`: the bytes in front of the address.
bool ends_with_call(std::span<const std::byte, max_call_length> before);

} // namespace inspect::x86_64
