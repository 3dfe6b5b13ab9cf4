// Prints the variables of a Rust program and compares them with its own {:?}.
#include "tests/support/catch.h"
#include "tests/support/skip.h"
#include "tests/values/fixture_values.h"
#include "values/value_operations.h"
#include "values/value_text.h"

#include <map>
#include <regex>
#include <unistd.h>

namespace inspect {
namespace {

struct Spoken {
  RunAddress address;
  std::string text;
};

/// "name address text" of each variable, up to "ready".
std::map<std::string, Spoken> spoken_values(test::ChildProcess &child) {
  std::map<std::string, Spoken> values;
  for (std::string line = child.read_line(); line != "ready"; line = child.read_line()) {
    const std::size_t first = line.find(' ');
    const std::size_t second = line.find(' ', first + 1);
    const std::string address = line.substr(first + 1, second - first - 1);
    values[line.substr(0, first)] = {RunAddress{std::stoull(address, nullptr, 16)}, line.substr(second + 1)};
  }
  return values;
}

TEST_CASE("Rust's variables print as the program's own Debug prints them") {
  const std::string path = test::fixture_path("values_rust");
  if (::access(path.c_str(), X_OK) != 0)
    SKIP_TEST("there is no rustc");
  test::FixtureValues program({path}, SourceLanguage::rust);
  const auto spoken = spoken_values(program.child());
  program.open();
  PrintOptions options;
  options.limits.elements = 100;
  // Counts are shown besides, and functions with their names.
  const std::regex counts(R"((Rc|Arc)\(strong=\d+, weak=\d+\) )");
  CHECK(spoken.size() >= 75);
  std::size_t compared = 0;
  for (const auto &[name, value] : spoken) {
    INFO(name);
    const std::string qualified = "values_rust::" + name;
    if (!program.has_local(qualified)) // a variable without bytes is left out of the description
      continue;
    const Value variable = program.local(qualified, value.address);
    ++compared;
    std::string text = value_text(variable, program.environment(), options);
    if (name == "function") {
      CHECK(text.starts_with(value.text));
      CHECK(text.ends_with(">")); // with the symbol
    } else if (name == "closure") {
      CHECK(text.find("captured: 3") != std::string::npos);
    } else if (name == "many") {
      for (const std::string entry : {"0: 0", "7: 49", "49: 2401"})
        CHECK(text.find(entry) != std::string::npos);
      CHECK(native_operations().length(variable, program.environment()) == 50U);
    } else {
      CHECK(std::regex_replace(text, counts, "") == value.text);
    }
    if (name == "counted")
      CHECK(text == "Rc(strong=2, weak=1) 41");
  }
  CHECK(compared >= 70);
}

} // namespace
} // namespace inspect
