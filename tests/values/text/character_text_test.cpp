// Texts of C as gdb prints them (13.1: `p` of char arrays with `set print elements 64`).
#include "values/text/character_text.h"

#include "tests/support/catch.h"

#include <span>
#include <string>

namespace inspect::test {
namespace {

std::string shown(const std::string &text, std::size_t limit) {
  const auto bytes = std::as_bytes(std::span(text));
  const std::size_t count = characters_within(bytes, 1, limit);
  return quoted_text(bytes.first(count), {.size = 1}, count < text.size());
}

TEST_CASE("a run that begins within the limit of a text is shown to its end") {
  const std::string letters = "ABCDEFGABCDEFGABCDEFGABCDEFGABCDEFGABCDE";
  CHECK(shown(std::string(300, 'x'), 64) == "'x' <repeats 300 times>");
  CHECK(shown("abc" + std::string(100, 'y') + std::string(100, 'z'), 64) == "\"abc\", 'y' <repeats 100 times>...");
  CHECK(shown(std::string(60, 'q') + "EFGABCD", 64) == "'q' <repeats 60 times>, \"EFGA\"...");
  CHECK(shown(letters + std::string(30, 'r') + letters, 64) == "\"" + letters + "\", 'r' <repeats 30 times>...");
  CHECK(shown("0000011111", 3) == "\"00000\"...");
}

TEST_CASE("a digit behind a byte in octal is one") {
  using std::string_literals::operator""s;
  CHECK(shown("\0"
              "8\0"
              "1\220"
              "6"s,
              64) == "\"\\0008\\0001\\2206\"");
}

} // namespace
} // namespace inspect::test
