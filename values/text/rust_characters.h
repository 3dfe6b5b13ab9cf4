// Which characters Rust's {:?} writes as numbers besides those that cannot be seen.
//
// Source: Unicode, DerivedCoreProperties.txt and general category Zs; core::char::methods::escape_debug_ext.
#pragma once

#include <cstdint>

namespace inspect {

/// Combines with the one before it.
bool extends_grapheme(std::uint32_t code);
/// Blanks other than the usual one.
bool is_wide_blank(std::uint32_t code);

} // namespace inspect
