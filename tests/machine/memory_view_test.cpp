#include "machine/memory_view.h"

#include "tests/support/catch.h"

#include <algorithm>
#include <array>

namespace inspect {
namespace {

std::vector<std::byte> bytes_of(std::string_view text) {
  std::vector<std::byte> bytes(text.size());
  std::memcpy(bytes.data(), text.data(), text.size());
  return bytes;
}

TEST_CASE("a read may span adjoining ranges, and fails on a gap") {
  BufferMemory memory;
  memory.add(RunAddress{0x1004}, bytes_of("efgh"));
  memory.add(RunAddress{0x1000}, bytes_of("abcd"));
  memory.add(RunAddress{0x1010}, bytes_of("x"));
  CHECK(read_value<std::uint64_t>(memory, RunAddress{0x1000}).value() == 0x6867666564636261ULL);
  CHECK_FALSE(read_value<std::uint64_t>(memory, RunAddress{0x1001}).has_value());
  CHECK_FALSE(read_value<std::uint8_t>(memory, RunAddress{0xfff}).has_value());
  CHECK_FALSE(read_value<std::uint8_t>(memory, RunAddress{0x1008}).has_value());
}

TEST_CASE("a C string ends at its NUL, at the limit, or fails at unreadable memory") {
  BufferMemory memory;
  memory.add(RunAddress{0x1000}, bytes_of(std::string_view("short\0tail", 10)));
  CHECK_FALSE(read_c_string(memory, RunAddress{0x1006}, 100).has_value());
  memory.add(RunAddress{0x2000}, std::vector<std::byte>(4096, std::byte{'a'}));
  CHECK(read_c_string(memory, RunAddress{0x2000}, 100).value() == std::string(100, 'a'));
}

TEST_CASE("layers are asked in order, each for what those before it lack") {
  BufferMemory first;
  BufferMemory second;
  first.add(RunAddress{0x1000}, bytes_of("A"));
  second.add(RunAddress{0x1000}, bytes_of("bc"));
  const LayeredMemory both({&first, &second});
  CHECK(read_value<char>(both, RunAddress{0x1000}).value() == 'A');
  CHECK(read_value<char>(both, RunAddress{0x1001}).value() == 'c');
  std::array<std::byte, 1> a{}, b{}, c{};
  std::array<MemoryRead, 3> reads{{{RunAddress{0x1000}, a}, {RunAddress{0x1001}, b}, {RunAddress{0x1002}, c}}};
  both.read_many(reads);
  CHECK(reads[0].done);
  CHECK(reads[1].done);
  CHECK_FALSE(reads[2].done);
  CHECK(b[0] == std::byte{'c'});
}

TEST_CASE("many reads are tried in one layer after the other, and each keeps its own outcome") {
  BufferMemory first;
  BufferMemory second;
  first.add(RunAddress{0x1000}, bytes_of("AAAA"));
  second.add(RunAddress{0x2000}, bytes_of("BBBB"));
  const LayeredMemory both({&first, &second});
  std::array<std::array<std::byte, 4>, 5> into{};
  std::array<MemoryRead, 5> reads{{{RunAddress{0x3000}, into[0], true},
                                   {RunAddress{0x2000}, into[1]},
                                   {RunAddress{0x1000}, into[2]},
                                   {RunAddress{0x1002}, into[3]},
                                   {RunAddress{0x2000}, into[4]}}};
  both.read_many(reads);
  const std::array<bool, 5> expected{false, true, true, false, true};
  for (std::size_t i = 0; i < reads.size(); ++i)
    CHECK(reads[i].done == expected[i]);
  CHECK(into[1] == into[4]);
  CHECK(into[2][0] == std::byte{'A'});

  const LayeredMemory none({});
  none.read_many(reads);
  CHECK(std::ranges::none_of(reads, &MemoryRead::done));
  CHECK_FALSE(none.read(RunAddress{0x1000}, into[0]).has_value());
}

} // namespace
} // namespace inspect
