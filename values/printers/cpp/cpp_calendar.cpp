// std::chrono's calendar: days, months, years and what is made of them, and times of the day, as std::format has them.
//
// Sources: libstdc++-v3 of GCC 12 and libc++ 14 to 20, std/chrono; [time.cal], [time.hms] and their operator<<.
#include "values/printers/cpp/cpp_parts.h"

#include <array>
#include <fmt/format.h>

namespace inspect {
namespace {

using View = std::optional<LibraryView>;
using Text = std::optional<std::string>;

constexpr std::array<std::string_view, 12> months = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                     "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
constexpr std::array<std::string_view, 8> weekdays = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"};

std::optional<std::int64_t> number_in(const std::optional<LibraryObject> &object,
                                      std::initializer_list<std::string_view> names) {
  const auto held = object ? object->member(names) : std::nullopt;
  return held ? held->signed_number() : std::nullopt;
}

Text day_text(const std::optional<LibraryObject> &day) {
  const auto number = number_in(day, {"_M_d", "__d_", "__d"});
  if (!number)
    return std::nullopt;
  const auto value = static_cast<std::uint8_t>(*number);
  return fmt::format("{:02}{}", value, value >= 1 && value <= 31 ? "" : " is not a valid day");
}

Text month_text(const std::optional<LibraryObject> &month) {
  const auto number = number_in(month, {"_M_m", "__m_", "__m"});
  if (!number)
    return std::nullopt;
  const auto value = static_cast<std::uint8_t>(*number);
  return value >= 1 && value <= months.size() ? std::string(months[value - 1U])
                                              : fmt::format("{} is not a valid month", value);
}

Text year_text(const std::optional<LibraryObject> &year) {
  const auto number = number_in(year, {"_M_y", "__y_", "__y"});
  if (!number)
    return std::nullopt;
  if (*number == INT16_MIN)
    return fmt::format("{} is not a valid year", *number);
  return *number < 0 ? fmt::format("-{:04}", -*number) : fmt::format("{:04}", *number);
}

Text weekday_text(const std::optional<LibraryObject> &weekday) {
  const auto number = number_in(weekday, {"_M_wd", "__wd_", "__wd"});
  if (!number)
    return std::nullopt;
  const auto value = static_cast<std::uint8_t>(*number);
  return value < weekdays.size() ? std::string(weekdays[value]) : fmt::format("{} is not a valid weekday", value);
}

/// Those that are made of others have them as members of their own types.
std::optional<LibraryObject> day_of(const LibraryObject &whole) {
  return whole.member({"_M_d", "__d_", "__d"});
}
std::optional<LibraryObject> month_of(const LibraryObject &whole) {
  return whole.member({"_M_m", "__m_", "__m"});
}
std::optional<LibraryObject> year_of(const LibraryObject &whole) {
  return whole.member({"_M_y", "__y_", "__y"});
}
std::optional<LibraryObject> weekday_of(const LibraryObject &whole) {
  return whole.member({"_M_wd", "__wd_", "__wd"});
}

Text weekday_indexed_text(const std::optional<LibraryObject> &indexed) {
  const auto weekday = indexed ? weekday_text(weekday_of(*indexed)) : std::nullopt;
  const auto index = number_in(indexed, {"_M_index", "__idx_", "__idx"});
  return weekday && index ? std::optional(fmt::format("{}[{}]", *weekday, *index)) : std::nullopt;
}

Text weekday_last_text(const std::optional<LibraryObject> &last) {
  const auto weekday = last ? weekday_text(weekday_of(*last)) : std::nullopt;
  return weekday ? std::optional(*weekday + "[last]") : std::nullopt;
}

Text month_of_last_text(const std::optional<LibraryObject> &month_day_last) {
  return month_day_last ? month_text(month_of(*month_day_last)) : std::nullopt;
}

std::optional<LibraryObject> indexed_of(const LibraryObject &whole) {
  return whole.member({"_M_wdi", "__wdi_", "__wdi"});
}
std::optional<LibraryObject> last_of(const LibraryObject &whole) {
  return whole.member({"_M_wdl", "__wdl_", "__wdl"});
}

View in_order(std::initializer_list<Text> parts, std::string_view between) {
  std::string text;
  for (const Text &part : parts) {
    if (!part)
      return std::nullopt;
    text += (text.empty() ? "" : std::string(between)) + *part;
  }
  return plain_view(text);
}

template <Text (*text_of)(const std::optional<LibraryObject> &)>
View alone(const Value &value, ChildRange, ValueEnvironment &environment) {
  return in_order({text_of(LibraryObject(value, environment))}, "");
}

View month_day(const Value &value, ChildRange, ValueEnvironment &environment) {
  const LibraryObject whole(value, environment);
  return in_order({month_text(month_of(whole)), day_text(day_of(whole))}, "/");
}

View month_day_last(const Value &value, ChildRange, ValueEnvironment &environment) {
  return in_order({month_of_last_text(LibraryObject(value, environment)), "last"}, "/");
}

View month_weekday(const Value &value, ChildRange, ValueEnvironment &environment) {
  const LibraryObject whole(value, environment);
  return in_order({month_text(month_of(whole)), weekday_indexed_text(indexed_of(whole))}, "/");
}

View month_weekday_last(const Value &value, ChildRange, ValueEnvironment &environment) {
  const LibraryObject whole(value, environment);
  return in_order({month_text(month_of(whole)), weekday_last_text(last_of(whole))}, "/");
}

View year_month(const Value &value, ChildRange, ValueEnvironment &environment) {
  const LibraryObject whole(value, environment);
  return in_order({year_text(year_of(whole)), month_text(month_of(whole))}, "/");
}

/// 2024-02-29
View year_month_day(const Value &value, ChildRange, ValueEnvironment &environment) {
  const LibraryObject whole(value, environment);
  const auto month = number_in(month_of(whole), {"_M_m", "__m_", "__m"});
  if (!month)
    return std::nullopt;
  return in_order(
      {year_text(year_of(whole)), fmt::format("{:02}", static_cast<std::uint8_t>(*month)), day_text(day_of(whole))},
      "-");
}

View year_month_day_last(const Value &value, ChildRange, ValueEnvironment &environment) {
  const LibraryObject whole(value, environment);
  return in_order({year_text(year_of(whole)), month_of_last_text(whole.member({"_M_mdl", "__mdl_", "__mdl"})), "last"},
                  "/");
}

View year_month_weekday(const Value &value, ChildRange, ValueEnvironment &environment) {
  const LibraryObject whole(value, environment);
  return in_order({year_text(year_of(whole)), month_text(month_of(whole)), weekday_indexed_text(indexed_of(whole))},
                  "/");
}

View year_month_weekday_last(const Value &value, ChildRange, ValueEnvironment &environment) {
  const LibraryObject whole(value, environment);
  return in_order({year_text(year_of(whole)), month_text(month_of(whole)), weekday_last_text(last_of(whole))}, "/");
}

/// -01:02:03.089: the parts are durations, of which the last has as many digits as its template says.
View time_of_day(const Value &value, ChildRange, ValueEnvironment &environment) {
  const LibraryObject time(value, environment);
  const auto count = [&](std::initializer_list<std::string_view> names) {
    return number_in(time.member(names), {"__r", "__rep_"});
  };
  const auto negative = time.number({"_M_is_neg", "__is_neg_", "__is_neg"});
  const auto hours = count({"_M_h", "__h_", "__h"});
  const auto minutes = count({"_M_m", "__m_", "__m"});
  const auto seconds = count({"_M_s", "__s_", "__s"});
  if (!negative || !hours || !minutes || !seconds)
    return std::nullopt;
  std::string text = fmt::format("{}{:02}:{:02}:{:02}", *negative != 0 ? "-" : "", *hours, *minutes, *seconds);
  // 1/1000 of a second; where the unit is a whole one or none in tens, there is nothing behind the seconds.
  const auto fraction = time.member({"_M_ss", "__f_", "__f"});
  const auto duration = fraction && fraction->type().name.starts_with("__subseconds")
                            ? fraction->type_argument(0) // GCC 13
                            : std::nullopt;
  const auto period = !fraction  ? std::nullopt
                      : duration ? fraction->as(*duration).type_argument(1)
                                 : fraction->type_argument(1);
  const auto parts = period ? fraction->as(*period).value_argument(1) : std::nullopt;
  const auto number = number_in(fraction, {"__r", "__rep_", "_M_r"});
  int digits = 0;
  for (std::int64_t rest = parts.value_or(1); rest > 1 && rest % 10 == 0; rest /= 10)
    ++digits;
  if (digits > 0 && number)
    text += fmt::format(".{:0{}}", *number, digits);
  return plain_view(text);
}

} // namespace

std::span<const LibraryType> cpp_calendar_types() {
  static constexpr LibraryType types[] = {
      {"std::chrono::day", alone<day_text>},
      {"std::chrono::month", alone<month_text>},
      {"std::chrono::year", alone<year_text>},
      {"std::chrono::weekday", alone<weekday_text>},
      {"std::chrono::weekday_indexed", alone<weekday_indexed_text>},
      {"std::chrono::weekday_last", alone<weekday_last_text>},
      {"std::chrono::month_day", month_day},
      {"std::chrono::month_day_last", month_day_last},
      {"std::chrono::month_weekday", month_weekday},
      {"std::chrono::month_weekday_last", month_weekday_last},
      {"std::chrono::year_month", year_month},
      {"std::chrono::year_month_day", year_month_day},
      {"std::chrono::year_month_day_last", year_month_day_last},
      {"std::chrono::year_month_weekday", year_month_weekday},
      {"std::chrono::year_month_weekday_last", year_month_weekday_last},
      {"std::chrono::hh_mm_ss", time_of_day},
  };
  return types;
}

} // namespace inspect
