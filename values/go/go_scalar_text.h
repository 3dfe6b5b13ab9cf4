// Go's numbers, truth values and strings in the formats that `print` offers.
//
// Source: go.dev/pkg/fmt (the verbs); dlv prints integers of a type with constants as "Green (2)", "A|C (5)".
#pragma once

#include "values/value.h"
#include "values/value_environment.h"
#include "values/value_text.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace inspect {

/// Nothing where the type is no scalar; "(unreadable …)" where its bytes are not known.
std::optional<std::string> go_scalar_text(const GoType &type, const ValueSource &source,
                                          const ValueEnvironment &environment, const PrintOptions &options);
/// A string's bytes, of which `left_out` more are not there.
std::string go_string_text(std::string bytes, std::uint64_t left_out, const PrintOptions &options);
/// "(unreadable memory at 0x10 cannot be read)", as dlv has it.
std::string unreadable_text(std::string_view why);

} // namespace inspect
