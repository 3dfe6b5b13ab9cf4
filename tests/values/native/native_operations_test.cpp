// The steps that expressions are made of, on the variables of programs in C and C++, and on memory that lies.
#include "tests/support/catch.h"
#include "tests/values/fixture_values.h"
#include "values/native/dynamic_type.h"
#include "values/native/native_layout.h"
#include "values/value_operations.h"
#include "values/value_text.h"

#include <cstring>

namespace inspect {
namespace {

class Steps {
public:
  explicit Steps(const std::string &fixture, SourceLanguage language)
      : program_({test::fixture_path(fixture)}, language) {
    program_.child().wait_for_line();
    program_.open();
  }

  test::FixtureValues &program() { return program_; }
  ValueEnvironment &environment() { return program_.environment(); }
  Value variable(const char *name) { return program_.variable(name); }
  /// "a.b.c", each a member; throws what the operations say.
  Value path(std::string_view names) {
    std::size_t end = std::min(names.find('.'), names.size());
    Value value = program_.variable(names.substr(0, end));
    while (end < names.size()) {
      names.remove_prefix(end + 1);
      end = std::min(names.find('.'), names.size());
      auto next = native_operations().member(value, names.substr(0, end), environment());
      if (!next)
        throw std::runtime_error(next.error().message());
      value = *next;
    }
    return value;
  }
  Value number(std::int64_t number) {
    const Number literal{.kind = Number::Kind::signed_integer, .integer = number, .size = 8};
    const ValueType type = native_operations().type_of_number(literal, environment());
    return computed_value(*native_operations().encode(literal, type, environment()), type.native, SourceLanguage::c);
  }
  std::string text(const Result<Value> &value) {
    return value ? value_text(*value, environment(), {}) : "error: " + value.error().message();
  }
  Result<Value> element(const Value &value, std::int64_t index) {
    return native_operations().element(value, number(index), environment());
  }

private:
  test::FixtureValues program_;
};

TEST_CASE("members, elements and slices lead into C values") {
  Steps steps("values_c", SourceLanguage::c);
  const std::pair<const char *, const char *> members[] = {
      {"point.x", "1"},          {"to_point.y", "-2"},   {"nested.at.z", "3"},           {"nested.inner", "7"},
      {"nested.as_int", "9"},    {"bits.b", "-3"},       {"bits.c", "737894404660"},     {"bits.e", "green"},
      {"first.next.value", "3"}, {"size.height", "480"}, {"circle.next.next.value", "9"}};
  for (const auto &[path, text] : members) {
    INFO(path);
    CHECK(steps.text(steps.path(path)) == text);
  }
  CHECK(steps.text(steps.element(*steps.element(steps.variable("matrix"), 1), 2)) == "6");
  CHECK(steps.text(steps.element(steps.variable("pointer"), 0)) == "-42");
  CHECK(steps.text(steps.element(steps.path("flexible.items"), 2)) == "12");
  CHECK(steps.text(steps.element(steps.variable("numbers"), 5)) ==
        "error: index 5 is out of bounds: there are 5 elements");
  CHECK(steps.text(steps.element(steps.variable("numbers"), -1)).starts_with("error: index -1"));
  CHECK(steps.text(steps.element(steps.variable("anything"), 1)).find("cast it first") != std::string::npos);
  const ValueOperations &operations = native_operations();
  ValueEnvironment &environment = steps.environment();
  CHECK(steps.text(operations.slice(steps.variable("numbers"), 1, 3, environment)) == "{2, 3}");
  CHECK(steps.text(operations.slice(steps.variable("pointer"), 0, 1, environment)) == "{-42}");
  CHECK(steps.text(operations.slice(steps.variable("numbers"), 4, 9, environment)).find("out of bounds") !=
        std::string::npos);
  CHECK(operations.text(steps.variable("word"), 100, environment) == "a word");
  CHECK(operations.text(steps.variable("text"), 100, environment) == "hello");
  CHECK(operations.length(steps.variable("numbers"), environment) == 5U);
  const auto missing = operations.member(steps.variable("point"), "xx", environment);
  REQUIRE_FALSE(missing);
  CHECK(missing.error().message() == "struct Point has no member xx; did you mean 'x'?");
  CHECK(steps.text(operations.dereference(steps.variable("null_pointer"), environment)) ==
        "error: the pointer is null");
  const auto bit_address = operations.address_of(steps.path("bits.a"), environment);
  CHECK_FALSE(bit_address);
  CHECK(steps.text(operations.dereference(*operations.address_of(steps.variable("whole"), environment), environment)) ==
        "-42");
}

TEST_CASE("numbers go in and out of the types of C") {
  Steps steps("values_c", SourceLanguage::c);
  const ValueOperations &operations = native_operations();
  ValueEnvironment &environment = steps.environment();
  struct EncodeRow {
    const char *variable;
    __int128 number;
    bool fits;
  };
  constexpr EncodeRow rows[] = {
      {"byte", 255, true}, {"byte", 256, false},        {"small", -32768, true}, {"small", 32768, false},
      {"yes", 1, true},    {"yes", 2, false},           {"positive", -1, false}, {"positive", 4294967295, true},
      {"color", 5, true},  {"whole", 2147483648, false}};
  for (const EncodeRow &row : rows) {
    const Value variable = steps.variable(row.variable);
    const Number number{.kind = Number::Kind::signed_integer, .integer = row.number, .size = 16};
    const auto bytes = operations.encode(number, variable.type, environment);
    INFO(row.variable << " " << static_cast<std::int64_t>(row.number));
    CHECK(bytes.has_value() == row.fits);
    if (bytes) {
      const Value back = computed_value(*bytes, variable.type.native, SourceLanguage::c);
      CHECK((operations.number(back, environment)->integer == row.number));
    } else {
      CHECK(bytes.error().message().find("does not fit into") != std::string::npos);
    }
  }
  for (const char *name : {"single", "tenth", "extended"}) {
    const Value variable = steps.variable(name);
    const auto number = operations.number(variable, environment);
    REQUIRE(number);
    const auto bytes = operations.encode(*number, variable.type, environment);
    REQUIRE(bytes);
    CHECK(steps.text(computed_value(*bytes, variable.type.native, SourceLanguage::c)) == steps.text(variable));
  }
  CHECK_FALSE(operations.number(steps.variable("point"), environment));
  CHECK(steps.text(operations.cast(steps.variable("whole"), steps.variable("byte").type, environment)) ==
        "214 '\\326'");
  CHECK(steps.text(operations.cast(steps.variable("anything"), steps.variable("to_point").type, environment)) ==
        steps.text(steps.variable("to_point")));
  CHECK(steps.text(operations.cast(steps.variable("tenth"), steps.variable("whole").type, environment)) == "0");
  CHECK(steps.text(operations.cast(steps.variable("either"), steps.variable("single").type, environment)) ==
        "3.14159274");
}

TEST_CASE("classes are entered through bases, and known by their virtual tables") {
  Steps steps("values_cpp", SourceLanguage::cpp);
  const std::pair<const char *, const char *> members[] = {
      {"shapes::diamond.id", "7"},  {"diamond.id", "7"},        {"diamond.right_value", "12"},
      {"square.side", "4"},         {"to_shape.id", "7"},       {"to_shape.side", "4"},
      {"to_diamond.own", "13"},     {"to_secret.hidden", "99"}, {"references.number", "5"},
      {"references.point.y", "2"},  {"square.count", "3"},      {"box.inner.one", "0"},
      {"shape_reference.side", "4"}};
  for (const auto &[path, text] : members) {
    if (!steps.program().has_variable(std::string_view(path).substr(0, std::string_view(path).find('.'))))
      continue;
    INFO(path);
    const std::string own = steps.text(steps.path(path));
    CHECK((own == text || own.ends_with(std::string(": ") + text)));
  }
  const ValueOperations &operations = native_operations();
  ValueEnvironment &environment = steps.environment();
  const auto pointer_type = [&](const char *name) {
    return operations.pointer_to(*steps.program().type(name), environment);
  };
  // A second base lies behind the first: casts move the pointer there and back.
  const auto down = operations.cast(steps.variable("to_named"), pointer_type("shapes::Square"), environment);
  REQUIRE(down);
  CHECK(steps.text(operations.member(*down, "side", environment)) == "4");
  const auto up = operations.cast(*down, pointer_type("shapes::Named"), environment);
  CHECK(steps.text(up) == steps.text(steps.variable("to_named")));
  const auto real = operations.assert_type(steps.variable("to_shape"), pointer_type("shapes::Named"), environment);
  CHECK(steps.text(real) == steps.text(up));
  const auto wrong = operations.assert_type(steps.variable("to_shape"), pointer_type("shapes::Diamond"), environment);
  REQUIRE_FALSE(wrong);
  CHECK(wrong.error().message() == "the object is a shapes::Square, not a shapes::Diamond");
  const std::string definition = operations.type_definition(steps.variable("square").type, environment);
  CHECK(definition.starts_with("struct shapes::Square : public shapes::Shape, public shapes::Named {\n"));
  CHECK(definition.find("    int side;\n") != std::string::npos);
  CHECK(definition.find("virtual int area() const;\n") != std::string::npos);
  CHECK(operations.type_definition(steps.variable("to_box").type, environment)
            .ends_with("    shapes::Box<shapes::Point, 1>::Inner inner;\n} *"));
}

TEST_CASE("objects whose virtual tables lie are shown without them") {
  Steps steps("values_cpp", SourceLanguage::cpp);
  ValueEnvironment &around = steps.environment();
  const std::uint64_t table = steps.variable("square").source->unsigned_at(0, 8).value();
  for (const std::uint64_t vptr : {std::uint64_t{0}, std::uint64_t{1}, std::uint64_t{0x5000}, UINT64_MAX,
                                   UINT64_MAX - 15, table + 8, table - 16, table + 4}) {
    std::vector<std::byte> bytes(256, std::byte{0x5a});
    std::memcpy(bytes.data(), &vptr, sizeof vptr);
    BufferMemory lies;
    lies.add(RunAddress{0x5000}, bytes);
    const LayeredMemory memory({&lies, &steps.program().memory()});
    ValueEnvironment environment{.memory = memory, .modules = around.modules, .types = around.types};
    environment.find_type = around.find_type;
    PrintOptions options;
    options.headed = true;
    for (const char *name : {"shapes::Shape", "shapes::Named", "shapes::Diamond", "shapes::Square", "shapes::Left"}) {
      INFO(name << " with a table at " << vptr);
      const Value object =
          value_at(RunAddress{0x5000}, steps.program().type(name)->native, SourceLanguage::cpp, environment);
      CHECK_FALSE(value_text(object, environment, options).empty());
      CHECK_FALSE(dynamic_object(object, environment));
      static_cast<void>(native_operations().member(object, "id", environment));
    }
  }
}

} // namespace
} // namespace inspect
