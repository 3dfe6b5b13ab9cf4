// Numbers and text as Go's fmt prints them with %v and %q, and in the other formats that `print` offers.
//
// Source: strconv/ftoa.go, quote.go, time/time.go (Duration.String), go.dev/pkg/fmt (the verbs) for the forms.
#pragma once

#include "golang/types/go_type.h"
#include "machine/print_options.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace inspect {

/// Whether go_scalar_text writes values of this kind: numbers, complex ones too, and truth values.
bool is_go_scalar(GoKind kind);
/// Of a scalar's bits, zero-extended; `imaginary` are those of the second half of a complex number.
std::string go_scalar_text(const GoType &type, std::uint64_t bits, std::uint64_t imaginary,
                           const PrintOptions &options);
/// Of an integer's bits, zero-extended.
std::int64_t go_sign_extended(GoKind kind, std::uint64_t bits);
/// A string's bytes, of which `left_out` more are not there: "text", "te...+2 more".
std::string go_string_text(std::string bytes, std::uint64_t left_out, const PrintOptions &options);

/// "3.14", "1e+21", "NaN", "+Inf": the fewest digits that give the same number back.
std::string go_float_text(double value);
std::string go_float_text(float value);
/// In double quotes; what is not printable text as \n, \x1b, \u202e.
std::string go_quoted(std::string_view text);
/// Whether go_quoted would escape nothing but tabs and line ends.
bool reads_as_text(std::string_view text);
/// Takes off the first bytes of a character at the end of a text that was truncated.
void drop_truncated_character(std::string &text);
/// "1h2m3.5s", "150ms", "0s".
std::string go_duration_text(std::int64_t nanoseconds);
struct GoTime {
  std::int64_t seconds = 0; ///< since 1 January of the year 1 in UTC
  std::uint32_t nanoseconds = 0;
  std::optional<std::int64_t> monotonic; ///< nanoseconds since the process began
};
/// Of the first two words of a time.Time, wall and ext; nothing where they are none.
std::optional<GoTime> go_time(std::uint64_t wall, std::int64_t extra);
/// As dlv has it, RFC 3339 in UTC and the monotonic clock's reading: "2026-11-21T09:30:00Z, +5000000"; with a fraction
/// of the second where that is wanted.
/// In UTC, or so many seconds east of it: "+02:30" then stands for "Z".
std::string go_time_text(const GoTime &time, bool with_fraction, std::int64_t seconds_east = 0);

struct GoCharacter {
  std::uint32_t value = 0;
  std::size_t bytes = 0;
};
/// The one that the text, which is not empty, begins with; nothing where that is no UTF-8.
std::optional<GoCharacter> go_character_at(std::string_view text);
/// In UTF-8; of what is not a character, U+FFFD.
std::string go_character(std::uint64_t code);

} // namespace inspect
