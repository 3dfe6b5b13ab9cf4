#include "tests/support/catch.h"
#include "tests/support/fuzz_rounds.h"
#include "tests/support/go_toolchain.h"
#include "tests/values/go/go_values.h"
#include "values/go/go_type_names.h"
#include "values/go/go_variables.h"
#include "values/value_operations.h"
#include "values/value_text.h"

#include <fmt/format.h>

namespace inspect {
namespace {

using namespace test;

struct Row {
  std::string steps;
  std::string expected;
};

struct ToldRows {
  std::vector<Row> rows;
  RunAddress table;
};

ToldRows read_rows(ChildProcess &child) {
  ToldRows told;
  for (std::string line; (line = child.read_line()) != "ready";) {
    const std::size_t arrow = line.find(" => ");
    if (arrow != std::string::npos)
      told.rows.push_back({line.substr(0, arrow), line.substr(arrow + 4)});
    else if (line.starts_with("at "))
      told.table.value = std::stoull(line.substr(3), nullptr, 16);
  }
  return told;
}

std::string kind_text(ErrorKind kind) {
  switch (kind) {
  case ErrorKind::usage:
    return "usage";
  case ErrorKind::not_found:
    return "not_found";
  case ErrorKind::unreadable:
    return "unreadable";
  case ErrorKind::corrupt:
    return "corrupt";
  default:
    return "other";
  }
}

std::string answer(const Value &table, const std::string &steps, ValueEnvironment &environment) {
  const auto value = take_steps(table, steps, environment);
  if (!value)
    return kind_text(value.error().kind()) + ": " + value.error().message();
  return value_text(*value, environment, {});
}

std::string without_dwarf(const Row &row) {
  std::string text = row.expected;
  if (row.steps == "Closure")
    text = text.substr(0, text.find(' '));
  const std::size_t bracket = text.rfind('(');
  const std::size_t space = text.find_last_of(' ', bracket == std::string::npos ? 0 : bracket - 2);
  const std::size_t begin = space == std::string::npos ? 0 : space + 1;
  if (row.steps == "Color" || row.steps == "Access" || row.steps == "AnyColor")
    text = text.substr(0, begin) + text.substr(bracket + 1, text.size() - bracket - 2);
  return text;
}

void check_rows(const GoToolchain &go, GoVariant variant) {
  GoValues program({build_go(go, "value_expressions", variant)});
  ToldRows told = read_rows(program.child());
  program.open();
  const auto type = parse_go_type("main.table", program.environment());
  REQUIRE(type.has_value());
  const Value table = go_value_at(*type->go, told.table, program.environment());
  CHECK(told.rows.size() > 150);
  for (Row &row : told.rows) {
    INFO(row.steps);
    // Constants and what closures capture are in the DWARF alone.
    if (variant == GoVariant::stripped)
      row.expected = without_dwarf(row);
    CHECK(answer(table, row.steps, program.environment()) == row.expected);
  }
}

TEST_CASE("steps into Go values lead to what the program itself finds there") {
  for_each_go([](const GoToolchain &go) {
    for (const GoVariant variant : {GoVariant::plain, GoVariant::stripped}) {
      INFO(variant_name(variant));
      check_rows(go, variant);
    }
  });
}

} // namespace
} // namespace inspect
