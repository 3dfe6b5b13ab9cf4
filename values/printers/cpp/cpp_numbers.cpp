// std::chrono and std::complex: numbers with a meaning.
//
// Sources: libstdc++-v3 of GCC 12 and libc++ 14 to 20, std/chrono, std/complex.
#include "values/native/native_numbers.h"
#include "values/printers/cpp/cpp_parts.h"
#include "values/printers/library_type_name.h"

#include <array>
#include <charconv>
#include <chrono>
#include <fmt/format.h>

namespace inspect {
namespace {

using View = std::optional<LibraryView>;

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
  const auto written = template_arguments_in(object.type().name, "ratio");
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

/// The shortest that is this number.
std::optional<std::string> floating_text(const LibraryObject &number) {
  std::array<std::byte, 16> bytes = {};
  const auto size = number.size();
  if (number.type().kind != DwarfTypeKind::base || !size || *size > bytes.size() || *size < sizeof(float))
    return std::nullopt;
  const auto read = std::span(bytes).first(static_cast<std::size_t>(*size));
  const auto real = number.source().read(0, read) ? float_from_bytes(read, number.type().name) : std::nullopt;
  if (!real)
    return std::nullopt;
  return *size == sizeof(float)    ? fmt::format("{}", static_cast<float>(*real))
         : *size == sizeof(double) ? fmt::format("{}", static_cast<double>(*real))
                                   : fmt::format("{}", *real);
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

/// "3s", "250ms", "50[1/25]s" as std::format has them.
std::optional<std::string> duration_text(const LibraryObject &duration) {
  const auto count = duration.member({"__r", "__rep_"});
  const auto period = period_of(duration);
  const auto text = count ? count_text(*count) : std::nullopt;
  return period && text ? std::optional(*text + unit_name(*period)) : std::nullopt;
}

View duration(const Value &value, ChildRange, ValueEnvironment &environment) {
  const auto text = duration_text(LibraryObject(value, environment));
  return text ? std::optional(plain_view(*text)) : std::nullopt;
}

View time_point(const Value &value, ChildRange, ValueEnvironment &environment) {
  const LibraryObject object(value, environment);
  const auto since_epoch = object.member({"__d", "__d_"});
  const auto elapsed = since_epoch ? duration_text(*since_epoch) : std::nullopt;
  const auto clock = object.type_argument(0);
  if (!clock || !elapsed)
    return std::nullopt;
  const std::string name = short_type_name(environment.types, *clock);
  const auto count = since_epoch->member({"__r", "__rep_"});
  const bool is_date = name == "std::chrono::system_clock" && count->type().encoding != TypeEncoding::floating;
  const auto number = is_date ? count->signed_number() : std::nullopt;
  const auto date = number ? calendar_text(*number, *period_of(*since_epoch)) : std::nullopt;
  return plain_view(date ? *date : fmt::format("{} of {}", *elapsed, name));
}

/// libc++ has two numbers, libstdc++ one of DWARF's base types that has two parts.
View complex(const Value &value, ChildRange, ValueEnvironment &environment) {
  const LibraryObject object(value, environment);
  auto real = object.member("__re_");
  auto imaginary = object.member("__im_");
  const auto both = object.member("_M_value");
  if (const auto size = both ? both->size() : std::nullopt;
      size && both->type().encoding == TypeEncoding::complex_float) {
    const TypeHandle part = environment.types.base_type("part", TypeEncoding::floating, *size / 2);
    real = both->as(part);
    imaginary = LibraryObject(part, both->source().at(*size / 2), value.language, environment);
  }
  const auto first = real ? floating_text(*real) : std::nullopt;
  const auto second = imaginary ? floating_text(*imaginary) : std::nullopt;
  return first && second ? std::optional(plain_view(fmt::format("{} + {}i", *first, *second))) : std::nullopt;
}

} // namespace

std::span<const LibraryType> cpp_number_types() {
  static constexpr LibraryType types[] = {
      {"std::chrono::duration", duration},
      {"std::chrono::time_point", time_point},
      {"std::complex", complex},
  };
  return types;
}

} // namespace inspect
