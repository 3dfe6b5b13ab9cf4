// The expected texts are dlv's (PrettyExamineMemory in its service/api), without the blanks at the ends of lines.
#include "commands/values/memory_format.h"
#include "tests/support/catch.h"

#include <vector>

using namespace inspect;

namespace {

std::vector<std::byte> bytes(std::initializer_list<int> values) {
  std::vector<std::byte> result;
  for (const int value : values)
    result.push_back(static_cast<std::byte>(value));
  return result;
}

} // namespace

TEST_CASE("memory is printed as dlv prints it") {
  struct Row {
    std::uint64_t address;
    std::vector<std::byte> bytes;
    MemoryFormat format;
    std::size_t size;
    std::string expected;
  };
  const auto nine = bytes({1, 2, 3, 4, 5, 6, 7, 8, 255});
  const Row rows[] = {
      {0x7bf6c, bytes({0xe9, 0x9e, 0xff, 0x97}), MemoryFormat::hexadecimal, 4, "0x7bf6c:   0x97ff9ee9\n"},
      {0x10, bytes({0x0a}), MemoryFormat::hexadecimal, 1, "0x10:   0x0a\n"},
      {0x10, bytes({0x0a}), MemoryFormat::decimal, 1, "0x10:   010\n"},
      {0x10, bytes({0x0a}), MemoryFormat::octal, 1, "0x10:   0012\n"},
      {0x10, bytes({0x0a}), MemoryFormat::binary, 1, "0x10:   00001010\n"},
      {0x10, nine, MemoryFormat::hexadecimal, 1,
       "0x10:   0x01   0x02   0x03   0x04   0x05   0x06   0x07   0x08\n0x18:   0xff\n"},
      {0x10, nine, MemoryFormat::decimal, 1, "0x10:   001   002   003   004   005   006   007   008\n0x18:   255\n"},
      {0x10, nine, MemoryFormat::octal, 1,
       "0x10:   0001   0002   0003   0004   0005   0006   0007   0010\n0x18:   0377\n"},
      {0x10, nine, MemoryFormat::binary, 1,
       "0x10:   00000001   00000010   00000011   00000100\n0x14:   00000101   00000110   00000111   00001000\n"
       "0x18:   11111111\n"},
      // The bytes that fill no number are not shown; addresses are as wide as the end's.
      {0x10, nine, MemoryFormat::hexadecimal, 2, "0x10:   0x0201   0x0403   0x0605   0x0807\n"},
      {0xff8, bytes({1, 2, 3, 4, 5, 6, 7, 8}), MemoryFormat::hexadecimal, 8, "0x0ff8:   0x0807060504030201\n"},
      {0x10, bytes({255, 255, 255, 255, 255, 255, 255, 255}), MemoryFormat::decimal, 8,
       "0x10:   000018446744073709551615\n"},
      {0x10, bytes({255, 255, 255, 255, 255, 255, 255, 255}), MemoryFormat::octal, 8,
       "0x10:   0001777777777777777777777\n"},
      {0x10, bytes({1, 2, 3}), MemoryFormat::hexadecimal, 3, "0x10:   0x030201\n"},
      {0x10, {}, MemoryFormat::hexadecimal, 4, ""},
  };
  for (const Row &row : rows) {
    CAPTURE(row.expected);
    CHECK(format_memory(RunAddress{row.address}, row.bytes, row.format, row.size) == row.expected);
  }
}
