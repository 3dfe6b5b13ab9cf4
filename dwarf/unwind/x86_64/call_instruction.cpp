#include "dwarf/unwind/x86_64/call_instruction.h"

#include <cstdint>

namespace inspect::x86_64 {
namespace {

/// Bytes of `FF /2` with this ModRM byte and, where it has one, this SIB byte; 0: not a near call.
std::size_t indirect_call_size(std::uint8_t mod_rm, std::uint8_t sib) {
  const unsigned mod = mod_rm >> 6U;
  const unsigned operation = (mod_rm >> 3U) & 7U;
  const unsigned operand = mod_rm & 7U;
  if (operation != 2)
    return 0;
  if (mod == 3)
    return 2;
  const bool has_sib = operand == 4;
  const std::size_t size = has_sib ? 3 : 2;
  if (mod == 1)
    return size + 1;
  const bool no_base = mod == 0 && (operand == 5 || (has_sib && (sib & 7U) == 5)); // rip-relative, or absolute
  return mod == 2 || no_base ? size + 4 : size;
}

} // namespace

bool ends_with_call(std::span<const std::byte, max_call_length> before) {
  const auto at = [&](std::size_t from_end) {
    return std::to_integer<std::uint8_t>(before[max_call_length - from_end]);
  };
  if (at(5) == 0xe8)
    return true;
  for (std::size_t size = 2; size <= max_call_length; ++size) {
    if (at(size) == 0xff && indirect_call_size(at(size - 1), size > 2 ? at(size - 2) : 0) == size)
      return true;
  }
  return false;
}

} // namespace inspect::x86_64
