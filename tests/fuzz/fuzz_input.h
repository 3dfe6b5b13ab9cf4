// An input of a fuzz target taken apart into numbers and parts. Whatever the bytes are, it can be done: what is missing
// is 0 or empty, and a length is at most what is left. A part has its length in front of it, so that a fuzzer can
// change one without moving the others.
//
//     FuzzInput input(bytes);                      // seeds: FuzzSeed().u8(2).part(table).raw(text).text()
//     const std::uint64_t choice = input.number(1);
//     const std::string_view table = input.part(), text = input.rest();
#pragma once

#include "tests/support/elf_writer.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace inspect::test {

class FuzzInput {
public:
  explicit FuzzInput(std::span<const std::byte> bytes)
      : rest_(reinterpret_cast<const char *>(bytes.data()), bytes.size()) {}
  explicit FuzzInput(std::string_view bytes) : rest_(bytes) {}

  bool empty() const { return rest_.empty(); }
  /// Little-endian, of `size` bytes, at most 8.
  std::uint64_t number(std::size_t size) {
    std::uint64_t value = 0;
    const std::string_view bytes = take(size);
    std::memcpy(&value, bytes.data(), bytes.size());
    return value;
  }
  /// A length of 4 bytes, and as many bytes.
  std::string_view part() { return take(number(4)); }
  std::string_view rest() { return take(rest_.size()); }

private:
  std::string_view take(std::size_t size) {
    const std::string_view taken = rest_.substr(0, size);
    rest_.remove_prefix(taken.size());
    return taken;
  }
  std::string_view rest_;
};

/// Writes what FuzzInput reads.
class FuzzSeed {
public:
  FuzzSeed &number(std::uint64_t value, std::size_t size) {
    bytes_.number(value, size);
    return *this;
  }
  FuzzSeed &part(std::string_view bytes) {
    bytes_.u32(bytes.size()).raw(bytes);
    return *this;
  }
  FuzzSeed &raw(std::string_view bytes) {
    bytes_.raw(bytes);
    return *this;
  }
  const std::string &text() const { return bytes_.text(); }

private:
  ByteWriter bytes_;
};

inline std::vector<std::byte> as_byte_vector(std::string_view text) {
  const auto bytes = std::as_bytes(std::span(text));
  return {bytes.begin(), bytes.end()};
}

} // namespace inspect::test
