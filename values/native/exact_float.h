// Floating-point numbers that no type of ours holds exactly, as decimal text: IEEE binary128, and the decimal formats
// in the binary encoding that x86-64 has.
//
// Sources: IEEE 754-2008 sections 3.4 and 3.5.2 (binary encoding of the significand); System V psABI for x86-64, 3.1.2;
// the General Decimal Arithmetic specification, "to-scientific-string", as libdecnumber and gdb print them.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>

namespace inspect {

/// Of 16 bytes, with as many significant digits as printf's %.*Qg would have.
std::string binary128_text(std::span<const std::byte> bytes, int digits);
/// Of 4, 8 or 16 bytes: "1.5", "-2.25", "1E+100"; nothing of another size.
std::optional<std::string> decimal_float_text(std::span<const std::byte> bytes);
/// The same as a number, rounded.
std::optional<long double> decimal_float_value(std::span<const std::byte> bytes);

} // namespace inspect
