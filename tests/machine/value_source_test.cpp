// Values of which only some bits are known.
#include "machine/value_source.h"

#include "tests/support/catch.h"

#include <array>

namespace inspect::test {
namespace {

TEST_CASE("bits are read from a byte that is known in part, where they are known") {
  auto image = std::make_shared<ValueImage>(2);
  image->bytes[0] = std::byte{0xa0};
  image->known[0] = 0xf8; // the lowest three are lost
  image->set(1, 0x55, 1);
  const ValueSource source = ValueSource::of_image(image);
  std::array<std::byte, 2> bytes{};
  CHECK_FALSE(source.read(0, bytes));
  CHECK_FALSE(source.read_bits(0, 3, std::span(bytes).first(1)));
  CHECK_FALSE(source.read_bits(2, 2, std::span(bytes).first(1)));
  CHECK(source.read_bits(3, 5, std::span(bytes).first(1)));
  CHECK(source.read_bits(3, 13, bytes));
  CHECK(bytes[0] == std::byte{0xa0});
  CHECK(bytes[1] == std::byte{0x55});
  CHECK(source.at(1).read_bits(0, 8, std::span(bytes).first(1)));
  CHECK_FALSE(source.knows_none(0, 1));
  image->known[0] = 0;
  CHECK(source.knows_none(0, 1));
  CHECK_FALSE(source.knows_none(0, 2));
  CHECK_FALSE(source.knows_none(1, 2));
}

} // namespace
} // namespace inspect::test
