// Memory as rows of numbers, the way dlv's examinemem prints it:
//
//     0xc000012000:   0x01   0x00   0x2a
//
// Eight numbers a row (four in binary), each with all its digits; the addresses as wide as the last one.
#pragma once

#include "machine/address.h"

#include <cstddef>
#include <span>
#include <string>

namespace inspect {

enum class MemoryFormat { hexadecimal, decimal, octal, binary };

/// `size`: bytes of one number, 1 to 8, little-endian. Bytes at the end that fill no number are left out.
std::string format_memory(RunAddress address, std::span<const std::byte> bytes, MemoryFormat format, std::size_t size);

} // namespace inspect
