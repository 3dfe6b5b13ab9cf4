// Types of the standard library that declarations name often, so that they need not be declared: which of them are
// interfaces, which are numbers, how the few structures passed by value are laid out.
//
// Source: the library's documentation; none of these has changed its layout from Go 1.9 to 1.26.
#pragma once

#include "golang/types/go_type.h"

#include <string_view>

namespace inspect {

/// "context.Context", "time.Duration", …; null where it is not known.
const GoType *known_library_type(std::string_view name, GoTypePool &pool);

} // namespace inspect
