#include "golang/values/time_location.h"

#include <cstdlib>

namespace inspect {
namespace {

// time.Location: name string, zone []zone, tx []zoneTrans, extend string, cacheStart, cacheEnd int64, cacheZone *zone.
constexpr std::uint64_t zones_at = 16;
constexpr std::uint64_t changes_at = 40;
constexpr std::uint64_t rule_length_at = 72;
constexpr std::uint64_t cache_start_at = 80;
constexpr std::uint64_t cache_end_at = 88;
constexpr std::uint64_t cached_zone_at = 96;
// zone: name string, offset int, isDST bool. zoneTrans: when int64, index uint8, isstd, isutc bool.
constexpr std::uint64_t zone_size = 32;
constexpr std::uint64_t offset_at = 16;
constexpr std::uint64_t daylight_saving_at = 24;
constexpr std::uint64_t change_size = 16;
constexpr std::uint64_t max_zones = 256;
constexpr std::uint64_t max_changes = 100'000;
/// No place is further from UTC.
constexpr std::int64_t max_offset = 26 * 3600;
/// From the year 1 to 1970, of which the table counts.
constexpr std::int64_t unix_epoch = 62'135'596'800;

class ZoneTable {
public:
  ZoneTable(RunAddress location, const MemoryView &memory) : location_(location), memory_(memory) {}

  std::optional<std::int64_t> at(std::int64_t moment) const {
    const auto cached = word(cached_zone_at);
    const auto start = word(cache_start_at);
    const auto end = word(cache_end_at);
    if (cached && *cached != 0 && start && end && static_cast<std::int64_t>(*start) <= moment &&
        moment < static_cast<std::int64_t>(*end))
      return offset_of(RunAddress{*cached});
    const auto changes = word(changes_at);
    const auto count = word(changes_at + 8);
    const auto rule = word(rule_length_at);
    if (!changes || !count || !rule || *count > max_changes)
      return std::nullopt;
    std::uint64_t low = 0; // changes before it are not later than the moment
    for (std::uint64_t high = *count; low < high;) {
      const std::uint64_t middle = low + (high - low) / 2;
      const auto when = read_word(memory_, RunAddress{*changes} + middle * change_size);
      if (!when)
        return std::nullopt;
      if (static_cast<std::int64_t>(*when) <= moment)
        low = middle + 1;
      else
        high = middle;
    }
    if (low == 0)
      return before_all();
    if (low == *count && *rule != 0) // what holds from here on the rule alone says
      return std::nullopt;
    const auto index = read_value<std::uint8_t>(memory_, RunAddress{*changes} + (low - 1) * change_size + 8);
    return index ? zone(*index) : std::nullopt;
  }

private:
  std::optional<std::uint64_t> word(std::uint64_t offset) const {
    const auto found = read_word(memory_, location_ + offset);
    return found ? std::optional(*found) : std::nullopt;
  }

  std::optional<std::int64_t> offset_of(RunAddress zone) const {
    const auto offset = read_word(memory_, zone + offset_at);
    if (!offset || std::abs(static_cast<std::int64_t>(*offset)) > max_offset)
      return std::nullopt;
    return static_cast<std::int64_t>(*offset);
  }

  std::optional<std::int64_t> zone(std::uint64_t index) const {
    const auto zones = word(zones_at);
    const auto count = word(zones_at + 8);
    if (!zones || !count || *count > max_zones || index >= *count)
      return std::nullopt;
    return offset_of(RunAddress{*zones} + index * zone_size);
  }

  /// Location.lookupFirstZone: the first that is not daylight saving time.
  std::optional<std::int64_t> before_all() const {
    const auto zones = word(zones_at);
    const auto count = word(zones_at + 8);
    if (!zones || !count || *count == 0 || *count > max_zones)
      return std::nullopt;
    for (std::uint64_t index = 0; index < *count; ++index) {
      const auto saves = read_value<std::uint8_t>(memory_, RunAddress{*zones} + index * zone_size + daylight_saving_at);
      if (saves && *saves == 0)
        return zone(index);
    }
    return zone(0);
  }

  RunAddress location_;
  const MemoryView &memory_;
};

} // namespace

std::optional<std::int64_t> seconds_east(RunAddress location, std::int64_t seconds, const MemoryView &memory) {
  if (location.value == 0)
    return std::nullopt;
  return ZoneTable(location, memory).at(seconds - unix_epoch);
}

} // namespace inspect
