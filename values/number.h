// A number as expressions compute with it, wide enough for every scalar of the languages that are understood.
#pragma once

#include <cstdint>

namespace inspect {

struct Number {
  enum class Kind : std::uint8_t {
    signed_integer,
    unsigned_integer,
    floating,
    boolean,   ///< `integer` is 0 or 1
    character, ///< a code point or byte, which prints as such
    address,   ///< a pointer's
    imaginary, ///< a literal's imaginary part, in `real`: 2i
  };
  Kind kind = Kind::signed_integer;
  __extension__ __int128 integer = 0; ///< unless floating; of 128-bit unsigned values the same bits
  long double real = 0;               ///< of floating
  unsigned size = 8;                  ///< bytes of the type that it came from; of literals what they need, at least 4
};

/// Whether `integer` are the bits of an unsigned number. A character of four bytes may be a signed wchar_t or a
/// char32_t.
bool is_unsigned(const Number &number);
long double real_of(const Number &number);
/// As C's conversion has it: without its fraction; 0 where no integer of 128 bits holds it.
__extension__ __int128 integer_of(const Number &number);
/// Whether an integer type of so many bits (1 to 128) holds it; of floating ones, their integer.
bool fits(const Number &number, unsigned bits, bool with_sign);

} // namespace inspect
