// std::chrono and std::complex: numbers with a meaning.
#include "values/printers/library_parts.h"

#include "values/printers/library_type_name.h"

#include <array>
#include <charconv>
#include <chrono>
#include <cstring>
#include <fmt/format.h>

namespace inspect {
namespace {

struct Period {
  std::int64_t numerator = 1;
  std::int64_t denominator = 1;
  friend bool operator==(const Period &, const Period &) = default;
};

/// std::ratio<1, 1000>: its arguments, or where the compiler left them out of an unused type, its name.
std::optional<Period> period_of(const LibraryObject &duration) {
  const auto ratio = duration.type_argument(1);
  if (!ratio)
    return std::nullopt;
  const LibraryObject object = duration.as(*ratio);
  const auto numerator = object.value_argument(0);
  const auto denominator = object.value_argument(1);
  if (numerator && denominator && *denominator > 0 && *numerator > 0)
    return Period{*numerator, *denominator};
  const auto written = arguments_in_name(object.type().name, "ratio");
  Period period;
  const auto parse = [](const std::string &text, std::int64_t &into) {
    return std::from_chars(text.data(), text.data() + text.size(), into).ec == std::errc() && into > 0;
  };
  return written.size() == 2 && parse(written[0], period.numerator) && parse(written[1], period.denominator)
             ? std::optional(period)
             : std::nullopt;
}

/// The suffixes of [time.duration.io].
std::string unit_name(const Period &period) {
  static constexpr std::pair<Period, std::string_view> known[] = {{{1, 1'000'000'000'000}, "ps"},
                                                                  {{1, 1'000'000'000}, "ns"},
                                                                  {{1, 1'000'000}, "us"},
                                                                  {{1, 1000}, "ms"},
                                                                  {{1, 100}, "cs"},
                                                                  {{1, 10}, "ds"},
                                                                  {{1, 1}, "s"},
                                                                  {{60, 1}, "min"},
                                                                  {{3600, 1}, "h"},
                                                                  {{86'400, 1}, "d"}};
  for (const auto &[one, name] : known)
    if (one == period)
      return std::string(name);
  return period.denominator == 1 ? fmt::format("[{}]s", period.numerator)
                                 : fmt::format("[{}/{}]s", period.numerator, period.denominator);
}

std::optional<std::string> floating_text(const LibraryObject &number) {
  std::array<std::byte, 16> bytes = {};
  const auto size = number.size();
  const DwarfType &type = number.type();
  if (type.kind != DwarfTypeKind::base || !size ||
      !number.source().read(0, std::span(bytes).first(std::min<std::size_t>(*size, 16))))
    return std::nullopt;
  const auto as = [&]<typename Number>(Number real) {
    std::memcpy(&real, bytes.data(), sizeof real);
    return fmt::format("{}", real);
  };
  if (*size == sizeof(float))
    return as(float());
  if (*size == sizeof(double))
    return as(double());
  if (*size == sizeof(long double)) {
    long double real = 0;
    std::memcpy(&real, bytes.data(), 10); // of an x87 number; what follows is padding
    return fmt::format("{}", real);
  }
  return std::nullopt;
}

std::optional<std::string> count_text(const LibraryObject &count) {
  if (count.type().encoding == TypeEncoding::floating)
    return floating_text(count);
  const auto number = count.signed_number();
  return number ? std::optional(fmt::format("{}", *number)) : std::nullopt;
}

/// How many digits of a second a period of 1/10^n has.
std::optional<int> decimal_digits(const Period &period) {
  if (period.denominator == 1)
    return 0;
  int digits = 0;
  std::int64_t rest = period.denominator;
  for (; rest % 10 == 0; rest /= 10)
    ++digits;
  return period.numerator == 1 && rest == 1 ? std::optional(digits) : std::nullopt;
}

std::optional<std::string> calendar_text(std::int64_t count, const Period &period) {
  const auto digits = decimal_digits(period);
  std::int64_t scaled = 0;
  if (!digits || __builtin_mul_overflow(count, period.numerator, &scaled))
    return std::nullopt;
  std::int64_t seconds = scaled / period.denominator;
  std::int64_t fraction = scaled % period.denominator;
  if (fraction < 0) {
    fraction += period.denominator;
    --seconds;
  }
  // The years 1 to 9999.
  if (seconds < -62'135'596'800 || seconds >= 253'402'300'800)
    return std::nullopt;
  const std::chrono::sys_seconds moment{std::chrono::seconds(seconds)};
  const auto day = std::chrono::floor<std::chrono::days>(moment);
  const std::chrono::year_month_day date(day);
  const auto second = static_cast<int>((moment - day).count());
  std::string text = fmt::format("{:04}-{:02}-{:02} {:02}:{:02}:{:02}", static_cast<int>(date.year()),
                                 static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()), second / 3600,
                                 second / 60 % 60, second % 60);
  if (*digits > 0)
    text += fmt::format(".{:0{}}", fraction, *digits);
  return text + " UTC";
}

} // namespace

std::optional<std::string> duration_text(const LibraryObject &duration, const LibraryObject &count) {
  const auto period = period_of(duration);
  const auto text = count_text(count);
  return period && text ? std::optional(*text + unit_name(*period)) : std::nullopt;
}

std::optional<std::string> time_text(const LibraryObject &time_point, const LibraryObject &count,
                                     const LibraryObject &duration) {
  const auto clock = time_point.type_argument(0);
  const auto period = period_of(duration);
  const auto elapsed = duration_text(duration, count);
  if (!clock || !period || !elapsed)
    return std::nullopt;
  const std::string name = short_type_name(time_point.environment().types, *clock);
  if (name == "std::chrono::system_clock" && count.type().encoding != TypeEncoding::floating)
    if (const auto number = count.signed_number())
      if (const auto date = calendar_text(*number, *period))
        return date;
  return fmt::format("{} of {}", *elapsed, name);
}

std::optional<LibraryView> complex_view(const LibraryObject &real, const LibraryObject &imaginary) {
  const auto first = floating_text(real);
  const auto second = floating_text(imaginary);
  return first && second ? std::optional(plain_view(fmt::format("{} + {}i", *first, *second))) : std::nullopt;
}

} // namespace inspect
