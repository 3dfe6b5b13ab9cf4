// What the arguments of each system call mean, as far as they tell something about a wait. Most calls are one line of a
// table of argument kinds; the odd ones have a function. To teach a call: add a line to the table in the .cpp.
// Sources: the man pages of section 2.
#pragma once

#include "inspector/syscalls/system_call_text.h"

#include <string_view>

namespace inspect {

/// Adds the arguments of the call of this name; false when it is none of those known here.
bool decode_system_call(std::string_view name, SystemCallText &call);

} // namespace inspect
