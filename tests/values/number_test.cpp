#include "values/number.h"

#include "tests/support/catch.h"
#include "values/native/native_layout.h"

#include <cmath>
#include <limits>

namespace inspect {
namespace {

using Kind = Number::Kind;

Number whole(__int128 integer, Kind kind = Kind::signed_integer, unsigned size = 8) {
  return {.kind = kind, .integer = integer, .real = 0, .size = size};
}

Number real(long double number) {
  return {.kind = Kind::floating, .integer = 0, .real = number, .size = 16};
}

TEST_CASE("a number fits into a type that holds it") {
  constexpr __int128 one = 1;
  for (const unsigned bits : {1U, 7U, 8U, 32U, 63U, 64U, 127U}) {
    INFO(bits);
    const __int128 half = one << (bits - 1);
    CHECK(fits(whole(half - 1), bits, true));
    CHECK_FALSE(fits(whole(half), bits, true));
    CHECK(fits(whole(-half), bits, true));
    CHECK_FALSE(fits(whole(-half - 1), bits, true));
    CHECK(fits(whole(half), bits, false));
    CHECK(fits(whole(half + (half - 1)), bits, false));
    if (bits < 127)
      CHECK_FALSE(fits(whole(half + half), bits, false));
    CHECK_FALSE(fits(whole(-1), bits, false));
  }
  CHECK(fits(whole(-1), 128, true));
  CHECK_FALSE(fits(whole(-1), 128, false));
  // The same bits as an unsigned number are the largest there is.
  CHECK(fits(whole(-1, Kind::unsigned_integer, 16), 128, false));
  CHECK_FALSE(fits(whole(-1, Kind::unsigned_integer, 16), 128, true));
  CHECK_FALSE(fits(whole(-1, Kind::address), 64, false));
  CHECK(fits(real(255.9L), 8, false));
  CHECK_FALSE(fits(real(256), 8, false));
  CHECK_FALSE(fits(real(-1), 8, false));
  for (const long double none : {0x1p127L, -0x1p127L, std::numeric_limits<long double>::infinity(),
                                 std::numeric_limits<long double>::quiet_NaN()})
    CHECK_FALSE(fits(real(none), 128, true));
}

TEST_CASE("numbers of one kind are the same number as of another") {
  CHECK(real_of(whole(-3)) == -3.0L);
  CHECK(real_of(whole(-1, Kind::unsigned_integer, 16)) == 0x1p128L);
  CHECK(real_of(real(0.5L)) == 0.5L);
  CHECK(integer_of(real(-2.75L)) == -2);
  CHECK(integer_of(whole(7, Kind::character, 1)) == 7);
  for (const long double none : {0x1p127L, -0x1p200L, std::numeric_limits<long double>::quiet_NaN()})
    CHECK(integer_of(real(none)) == 0);
  CHECK(is_unsigned(whole(1, Kind::address)));
  CHECK(is_unsigned(whole(1, Kind::character, 4)));
  CHECK_FALSE(is_unsigned(whole(-1, Kind::character, 4)));
  CHECK_FALSE(is_unsigned(whole(1, Kind::character, 1)));
}

TEST_CASE("the low bytes of a number are as they are in memory") {
  CHECK(low_bytes(0x0102030405, 3) == std::vector<std::byte>{std::byte{5}, std::byte{4}, std::byte{3}});
  CHECK(low_bytes(0xff, 0).empty());
  const auto wide = low_bytes(~static_cast<unsigned __int128>(0), 20);
  CHECK(wide.size() == 20);
  CHECK(wide[15] == std::byte{0xff});
  CHECK(wide[16] == std::byte{0});
}

} // namespace
} // namespace inspect
