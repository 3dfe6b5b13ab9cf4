// Reads little-endian numbers, LEB128 and strings from bytes that may be truncated or lie. After the first read past
// the end `ok()` is false and every further read gives 0.
//
// Source: DWARF 5 section 7.6, "Variable Length Data".
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>

namespace inspect {

class ByteReader {
public:
  explicit ByteReader(std::span<const std::byte> bytes) : bytes_(bytes) {}

  bool ok() const { return ok_; }
  bool at_end() const { return !ok_ || position_ == bytes_.size(); }
  std::size_t position() const { return position_; }
  std::size_t left() const { return ok_ ? bytes_.size() - position_ : 0; }

  /// An unsigned number of 1 to 8 bytes.
  std::uint64_t number(std::size_t size) {
    std::uint64_t value = 0;
    if (const std::byte *from = take(size))
      std::memcpy(&value, from, size);
    return value;
  }
  std::uint8_t byte() { return static_cast<std::uint8_t>(number(1)); }

  std::uint64_t unsigned_leb() {
    std::uint64_t value = 0;
    for (unsigned shift = 0; ok_; shift += 7) {
      const std::uint8_t next = byte();
      if (shift < 64)
        value |= static_cast<std::uint64_t>(next & 0x7f) << shift;
      if ((next & 0x80) == 0)
        break;
    }
    return value;
  }

  std::int64_t signed_leb() {
    std::uint64_t value = 0;
    for (unsigned shift = 0; ok_;) {
      const std::uint8_t next = byte();
      if (shift < 64)
        value |= static_cast<std::uint64_t>(next & 0x7f) << shift;
      shift += 7;
      if ((next & 0x80) != 0)
        continue;
      if (shift < 64 && (next & 0x40) != 0)
        value |= ~std::uint64_t{0} << shift;
      break;
    }
    return static_cast<std::int64_t>(value);
  }

  /// Up to and without the NUL.
  std::string_view string() {
    const auto *begin = reinterpret_cast<const char *>(bytes_.data()) + position_;
    const void *end = left() > 0 ? std::memchr(begin, 0, left()) : nullptr;
    if (!end) {
      ok_ = false;
      return {};
    }
    const auto length = static_cast<std::size_t>(static_cast<const char *>(end) - begin);
    position_ += length + 1;
    return {begin, length};
  }

  /// The next `size` bytes as a reader of their own.
  ByteReader part(std::uint64_t size) {
    const std::byte *from = take(size);
    return ByteReader(from ? std::span(from, size) : std::span<const std::byte>{});
  }
  void skip(std::uint64_t size) { take(size); }

private:
  const std::byte *take(std::uint64_t size) {
    if (size > left()) {
      ok_ = false;
      return nullptr;
    }
    const std::byte *from = bytes_.data() + position_;
    position_ += size;
    return from;
  }

  std::span<const std::byte> bytes_;
  std::size_t position_ = 0;
  bool ok_ = true;
};

} // namespace inspect
