#include "values/go/go_variables.h"

#include "tests/support/catch.h"
#include "tests/support/go_toolchain.h"
#include "tests/support/skip.h"
#include "tests/values/go/go_values.h"
#include "values/go/go_operations.h"
#include "values/go/go_type_names.h"
#include "values/value_text.h"

#include <fmt/format.h>
#include <optional>

namespace inspect {
namespace {

using namespace test;

using Words = std::vector<std::optional<std::uint64_t>>;

/// What registers held, of which some are not known.
ValueSource of_words(const Words &words) {
  auto image = std::make_shared<ValueImage>(words.size() * 8);
  for (std::size_t i = 0; i < words.size(); ++i)
    if (words[i])
      image->set(i * 8, *words[i], 8);
  return ValueSource::of_image(std::move(image));
}

RunAddress wait_for_table(ChildProcess &child) {
  RunAddress place;
  for (std::string line; (line = child.read_line()) != "ready";)
    if (line.starts_with("at "))
      place.value = std::stoull(line.substr(3), nullptr, 16);
  return place;
}

TEST_CASE("Go variables in registers, on the heap and in parts become values") {
  const std::vector<GoToolchain> toolchains = go_toolchains();
  if (toolchains.empty())
    SKIP_TEST("no Go toolchain of 1.16 or later is installed");
  GoValues program({build_go(toolchains.back(), "value_expressions")});
  const RunAddress place = wait_for_table(program.child());
  program.open();
  ValueEnvironment &environment = program.environment();
  const auto handle = [&](std::string_view name) {
    const auto found = environment.find_type(name, SourceLanguage::go);
    REQUIRE(found.has_value());
    return found->native;
  };
  const auto text = [&](std::string_view type, const Words &words, bool escaped) {
    return value_text(go_value(handle(type), of_words(words), escaped, environment), environment, {});
  };
  const Value table = go_value_at(*go_value_type(handle("main.table"), environment).go, place, environment);
  const auto point = take_steps(table, "Points [1]", environment);
  REQUIRE(point.has_value());
  const std::uint64_t address = point->source->address().value_or(RunAddress{}).value;

  CHECK(text("*main.point", {address}, true) == "main.point {X: 3, Y: 4}");
  CHECK(text("*main.point", {address}, false) == fmt::format("(*main.point)({:#x})", address));
  CHECK(text("*main.point", {0}, true) == "<it has no place on the heap yet>");
  CHECK(text("*main.point", {std::nullopt}, true) == "<where the variable was moved to on the heap is not known>");
  CHECK(text("main.point", {5, -6ULL}, false) == "main.point {X: 5, Y: -6}");
  CHECK(text("main.point", {5, std::nullopt}, false) == "main.point {X: 5, Y: (unreadable optimized out)}");
  CHECK(text("[]main.point", {address, 1, 1}, false) == "[]main.point len: 1, cap: 1, [{X: 3, Y: 4}]");
  CHECK(text("[]main.point", {address, std::nullopt, 1}, false) ==
        fmt::format("[]main.point len: ..., cap: 1, at {:#x}", address));
  CHECK(text("string", {std::nullopt, 3}, false) == "len: 3");
  const Value missing = missing_value(point->type, SourceLanguage::go, "optimized out");
  CHECK(value_text(missing, environment, {}) == "<optimized out>");
  const auto field = operations_of(missing).member(missing, "X", environment);
  REQUIRE(field.has_value());
  CHECK(value_text(*field, environment, {}) == "<optimized out>");
}

TEST_CASE("Go types are defined as in their source, with what the compiler made of them") {
  const std::vector<GoToolchain> toolchains = go_toolchains();
  if (toolchains.empty())
    SKIP_TEST("no Go toolchain of 1.16 or later is installed");
  for (const GoVariant variant : {GoVariant::plain, GoVariant::stripped}) {
    GoValues program({build_go(toolchains.back(), "value_expressions", variant)});
    const RunAddress place = wait_for_table(program.child());
    program.open();
    ValueEnvironment &environment = program.environment();
    const Value table = go_value_at(*parse_go_type("main.table", environment)->go, place, environment);
    const auto definition = [&](std::string_view steps) {
      const auto value = take_steps(table, steps, environment);
      REQUIRE(value.has_value());
      return operations_of(*value).type_definition(value->type, environment);
    };
    INFO(variant_name(variant));
    CHECK(definition("Points [0]") == "type main.point struct {\n"
                                      "    X int // offset 0, size 8\n"
                                      "    Y int // offset 8, size 8\n"
                                      "} // size 16");
    CHECK(definition("middle") == "type main.middle struct {\n"
                                  "    *main.base // offset 0, size 8\n"
                                  "    Depth int  // offset 8, size 8\n"
                                  "} // size 16");
    CHECK(definition("Inline") == "struct {\n"
                                  "    A int // offset 0, size 8\n"
                                  "    B int // offset 8, size 8\n"
                                  "} // size 16");
    CHECK(definition("Bag") == "type main.bag []main.bag");
    CHECK(definition("Color") == "type main.color int");
    CHECK(definition("Delay") == "type time.Duration int64");
    CHECK(definition("Array1") == "type main.array1 [1]*main.array1");
    CHECK(definition("Ints") == "[]int");
    CHECK(definition("I8") == "int8");
    CHECK(definition("ByName") == "map[string]main.point");
    CHECK(definition("NilError") == "error");
  }
}

} // namespace
} // namespace inspect
