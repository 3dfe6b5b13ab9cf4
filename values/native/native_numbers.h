// Numbers in and out of the bytes of values that DWARF describes: integers of any width and bit-fields, floating point
// of the sizes that compilers for x86-64 have, enumerations, pointers.
//
// Sources: DWARF 5 section 5.1 (encodings) and 5.7.6 (bit-fields); System V psABI for x86-64, 3.1.2 (x87 extended
// precision in 16 bytes, of which 10 count); IEEE 754 binary16 and binary128.
#pragma once

#include "machine/error.h"
#include "values/number.h"
#include "values/value.h"
#include "values/value_environment.h"

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace inspect {

enum class ScalarKind : std::uint8_t {
  none, ///< a structure, an array, …
  signed_integer,
  unsigned_integer,
  floating,
  boolean,
  character, ///< a byte or code point that is meant as text
  enumeration,
  address,
};

/// What a value of the type is when it is taken as one number. C's char and the types made of it are characters, Rust's
/// u8 and i8 are not.
ScalarKind scalar_kind(const DwarfType &type);
/// Whether its numbers can be negative.
bool is_signed(const DwarfType &type, ValueEnvironment &environment);

/// The value's bits, without those above a bit-field's; at most 16 bytes.
struct RawBits {
  unsigned __int128 bits = 0;
  unsigned width = 0; ///< how many of them
};
Result<RawBits> raw_bits(const Value &value, ValueEnvironment &environment);
__extension__ __int128 sign_extended(const RawBits &raw);

/// What `size` bytes mean as a floating-point number of that size; `name` tells binary128 from x87's format. Nothing of
/// a size that is none.
std::optional<long double> float_from_bytes(std::span<const std::byte> bytes, const std::string &name);
/// How many digits a number of the type needs to be told from its neighbours; gdb prints as many.
int float_digits(std::uint64_t size, const std::string &name);

Result<Number> native_number(const Value &value, ValueEnvironment &environment);
/// Refuses, with the range, what does not fit.
Result<std::vector<std::byte>> encode_number(const Number &number, const TypeHandle &type,
                                             ValueEnvironment &environment);
/// As C converts: truncated where it does not fit.
Result<std::vector<std::byte>> convert_number(const Number &number, const TypeHandle &type,
                                              ValueEnvironment &environment);

/// In decimal; there is no format for 128 bits in the library.
std::string decimal_text(__int128 number);
std::string decimal_text(unsigned __int128 number);

} // namespace inspect
