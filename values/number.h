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
  };
  Kind kind = Kind::signed_integer;
  __extension__ __int128 integer = 0; ///< unless floating; of 128-bit unsigned values the same bits
  long double real = 0;               ///< of floating
  unsigned size = 8;                  ///< bytes of the type that it came from; of literals what they need, at least 4
};

} // namespace inspect
