#include "commands/cli/typed_text.h"
#include "commands/values/assignment.h"
#include "tests/support/catch.h"

#include <fmt/format.h>

using namespace inspect;

namespace {

std::string parsed(std::string_view text) {
  const auto assignment = parse_assignment(text);
  if (!assignment)
    return "error: " + assignment.error().message();
  return fmt::format("{} {} {}", assignment->address, assignment->size, assignment->value);
}

std::string low_bytes(std::uint64_t value, std::size_t size) {
  const auto bytes = bytes_of(value, size);
  if (!bytes)
    return "error";
  std::string text;
  for (const std::byte byte : *bytes)
    text += fmt::format("{:02x}", std::to_integer<unsigned>(byte));
  return text;
}

} // namespace

TEST_CASE("set understands its own, dlv's and gdb's syntax") {
  struct Row {
    std::string_view text;
    std::string expected;
  };
  const Row rows[] = {
      {"-size 4 0x7bf6c = 5", "0x7bf6c 4 5"},
      {"-size=2 0x7bf6c=0x10", "0x7bf6c 2 0x10"},
      {"0x7bf6c:8 = -1", "0x7bf6c 8 -1"},
      {"0x7bf6c=5", "0x7bf6c 0 5"},
      {"ns::counter = 5", "ns::counter 0 5"},
      {"ns::counter:4 = 5", "ns::counter 4 5"},
      {"var counter = 5", "counter 0 5"},
      {"*(*uint32)(0x7bf6c) = 0x10", "(0x7bf6c) 4 0x10"},
      {"*(*int)(0x7bf6c) = 1", "(0x7bf6c) 8 1"}, // Go's int
      {"*(int*)0x7bf6c = 1", "0x7bf6c 4 1"},     // C's
      {"*(unsigned long *)0x7bf6c = 1", "0x7bf6c 8 1"},
      {"*(uint32)0x7bf6c = 5", "0x7bf6c 4 5"},
      {"{int}0x7bf6c = 5", "0x7bf6c 4 5"},
      {"{unsigned char} $rsp+8 = 5", "$rsp+8 1 5"},
      {"{itn}0x7bf6c = 5", "error: 'itn' is not a type that set knows; did you mean 'int'?"},
      {"0x7bf6c:3 = 5", "error: a size is 1, 2, 4 or 8 bytes, not '3'"},
      {"-size x 0x7bf6c = 5", "error: a size is 1, 2, 4 or 8 bytes, not 'x'"},
      {"*0x7bf6c = 5", "error: set does not understand '*0x7bf6c'"},
      {"{int 0x7bf6c = 5", "error: set does not understand '{int 0x7bf6c'"},
      {"{int} = 5", "error: set needs an address before the ="},
      {"0x7bf6c", "error: set needs ADDRESS = VALUE"},
      {"0x7bf6c =", "error: set needs ADDRESS = VALUE"},
      {"= 5", "error: set needs ADDRESS = VALUE"},
      {"", "error: set needs ADDRESS = VALUE"},
  };
  for (const Row &row : rows) {
    CAPTURE(row.text);
    CHECK(parsed(row.text) == row.expected);
  }
}

TEST_CASE("a value that does not fit is refused, not cut") {
  CHECK(low_bytes(255, 1) == "ff");
  CHECK(low_bytes(256, 1) == "error");
  CHECK(low_bytes(static_cast<std::uint64_t>(-1), 1) == "ff");
  CHECK(low_bytes(static_cast<std::uint64_t>(-128), 1) == "80");
  CHECK(low_bytes(static_cast<std::uint64_t>(-129), 1) == "error");
  CHECK(low_bytes(0x1234, 2) == "3412");
  CHECK(low_bytes(0x100000000, 4) == "error");
  CHECK(low_bytes(static_cast<std::uint64_t>(-1), 8) == "ffffffffffffffff");
}

TEST_CASE("numbers are read in the bases people type") {
  CHECK(parse_number("10") == 10);
  CHECK(parse_number(" 0x1F ") == 31);
  CHECK(parse_number("0b101") == 5);
  CHECK(parse_number("0o17") == 15);
  CHECK(parse_number("-5") == static_cast<std::uint64_t>(-5));
  CHECK(parse_number("0xffffffffffffffff") == ~std::uint64_t{0});
  for (const std::string_view text : {"", "-", "0x", "x", "12a", "0xg", "0b2", "18446744073709551616", "1 2", "--5"}) {
    CAPTURE(text);
    CHECK_FALSE(parse_number(text));
  }
}
