#include "commands/frames/goroutine_selection.h"

#include "commands/cli/name_filter.h"
#include "inspector/stacks/program_frame.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <fmt/format.h>

namespace inspect {
namespace {

struct LocationName {
  std::string_view name;
  GoroutineLocation location;
};

constexpr LocationName location_names[] = {{"userloc", GoroutineLocation::user},
                                           {"curloc", GoroutineLocation::current},
                                           {"goloc", GoroutineLocation::created},
                                           {"startloc", GoroutineLocation::start}};

/// The first word, and what follows it.
std::pair<std::string_view, std::string_view> split_first(std::string_view text) {
  const std::size_t blank = text.find(' ');
  if (blank == std::string_view::npos)
    return {text, {}};
  const std::size_t rest = text.find_first_not_of(' ', blank);
  return {text.substr(0, blank), rest == std::string_view::npos ? std::string_view() : text.substr(rest)};
}

Error bad_condition(std::string_view text) {
  return Error(ErrorKind::usage,
               text.empty() ? "a condition is missing" : fmt::format("'{}' is not a condition on goroutines", text),
               "userloc REGEX, curloc REGEX, goloc REGEX, startloc REGEX, label KEY[=VALUE], running, or user");
}

std::string with_place(std::string_view function, std::string_view file, int line) {
  return file.empty() ? std::string(function) : fmt::format("{} at {}:{}", function, file, line);
}

std::string frame_text(const ReportFrame &frame) {
  if (frame.function.empty())
    return fmt::format("{:#x}", frame.pc.value);
  return with_place(frame.function, frame.file, frame.line);
}

const ReportFrame *frame_at(const GoroutineStack &stack, std::optional<std::size_t> index) {
  return index ? &stack.frames[*index] : nullptr;
}

const std::string *label_value(const GoReport &report, const GoroutineReport &goroutine, std::string_view key) {
  for (const auto &[name, value] : report.label_sets[goroutine.labels])
    if (name == key)
      return &value;
  return nullptr;
}

Result<GoroutineTest> label_condition(std::string_view text) {
  if (text.empty())
    return std::unexpected(Error(ErrorKind::usage, "label needs a key", "label tenant, or label tenant=7"));
  const std::size_t equals = text.find('=');
  const std::string key(text.substr(0, equals));
  if (equals == std::string_view::npos)
    return [key](const GoReport &report, const GoroutineReport &goroutine) {
      return label_value(report, goroutine, key) != nullptr;
    };
  return
      [key, wanted = std::string(text.substr(equals + 1))](const GoReport &report, const GoroutineReport &goroutine) {
        const std::string *value = label_value(report, goroutine, key);
        return value != nullptr && *value == wanted;
      };
}

bool is_running(const GoReport &, const GoroutineReport &goroutine) {
  return goroutine.thread != 0;
}

bool is_user(const GoReport &, const GoroutineReport &goroutine) {
  return !goroutine.system;
}

std::optional<double> unit_in_seconds(std::string_view unit) {
  if (unit == "s")
    return 1;
  if (unit == "m" || unit.empty())
    return 60;
  if (unit == "h")
    return 3600;
  if (unit == "d")
    return 24.0 * 3600;
  return std::nullopt;
}

} // namespace

std::optional<GoroutineLocation> location_named(std::string_view name) {
  for (const LocationName &one : location_names)
    if (one.name == name)
      return one.location;
  return std::nullopt;
}

std::string location_text(const GoReport &report, const GoroutineReport &goroutine, GoroutineLocation location) {
  const GoroutineStack &stack = report.stack_of(goroutine);
  if (location == GoroutineLocation::created) {
    const CreationSite &site = report.creations[goroutine.creation];
    return site.function.empty() ? std::string() : with_place(site.function, site.file, site.line);
  }
  if (const CreationSite &start = report.starts[goroutine.start];
      location == GoroutineLocation::start && !start.function.empty())
    return with_place(start.function, start.file, start.line);
  const ReportFrame *frame = location == GoroutineLocation::user    ? frame_at(stack, program_frame(stack))
                             : location == GoroutineLocation::start ? frame_at(stack, start_frame(stack))
                             : stack.frames.empty()                 ? nullptr
                                                                    : &stack.frames.front();
  return frame != nullptr ? frame_text(*frame) : std::string();
}

Result<GoroutineTest> parse_goroutine_condition(std::string_view text) {
  const auto [word, rest] = split_first(text);
  if (word == "running" && rest.empty())
    return is_running;
  if (word == "user" && rest.empty())
    return is_user;
  if (word == "label")
    return label_condition(rest);
  const auto location = location_named(word);
  if (!location || rest.empty())
    return std::unexpected(bad_condition(text));
  auto matches = name_filter(std::string(rest));
  if (!matches)
    return std::unexpected(matches.error());
  return
      [location = *location, matches = std::move(*matches)](const GoReport &report, const GoroutineReport &goroutine) {
        return matches(location_text(report, goroutine, location));
      };
}

Result<GoroutineKey> parse_goroutine_key(std::string_view text) {
  const auto [word, rest] = split_first(text);
  if (const auto location = location_named(word); location && rest.empty())
    return [location = *location](const GoReport &report, const GoroutineReport &goroutine) {
      return location_text(report, goroutine, location);
    };
  if (word == "running" && rest.empty())
    return [](const GoReport &report, const GoroutineReport &goroutine) {
      return std::string(is_running(report, goroutine) ? "on a thread" : "on no thread");
    };
  if (word == "user" && rest.empty())
    return [](const GoReport &report, const GoroutineReport &goroutine) {
      return std::string(is_user(report, goroutine) ? "the program's" : "the runtime's own");
    };
  if (word == "label" && !rest.empty())
    return [key = std::string(rest)](const GoReport &report, const GoroutineReport &goroutine) {
      const std::string *value = label_value(report, goroutine, key);
      return value != nullptr ? fmt::format("{}={}", key, *value) : fmt::format("no label {}", key);
    };
  return std::unexpected(Error(ErrorKind::usage,
                               text.empty() ? "what to group goroutines by is missing"
                                            : fmt::format("goroutines cannot be grouped by '{}'", text),
                               "userloc, curloc, goloc, startloc, running, user, or label KEY"));
}

Result<GoroutineTest> parse_goroutine_wait(std::string_view given) {
  std::string_view text = given;
  const auto bad = [&] {
    return std::unexpected(
        Error(ErrorKind::usage,
              given.empty() ? "a waiting time is missing" : fmt::format("'{}' is not a waiting time", given),
              "'>5m', '>=90s', '<2h'"));
  };
  const bool below = text.starts_with('<');
  const bool strict = text.starts_with('>') || below;
  if (strict)
    text.remove_prefix(1);
  const bool or_equal = text.starts_with('=') || !strict;
  if (text.starts_with('='))
    text.remove_prefix(1);
  double number = 0;
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (failure != std::errc() || !std::isfinite(number) || number < 0)
    return bad();
  const auto unit = unit_in_seconds(text.substr(static_cast<std::size_t>(end - text.data())));
  if (!unit)
    return bad();
  return [below, or_equal, limit = number * *unit](const GoReport &, const GoroutineReport &goroutine) {
    if (!goroutine.wait_seconds)
      return false;
    const auto seconds = static_cast<double>(*goroutine.wait_seconds);
    return (or_equal && seconds == limit) || (below ? seconds < limit : seconds > limit);
  };
}

} // namespace inspect
