#include "commands/session/settings.h"

#include "machine/near_misses.h"

#include <algorithm>
#include <charconv>
#include <fmt/format.h>

namespace inspect {
namespace {

const SettingSpec *find_setting(std::string_view key) {
  const auto specs = setting_specs();
  const auto found = std::ranges::find(specs, key, &SettingSpec::key);
  return found == specs.end() ? nullptr : &*found;
}

bool is_number(std::string_view text) {
  std::size_t value = 0;
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), value);
  return problem == std::errc() && end == text.data() + text.size() && value <= 1'000'000'000;
}

} // namespace

std::span<const SettingSpec> setting_specs() {
  static const std::vector<SettingSpec> specs = {
      {"depth", "50", {}, "frames that bt shows when it is not told; 0: all"},
      {"backtrace-addresses", "on", {"on", "off"}, "whether bt shows each frame's address"},
      {"colour", "auto", {"auto", "on", "off"}, "colours; auto: on a terminal, unless NO_COLOR is set"},
      {"disassemble-flavor", "intel", {"intel", "att"}, "syntax of disassemble"},
      {"max-string-len", "64", {}, "bytes of a string that are printed"},
      {"max-array-values", "64", {}, "elements of arrays, slices, maps and containers that are printed"},
      {"max-variable-recurse", "1", {}, "how deep pointers and nested structures are followed"},
      {"max-struct-fields", "0", {}, "fields of a structure that are printed; 0: all"},
      {"stop", "all", {"auto", "all", "none"}, "what a look stops: only what runs, all, or nothing (docs/harmless.md)"},
      {"source-list-line-count", "5", {}, "lines that list shows above and below"},
  };
  return specs;
}

StopChoice stop_choice_of(std::string_view word) {
  return word == "none" ? StopChoice::none : word == "auto" ? StopChoice::automatic : StopChoice::all;
}

Settings::Settings() {
  for (const SettingSpec &spec : setting_specs())
    values_[spec.key] = spec.initial;
}

Result<void> Settings::set(std::string_view key, std::string_view value) {
  const SettingSpec *spec = find_setting(key);
  if (spec == nullptr) {
    std::vector<std::string> keys;
    for (const SettingSpec &one : setting_specs())
      keys.push_back(one.key);
    return std::unexpected(Error(
        ErrorKind::usage, fmt::format("there is no setting '{}'{}", key, did_you_mean(key, keys)), "config -list"));
  }
  if (spec->choices.empty() && !is_number(value))
    return std::unexpected(Error(ErrorKind::usage, fmt::format("{} takes a number, not '{}'", key, value)));
  if (!spec->choices.empty() && std::ranges::find(spec->choices, value) == spec->choices.end())
    return std::unexpected(
        Error(ErrorKind::usage, fmt::format("{} takes {}, not '{}'", key, fmt::join(spec->choices, "|"), value)));
  values_[spec->key] = value;
  return {};
}

const std::string &Settings::text(std::string_view key) const {
  return values_.find(key)->second;
}

std::size_t Settings::number(std::string_view key) const {
  const std::string &value = text(key);
  std::size_t result = 0;
  std::from_chars(value.data(), value.data() + value.size(), result);
  return result;
}

} // namespace inspect
