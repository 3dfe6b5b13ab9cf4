// The [REGEX] of funcs and sources: POSIX extended regular expressions, as grep -E takes them.
#pragma once

#include "machine/error.h"

#include <functional>
#include <string>

namespace inspect {

/// Whether a name matches somewhere. An empty pattern matches all; usage for a pattern that is none.
Result<std::function<bool(const std::string &)>> name_filter(const std::string &pattern);

} // namespace inspect
