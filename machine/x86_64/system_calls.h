// The names of the kernel's system calls by number, for 64-bit x86 processes. The table is generated from the kernel's
// own header (tools/generate_system_calls.sh), which names the version it was made from.
#pragma once

#include <cstdint>
#include <string_view>

namespace inspect::x86_64 {

/// "futex" for 202; empty for a number the table's kernel version does not have.
std::string_view system_call_name(std::int64_t number);

} // namespace inspect::x86_64
