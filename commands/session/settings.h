// What `config` sets. Every key does something; the table says what.
#pragma once

#include "attach/unstopped/look.h"
#include "machine/error.h"

#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace inspect {

struct SettingSpec {
  std::string key;
  std::string initial;
  std::vector<std::string> choices; ///< empty: a number, zero or more
  std::string help;
};

std::span<const SettingSpec> setting_specs();

/// What the words of `--stop` and of the setting `stop` mean: "auto", "all", "none".
StopChoice stop_choice_of(std::string_view word);

class Settings {
public:
  Settings();
  /// usage for an unknown key (with near misses) or a value it does not take.
  Result<void> set(std::string_view key, std::string_view value);
  /// Of a key of the table.
  const std::string &text(std::string_view key) const;
  std::size_t number(std::string_view key) const;

private:
  std::map<std::string, std::string, std::less<>> values_;
};

} // namespace inspect
