#include "machine/number_text.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <fmt/format.h>

namespace inspect {
namespace {

/// From here on one digit behind the point is worth its place: 0.1 GB is a hundred megabytes.
constexpr std::size_t unit_of_gigabytes = 3;

} // namespace

std::string with_thousands(std::uint64_t number) {
  std::string text = std::to_string(number);
  for (std::size_t at = text.size(); at > 3;) {
    at -= 3;
    text.insert(at, ",");
  }
  return text;
}

std::string counted(std::uint64_t number, std::string_view what) {
  return fmt::format("{} {}{}", with_thousands(number), what, number == 1 ? "" : "s");
}

std::string size_text(std::uint64_t bytes) {
  constexpr std::array<std::string_view, 7> units = {"B", "kB", "MB", "GB", "TB", "PB", "EB"};
  double value = static_cast<double>(bytes);
  std::size_t unit = 0;
  while (value >= 999.5 && unit + 1 < units.size()) {
    value /= 1024;
    ++unit;
  }
  const bool whole = value == std::floor(value) && unit < 2; // pages are a few whole kB
  const double places_below = unit >= unit_of_gigabytes ? 99.95 : 9.95;
  return !whole && value < places_below ? fmt::format("{:.1f} {}", value, units[unit])
                                        : fmt::format("{:.0f} {}", value, units[unit]);
}

std::string size_change_text(std::uint64_t before, std::uint64_t after) {
  if (before == after)
    return size_text(0);
  return after > before ? "+" + size_text(after - before) : "-" + size_text(before - after);
}

std::string human_size(std::uint64_t kilobytes) {
  constexpr std::string_view units = "KMGTPE";
  if (kilobytes == 0)
    return "0";
  double value = static_cast<double>(kilobytes);
  std::size_t unit = 0;
  while (value >= 999.5 && unit + 1 < units.size()) {
    value /= 1024;
    ++unit;
  }
  return value < 9.95 && unit > 0 ? fmt::format("{:.1f}{}", value, units[unit])
                                  : fmt::format("{:.0f}{}", value, units[unit]);
}

unsigned percent_of(std::uint64_t part, std::uint64_t whole) {
  if (whole == 0)
    return 0;
  const double percent = 100.0 * static_cast<double>(part) / static_cast<double>(whole);
  return static_cast<unsigned>(std::lround(std::min(percent, 1e9)));
}

std::string duration_text(std::uint64_t milliseconds) {
  if (milliseconds < 1000)
    return fmt::format("{} ms", milliseconds);
  const std::uint64_t seconds = milliseconds / 1000;
  if (seconds < 60)
    return milliseconds < 10'000 && milliseconds % 1000 >= 100
               ? fmt::format("{}.{} s", seconds, milliseconds % 1000 / 100)
               : fmt::format("{} s", seconds);
  const auto two = [](std::uint64_t large, std::string_view large_unit, std::uint64_t small,
                      std::string_view small_unit) {
    return small == 0 ? fmt::format("{} {}", large, large_unit)
                      : fmt::format("{} {} {} {}", large, large_unit, small, small_unit);
  };
  if (seconds < 3600)
    return two(seconds / 60, "min", seconds % 60, "s");
  if (seconds < 86'400)
    return two(seconds / 3600, "h", seconds % 3600 / 60, "min");
  const std::uint64_t days = seconds / 86'400;
  return two(days, days == 1 ? "day" : "days", seconds % 86'400 / 3600, "h");
}

std::string pause_text(std::uint64_t nanoseconds) {
  constexpr std::array<std::string_view, 4> units = {"ns", "µs", "ms", "s"};
  double value = static_cast<double>(nanoseconds);
  std::size_t unit = 0;
  while (value >= 999.5 && unit + 1 < units.size()) {
    value /= 1000;
    ++unit;
  }
  if (unit == 0 || value >= 99.95)
    return fmt::format("{:.0f} {}", value, units[unit]);
  return value >= 9.995 ? fmt::format("{:.1f} {}", value, units[unit]) : fmt::format("{:.2f} {}", value, units[unit]);
}

} // namespace inspect
