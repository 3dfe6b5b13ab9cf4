// The programs made of fixtures/values/values_cpp_library.cpp, and what each says of its own objects.
//
//     LibraryFixture fixture("values_gcc");
//     for (const auto &[name, facts] : fixture.facts()) … facts.at("length") …
#pragma once

#include "tests/support/child_process.h"
#include "tests/values/fixture_values.h"
#include "values/value_text.h"

#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace inspect::test {

/// Those of libc++ are built only where it is installed.
inline std::vector<std::string_view> library_programs() {
  std::vector<std::string_view> built;
  for (const std::string_view program :
       {"values_gcc", "values_gcc_O2", "values_gcc_old", "values_libcxx", "values_libcxx_O2"})
    if (std::filesystem::exists(fixture_path(program)))
      built.push_back(program);
  return built;
}

class LibraryFixture {
public:
  using Facts = std::map<std::string, std::string>; ///< "length" → "3"; of lines with one word, "" → the word

  explicit LibraryFixture(std::string_view program) : values_({fixture_path(program)}, SourceLanguage::cpp) {
    for (std::string line; (line = values_.child().read_line()) != "ready";)
      add_facts(line);
    values_.open();
  }

  const std::map<std::string, Facts> &facts() const { return facts_; }
  FixtureValues &values() { return values_; }
  std::string text(std::string_view name, const PrintOptions &options = {}) {
    return value_text(values_.variable(name), values_.environment(), options);
  }

private:
  void add_facts(const std::string &line) {
    Facts facts;
    std::size_t tab = line.find('\t');
    const std::string name = line.substr(0, tab);
    while (tab != std::string::npos) {
      const std::size_t end = line.find('\t', tab + 1);
      const std::string part = line.substr(tab + 1, end == std::string::npos ? end : end - tab - 1);
      const std::size_t equals = part.find('=');
      facts[equals == std::string::npos ? "" : part.substr(0, equals)] =
          equals == std::string::npos ? part : part.substr(equals + 1);
      tab = end;
    }
    facts_[name] = facts;
  }

  FixtureValues values_;
  std::map<std::string, Facts> facts_;
};

} // namespace inspect::test
