// Names from a target on their way to the terminal: what gets there is UTF-8 without control characters.
#include "commands/cli/output.h"
#include "tests/fuzz/fuzz_input.h"
#include "tests/fuzz/fuzz_target.h"

namespace inspect::test {
namespace {

/// The length of the well-formed sequence at the start of `text` (Unicode Standard, table 3-7); 0: there is none.
std::size_t well_formed_length(std::string_view text) {
  const auto byte = [&](std::size_t index) {
    return index < text.size() ? static_cast<unsigned char>(text[index]) : 0U;
  };
  const auto continues = [&](std::size_t index, unsigned low = 0x80, unsigned high = 0xbf) {
    return byte(index) >= low && byte(index) <= high;
  };
  const unsigned first = byte(0);
  if (first < 0x80)
    return 1;
  if (first >= 0xc2 && first <= 0xdf)
    return continues(1) ? 2 : 0;
  if (first >= 0xe0 && first <= 0xef)
    return continues(1, first == 0xe0 ? 0xa0 : 0x80, first == 0xed ? 0x9f : 0xbf) && continues(2) ? 3 : 0;
  if (first >= 0xf0 && first <= 0xf4)
    return continues(1, first == 0xf0 ? 0x90 : 0x80, first == 0xf4 ? 0x8f : 0xbf) && continues(2) && continues(3) ? 4
                                                                                                                  : 0;
  return 0;
}

bool run_escaper(std::span<const std::byte> input) {
  const std::string text(FuzzInput(input).rest());
  const std::string escaped = escape(text);
  for (std::string_view rest = escaped; !rest.empty();) {
    const std::size_t length = well_formed_length(rest);
    fuzz_check(length != 0, "escaped text is UTF-8");
    const auto first = static_cast<unsigned char>(rest[0]);
    fuzz_check(length > 1 || (first >= 0x20 && first != 0x7f), "escaped text has no control characters");
    const std::string_view character = rest.substr(0, length);
    fuzz_check(character < "\xc2\x80" || character > "\xc2\x9f", "escaped text has no C1 control characters");
    fuzz_check(character < "\xe2\x80\xa8" || character > "\xe2\x80\xae", "escaped text changes no line's direction");
    fuzz_check(character < "\xe2\x81\xa6" || character > "\xe2\x81\xa9", "escaped text isolates no direction");
    rest.remove_prefix(length);
  }
  fuzz_check(escape(escaped) == escaped, "what is escaped stays as it is");
  return true;
}

std::vector<std::string> escaper_seeds() {
  return {"main.(*Server).handle",
          "\x1b]0;title\a\x1b[31mred",
          "na\xc3\xafve \xe2\x82\xac \xf0\x9f\x98\x80",
          "\xe2\x80\xae"
          "drowssap\xe2\x81\xa6\xc2\x9b"
          "31m",
          "\xed\xa0\x80\xc0\x80\xf4\x90\x80\x80\xff",
          "a\tb\nc\rd\\x1b"};
}

const RegisteredFuzzTarget escaper_target{
    {.name = "escaper", .run = run_escaper, .seeds = escaper_seeds, .rounds = 2000, .max_size = 512}};

} // namespace
} // namespace inspect::test
