// The words after `set`: what is written where, and how many bytes. Understood are
//
//     -size 4 0x7bf6c = 5        0x7bf6c:4 = 5          as this program has it
//     *(*uint32)(0x7bf6c) = 5                           as dlv has it
//     {int}0x7bf6c = 5           *(int*)0x7bf6c = 5     as gdb has it
#pragma once

#include "machine/error.h"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace inspect {

struct Assignment {
  std::string address;  ///< an expression
  std::string value;    ///< an expression
  std::size_t size = 0; ///< bytes; 0: not said
};

Result<Assignment> parse_assignment(std::string_view text);

/// The low `size` bytes of a value; usage when it needs more. -1 fits every size.
Result<std::vector<std::byte>> bytes_of(std::uint64_t value, std::size_t size);

} // namespace inspect
