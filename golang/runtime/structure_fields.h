// The fields of one of the runtime's structures, of which the bytes were copied, by the offsets that a layout table has
// for the version. A field that the version does not have (offset -1), or that lies outside the bytes, is zero.
//
//     const StructureFields span(bytes);
//     const auto pages = span.value<std::uint64_t>(layout.span.pages);
#pragma once

#include "machine/address.h"

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>

namespace inspect {

class StructureFields {
public:
  /// The bytes must outlive the object.
  explicit StructureFields(std::span<const std::byte> bytes) : bytes_(bytes) {}

  template <typename T> T value(std::int32_t offset) const {
    T value{};
    if (offset >= 0 && static_cast<std::size_t>(offset) + sizeof value <= bytes_.size())
      std::memcpy(&value, bytes_.data() + offset, sizeof value);
    return value;
  }
  std::uint64_t word(std::int32_t offset) const { return value<std::uint64_t>(offset); }
  RunAddress address(std::int32_t offset) const { return {word(offset)}; }

private:
  std::span<const std::byte> bytes_;
};

} // namespace inspect
