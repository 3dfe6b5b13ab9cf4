// What a hostile name may hold, and what reaches the terminal instead.
#include "commands/cli/output.h"
#include "tests/support/catch.h"

#include <string_view>

using namespace std::string_view_literals;

TEST_CASE("escape leaves text as it is and makes every control harmless") {
  struct Row {
    std::string_view text;
    std::string_view escaped;
  };
  const Row rows[] = {
      {"", ""},
      {"worker-1 (idle) \"x\" \\d", "worker-1 (idle) \"x\" \\d"},
      {"gr\xc3\xbc\xc3\x9f \xe6\x97\xa5\xe6\x9c\xac \xf0\x9f\x98\x80",
       "gr\xc3\xbc\xc3\x9f \xe6\x97\xa5\xe6\x9c\xac \xf0\x9f\x98\x80"},
      {"a\nb\tc\rd", "a\\nb\\tc\\rd"},
      {"\x1b]0;title\x07", "\\x1b]0;title\\x07"},
      {"\0x"sv, "\\x00x"},
      {"\x7f", "\\x7f"},
      {"\xc2\x9b"
       "31m",
       "\\u009b31m"},    // C1: a CSI in two bytes
      {"\x9b", "\\x9b"}, // and in one, which is not UTF-8
      {"\xe2\x80\xae"
       "evil",
       "\\u202eevil"},
      {"\xe2\x80\xaa\xe2\x80\xab\xe2\x80\xac\xe2\x80\xad", "\\u202a\\u202b\\u202c\\u202d"},
      {"\xe2\x81\xa6\xe2\x81\xa7\xe2\x81\xa8\xe2\x81\xa9", "\\u2066\\u2067\\u2068\\u2069"},
      {"\xe2\x80\x8e\xe2\x80\x8f\xd8\x9c", "\\u200e\\u200f\\u061c"},
      {"\xe2\x80\xa8\xe2\x80\xa9", "\\u2028\\u2029"},
      {"\xe2\x80\xa7\xe2\x81\xaa", "\xe2\x80\xa7\xe2\x81\xaa"}, // the neighbours of those ranges
      {"\xc0\xaf", "\\xc0\\xaf"},                               // overlong
      {"\xe0\x80\x80", "\\xe0\\x80\\x80"},
      {"\xf0\x80\x80\x80", "\\xf0\\x80\\x80\\x80"},
      {"\xed\xa0\x80", "\\xed\\xa0\\x80"},          // a surrogate
      {"\xf4\x90\x80\x80", "\\xf4\\x90\\x80\\x80"}, // above U+10FFFF
      {"\xf8\x88\x80\x80\x80", "\\xf8\\x88\\x80\\x80\\x80"},
      {"\xe6\x97", "\\xe6\\x97"},   // cut short
      {"\xe6\x97z", "\\xe6\\x97z"}, // cut short by an ordinary letter, which survives
      {"\xff\xfe", "\\xff\\xfe"},
  };
  for (const Row &row : rows) {
    CAPTURE(row.text);
    CHECK(inspect::escape(row.text) == row.escaped);
  }
}

TEST_CASE("escape of any two bytes prints no control byte") {
  for (unsigned first = 0; first < 256; ++first) {
    for (unsigned second = 0; second < 256; ++second) {
      const std::string escaped = inspect::escape(std::string{static_cast<char>(first), static_cast<char>(second)});
      for (const char character : escaped) {
        const auto byte = static_cast<unsigned char>(character);
        if (byte < 0x20 || byte == 0x7f)
          FAIL("control byte for " << first << " " << second);
      }
    }
  }
}
