// Numbers and process ids as people type them.
#pragma once

#include "machine/error.h"
#include "machine/words.h"

#include <cstdint>
#include <optional>
#include <string_view>
#include <sys/types.h>

namespace inspect {

/// Decimal, 0x hex, 0b binary, 0o octal, with a minus in front. Nothing where it is none.
std::optional<std::uint64_t> parse_number(std::string_view text);

/// A decimal number above 0 and nothing else. usage, in a sentence that names `what` it should be.
Result<std::size_t> parse_positive(std::string_view text, std::string_view what);

/// The PID of a command line. usage where it is none, and then how to find one.
Result<pid_t> parse_process_id(std::string_view text);

} // namespace inspect
