#include "commands/values/memory_format.h"

#include <cstdint>
#include <fmt/format.h>

namespace inspect {
namespace {

std::uint64_t little_endian(std::span<const std::byte> bytes) {
  std::uint64_t value = 0;
  for (std::size_t at = bytes.size(); at-- > 0;)
    value = value << 8U | std::to_integer<std::uint64_t>(bytes[at]);
  return value;
}

std::string number(std::uint64_t value, MemoryFormat format, std::size_t size) {
  switch (format) {
  case MemoryFormat::hexadecimal:
    return fmt::format("0x{:0{}x}", value, size * 2);
  case MemoryFormat::decimal:
    return fmt::format("{:0{}}", value, size * 3);
  case MemoryFormat::octal:
    return fmt::format("0{:0{}o}", value, size * 3);
  case MemoryFormat::binary:
    return fmt::format("{:0{}b}", value, size * 8);
  }
  return {};
}

} // namespace

std::string format_memory(RunAddress address, std::span<const std::byte> bytes, MemoryFormat format, std::size_t size) {
  const std::size_t per_row = (format == MemoryFormat::binary ? 4 : 8) * size;
  const std::size_t address_width = fmt::format("{:x}", (address + bytes.size()).value).size();
  std::string text;
  for (std::size_t row = 0; row + size <= bytes.size(); row += per_row) {
    text += fmt::format("0x{:0{}x}:", (address + row).value, address_width);
    for (std::size_t at = row; at < row + per_row && at + size <= bytes.size(); at += size)
      text += fmt::format("   {}", number(little_endian(bytes.subspan(at, size)), format, size));
    text += '\n';
  }
  return text;
}

} // namespace inspect
