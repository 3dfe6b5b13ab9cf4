// Assignments to the variables of a fixture: written as planned, and read back through the same expressions.
#include "values/assign/assignment_plan.h"

#include "tests/support/catch.h"
#include "tests/values/fixture_values.h"
#include "tests/values/test_scopes.h"
#include "values/expression/expression_evaluator.h"
#include "values/value_operations.h"

#include <array>
#include <fmt/format.h>
#include <sys/uio.h>

namespace inspect {
namespace {

using namespace test;
using enum SourceLanguage;

/// The fixture's variables as they are now.
class LiveScope final : public TableScope {
public:
  explicit LiveScope(FixtureValues &fixture) : TableScope(cpp, fixture.environment()), fixture_(fixture) {}
  Result<Value> find(std::string_view name) override {
    if (fixture_.has_variable(name))
      return fixture_.variable(name);
    return TableScope::find(name);
  }

private:
  FixtureValues &fixture_;
};

std::string shown(std::string_view text, NameScope &scope) {
  const auto value = evaluate(text, scope);
  if (!value)
    return value.error().message();
  const ValueOperations &operations = operations_of(*value);
  if (const auto number = operations.number(*value, scope.environment()))
    return number->kind == Number::Kind::floating ? fmt::format("{}", static_cast<double>(number->real))
                                                  : fmt::format("{}", static_cast<std::int64_t>(number->integer));
  const auto string = operations.text(*value, 100, scope.environment());
  return string ? *string : string.error().message();
}

struct AssignmentRow {
  std::string_view text;
  std::string_view check;    ///< evaluated afterwards
  std::string_view expected; ///< what it is worth then; of a refusal the beginning of its message, and no check
};

constexpr auto rows = std::to_array<AssignmentRow>({
    {"i32 = 5", "i32", "5"},
    {"var u16 = 65535", "u16", "65535"},
    {"i64 += 1 << 4", "i64 + 8999999999999999984", "0"},
    {"u64 = 18446744073709551615u", "u64 == -1", "1"},
    {"f64 = 2.5", "f64", "2.5"},
    {"f32 = 3", "f32", "3"},
    {"f80 = 0.5", "f80", "0.5"},
    {"yes = false", "yes", "0"},
    {"letter = 'q'", "letter", "113"},
    {"color = blue", "(int)color", "-2"},
    {"mode = Mode::off", "(int)mode", "0"},
    {"pointer = &array[3]", "*pointer", "40"},
    {"pointer = array", "pointer - &array[0]", "0"},
    {"untyped_pointer = pointer", "untyped_pointer == &array[0]", "1"},
    {"list = nullptr", "list == 0", "1"},
    {"list = &middle", "list->value", "2"},
    {"array[2] = array[0] + 1", "array[2]", "11"},
    {"matrix[1][1] = -9", "matrix[1][1]", "-9"},
    {"derived.numbers[4] = 77", "derived.numbers[4]", "77"},
    {"list->value = 6", "middle.value", "6"},
    {"flags.a = 2", "flags.a", "2"},
    {"flags.b = -16", "flags.b", "-16"},
    {"flags.c = 0xabcdef", "flags.c", "11259375"},
    {"flags.d = 0", "flags.a + flags.b", "-14"},
    {"ns::points[0] = ns::points[2]", "ns::points[0].y", "6"},
    {"reference = 4321", "array[3]", "4321"},
    {"characters = \"fifteen letters\"", "characters", "fifteen letters"},
    {"message = \"new\"", "message", "new"},
    {"message = \"\"", "message.size()", "0"},
    {"{short}&i32 = -1", "i32", "65535"},
    {"*(unsigned char *)&i32 = 0", "i32", "65280"},
    {"ns::counter = -1", "ns::counter", "-1"},
    // Refused.
    {"u8 = 256", "", "u8 is an unsigned char: 256 does not fit"},
    {"i16 = 70000", "", "i16 is a short: 70000 does not fit into short, which holds -32768 to 32767"},
    {"i32 = 2.5", "", "i32 is an int: 2.5 is not a whole number"},
    {"flags.a = 8", "", "flags.a is an unsigned int: 8 does not fit into its 3 bits (0 to 7)"},
    {"flags.b = 16", "", "flags.b is an int: 16 does not fit into its 5 bits (-16 to 15)"},
    {"i32 = pointer", "", "i32 is an int: a value of type int * does not go there"},
    {"pointer = text", "", "pointer is an int *: a value of type const char * does not go there"},
    {"pointer = \"abc\"", "", "pointer is an int *: a text has no address"},
    {"text = \"abc\"", "", "text is a const char *: a text has no address"},
    {"characters = \"sixteen letters.\"", "", "characters is a char [16]: 16 characters and their NUL"},
    {"message = \"far longer than what it has room for\"", "", "message is a std::"},
    {"derived = first", "", "derived is a Derived: a value of type Node does not go there"},
    {"derived = 5", "", "derived is a Derived: a value of type int does not go there"},
    {"array = 5", "", "array is an int [5]: a value of type int does not go there"},
    {"i32 + 1 = 5", "", "i32 + 1 is a computed value, not a place"},
    {"5 = 5", "", "5 is a computed value, not a place"},
    {"nothing = 5", "", "nothing here is named 'nothing'"},
    {"i32 = nothing", "", "at column 7: nothing here is named 'nothing'"},
    {"i32 = (1", "", "at column 9: expected ')'"},
    {"i32 == 5", "", "set needs PLACE = VALUE"},
});

void apply(const AssignmentPlan &plan, pid_t process) {
  for (const MemoryWrite &write : plan.writes) {
    std::vector<std::byte> bytes = write.bytes;
    iovec local{bytes.data(), bytes.size()};
    iovec remote{reinterpret_cast<void *>(write.address.value), bytes.size()};
    CHECK(::process_vm_writev(process, &local, 1, &remote, 1, 0) == static_cast<ssize_t>(bytes.size()));
  }
}

} // namespace

TEST_CASE("assignments write what was planned, or are refused with the reason") {
  FixtureValues fixture({fixture_path("expression_values")}, cpp);
  for (std::string line; line != "ready";)
    line = fixture.child().read_line();
  fixture.open();
  LiveScope scope(fixture);
  for (const AssignmentRow &row : rows) {
    CAPTURE(row.text);
    const auto plan = plan_assignment(row.text, scope);
    if (row.check.empty()) {
      REQUIRE_FALSE(plan);
      CHECK(plan.error().message().substr(0, row.expected.size()) == row.expected);
      continue;
    }
    if (!plan)
      FAIL(plan.error().message());
    CHECK_FALSE(plan->register_write);
    apply(*plan, fixture.child().pid());
    CHECK(shown(row.check, scope) == row.expected);
  }
}

TEST_CASE("registers are assigned by their number") {
  OwnEnvironment own;
  TableScope scope(c, own.environment);
  const auto plan = plan_assignment("$rax = 5", scope);
  REQUIRE(plan);
  REQUIRE(plan->register_write);
  CHECK(plan->register_write->number == 0);
  CHECK(plan->register_write->bytes.size() == 8);
  CHECK(plan->register_write->bytes[0] == std::byte{5});
  CHECK(plan->writes.empty());
  CHECK_FALSE(plan_assignment("$rax = 1.5", scope));
  CHECK_FALSE(plan_assignment("$rbx = 1", scope));
}

TEST_CASE("Go values are assigned by Go's rules, strings within their length") {
  OwnEnvironment own;
  TableScope scope(go, own.environment);
  const std::int16_t count = 7;
  const std::int64_t wide = 7;
  const char text[] = "text";
  const struct {
    const char *data;
    std::uint64_t length;
  } string = {text, 4};
  const void *pointer = &wide;
  scope.add("count", own.go_value(count, "int16"));
  scope.add("wide", own.go_value(wide, "int64"));
  scope.add("s", own.go_value(string, "string"));
  Value of_pointer = own.go_value(pointer, "int64");
  of_pointer.type.go = own.environment.go->pool->pointer_to(*of_pointer.type.go);
  scope.add("p", of_pointer);
  const auto message = [&scope](std::string_view assignment) {
    const auto plan = plan_assignment(assignment, scope);
    return plan ? fmt::format("{} writes", plan->writes.size()) : plan.error().message();
  };
  CHECK(message("count = -5") == "1 writes");
  CHECK(message("count = 70000") == "count is an int16: 70000 does not fit into int16 (-32768 to 32767)");
  CHECK(message("count = wide") == "count is an int16: a value of type int64 does not go there");
  CHECK(message("count = int16(wide)") == "1 writes");
  CHECK(message("count = nil") == "count is an int16: it is never nil");
  CHECK(message("p = nil") == "1 writes");
  CHECK(message("p = &wide") == "1 writes");
  CHECK(message("p = &count") == "p is a *int64: a value of type *int16 does not go there");
  CHECK(message("s = \"ab\"") == "2 writes");
  CHECK(message("s = \"abcd\"") == "1 writes");
  CHECK(message("s = \"longer\"") == "s is a string: 6 bytes do not fit into the 4 that it has");
  CHECK(message("s = 5").starts_with("s is a string: "));
  const auto plan = plan_assignment("s = \"ab\"", scope);
  REQUIRE(plan);
  CHECK(plan->writes[0].address.value == reinterpret_cast<std::uint64_t>(text));
  CHECK(plan->writes[1].address.value == reinterpret_cast<std::uint64_t>(&string) + 8);
  CHECK(plan->writes[1].bytes[0] == std::byte{2});
}

} // namespace inspect
