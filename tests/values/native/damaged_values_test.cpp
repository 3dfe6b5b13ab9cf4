// Values of every type that the fixtures have, printed and stepped into while their bytes are not what they should be:
// the text is bounded, every step has a value or an error, and nothing runs on.
#include "tests/support/catch.h"
#include "tests/support/fuzz_rounds.h"
#include "tests/values/damaged_memory.h"
#include "values/value_operations.h"
#include "values/value_text.h"

#include <filesystem>

namespace inspect {
namespace {

using namespace test;

struct DamagedFixture {
  std::string_view name;
  SourceLanguage language;
};

constexpr DamagedFixture fixtures[] = {{"values_gcc", SourceLanguage::cpp},
                                       {"values_libcxx", SourceLanguage::cpp},
                                       {"values_cpp", SourceLanguage::cpp},
                                       {"values_c", SourceLanguage::c},
                                       {"values_rust", SourceLanguage::rust}};

void step_into(const Value &value, std::mt19937_64 &random, ValueEnvironment &environment, int depth) {
  const ValueOperations &operations = operations_of(value);
  const auto go_on = [&](const Result<Value> &next) {
    if (next && depth > 0)
      step_into(*next, random, environment, depth - 1);
    if (!next)
      CHECK_FALSE(next.error().message().empty());
  };
  const std::vector<std::string> names = operations.member_names(value, environment);
  if (!names.empty())
    go_on(operations.member(value, names[random() % names.size()], environment));
  go_on(operations.dereference(value, environment));
  Number number{.integer = static_cast<std::int64_t>(random() % 5), .real = 0, .size = 4};
  const ValueType type = operations.type_of_number(number, environment);
  if (const auto bytes = operations.encode(number, type, environment)) {
    auto image = std::make_shared<ValueImage>(bytes->size());
    image->bytes = *bytes;
    image->known.assign(bytes->size(), ValueImage::whole_byte);
    go_on(operations.element(value, {.type = type, .source = ValueSource::of_image(image)}, environment));
  }
  go_on(operations.slice(value, random() % 3, random() % 2 == 0 ? std::nullopt : std::optional(random() % 9),
                         environment));
  static_cast<void>(operations.length(value, environment));
  static_cast<void>(operations.capacity(value, environment));
  static_cast<void>(operations.number(value, environment));
  const auto text = operations.text(value, 100, environment);
  CHECK((!text || text->size() <= 100));
}

void damage(const DamagedFixture &one) {
  FixtureValues fixture({fixture_path(one.name)}, one.language);
  for (std::string line; line != "ready";)
    line = fixture.child().read_line();
  fixture.open();
  const std::vector<std::string> names = fixture.variable_names();
  REQUIRE(names.size() > 10);
  for (int round = 0; fuzz_goes_on(round, 2); ++round) {
    std::mt19937_64 random(static_cast<unsigned>(round));
    const DamagedMemory memory(fixture.memory(), random, round % 3 == 0 ? 4 : 64);
    ValueEnvironment environment = damaged_environment(fixture, memory);
    PrintOptions options;
    options.limits.recursion = 1 + random() % 4;
    options.limits.text_bytes = 4096;
    options.format = static_cast<NumberFormat>(random() % 10);
    for (const std::string &name : names) {
      CAPTURE(one.name, round, name);
      environment.deadline = std::chrono::steady_clock::now() + std::chrono::seconds(2);
      const Value value = damaged_variable(fixture, name, memory);
      CHECK(value_text(value, environment, options).size() < 2 * options.limits.text_bytes);
      step_into(value, random, environment, 3);
    }
  }
}

} // namespace

TEST_CASE("damaged values of all fixtures are printed in bounded text, and stepped into") {
  for (const DamagedFixture &one : fixtures)
    if (std::filesystem::exists(fixture_path(one.name)))
      damage(one);
}

} // namespace inspect
