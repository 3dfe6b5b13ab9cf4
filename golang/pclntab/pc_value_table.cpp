#include "golang/pclntab/pc_value_table.h"

#include <algorithm>

namespace inspect {
namespace {

// A stretch is at least one byte of code, so that no function has more; it bounds what a damaged table costs.
constexpr std::uint64_t max_stretches = 1 << 22;

std::optional<std::uint32_t> varint(std::span<const std::byte> bytes, std::size_t &at) {
  std::uint32_t value = 0;
  for (unsigned shift = 0; shift < 35 && at < bytes.size(); shift += 7) {
    const auto next = std::to_integer<std::uint32_t>(bytes[at++]);
    value |= (next & 0x7f) << shift;
    if ((next & 0x80) == 0)
      return value;
  }
  return std::nullopt;
}

} // namespace

std::optional<std::int32_t> pc_value(std::span<const std::byte> bytes, std::uint64_t offset) {
  // Unsigned, so that hostile deltas wrap as they do in the runtime.
  auto value = static_cast<std::uint32_t>(-1);
  std::uint64_t end = 0;
  std::size_t at = 0;
  for (std::uint64_t stretch = 0; stretch < max_stretches; ++stretch) {
    const auto value_delta = varint(bytes, at);
    if (!value_delta || (*value_delta == 0 && end != 0))
      return std::nullopt;
    const auto pc_delta = varint(bytes, at);
    if (!pc_delta)
      return std::nullopt;
    value += (*value_delta & 1) != 0 ? ~(*value_delta >> 1) : *value_delta >> 1;
    end += *pc_delta;
    if (offset < end)
      return static_cast<std::int32_t>(value);
  }
  return std::nullopt;
}

} // namespace inspect
