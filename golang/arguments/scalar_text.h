// Numbers and text as Go's fmt prints them with %v and %q.
//
// Source: strconv/ftoa.go, quote.go, time/time.go (Duration.String) for the forms.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace inspect {

/// "3.14", "1e+21", "NaN", "+Inf": the fewest digits that give the same number back.
std::string go_float_text(double value);
std::string go_float_text(float value);
/// In double quotes; what is not printable text as \n, \x1b, \u202e.
std::string go_quoted(std::string_view text);
/// Whether go_quoted would escape nothing but tabs and line ends.
bool reads_as_text(std::string_view text);
/// Takes off the first bytes of a character at the end of a text that was cut.
void drop_cut_character(std::string &text);
/// "1h2m3.5s", "150ms", "0s".
std::string go_duration_text(std::int64_t nanoseconds);
/// Seconds since 1 January of the year 1 in UTC: "2026-11-21 09:30:00.5 +0000 UTC".
std::string go_time_text(std::int64_t seconds, std::uint32_t nanoseconds);

struct GoTime {
  std::int64_t seconds = 0; ///< since 1 January of the year 1 in UTC
  std::uint32_t nanoseconds = 0;
  std::optional<std::int64_t> monotonic; ///< nanoseconds since the process began
};
/// Of the first two words of a time.Time, wall and ext; nothing where they are none.
std::optional<GoTime> go_time(std::uint64_t wall, std::int64_t extra);

/// In UTF-8; of what is no character, U+FFFD.
std::string go_character(std::uint64_t code);

} // namespace inspect
