// Writes protocol buffer messages: as much of the encoding as a profile needs.
//
//     ProtobufMessage label;
//     label.number(1, key);
//     sample.message(3, label);
//
// Source: protobuf.dev, "Encoding". A library for it would be one more package to install for these lines.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace inspect {

class ProtobufMessage {
public:
  /// int64, uint64, bool. Zero is the default and is not written.
  void number(std::uint32_t field, std::uint64_t value) {
    if (value == 0)
      return;
    varint(field << 3U); // wire type 0: varint
    varint(value);
  }
  /// Also where it is empty: an element of a repeated field counts.
  void text(std::uint32_t field, std::string_view value) {
    varint(field << 3U | 2U); // wire type 2: length-delimited
    varint(value.size());
    bytes_ += value;
  }
  void message(std::uint32_t field, const ProtobufMessage &value) { text(field, value.bytes_); }
  void packed(std::uint32_t field, std::span<const std::uint64_t> values) {
    ProtobufMessage all;
    for (const std::uint64_t value : values)
      all.varint(value);
    if (!values.empty())
      text(field, all.bytes_);
  }
  const std::string &bytes() const { return bytes_; }

private:
  void varint(std::uint64_t value) {
    for (; value >= 0x80; value >>= 7U)
      bytes_ += static_cast<char>((value & 0x7fU) | 0x80U);
    bytes_ += static_cast<char>(value);
  }

  std::string bytes_;
};

} // namespace inspect
