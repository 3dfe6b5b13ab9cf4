// One number as text, in the formats that people ask for: gdb's /x /d /u /o /t /c /a /f, dlv's %x and its like.
#pragma once

#include "values/native/native_numbers.h"
#include "values/value_text.h"

#include <cstddef>
#include <span>
#include <string>

namespace inspect {

/// An integer's bits in the format; `with_sign` decides only the natural one and the character's number.
std::string formatted_bits(const RawBits &raw, bool with_sign, NumberFormat format);
/// With as many digits as tell it from its neighbours: "0.10000000000000001", "-inf", "nan(0x8000000000000)". Bytes
/// that are not floating-point number: "<… bytes>".
std::string float_value_text(std::span<const std::byte> bytes, const std::string &name);
/// As Rust prints it: the shortest that means the same, "1.0".
std::string rust_float_text(std::span<const std::byte> bytes);

} // namespace inspect
