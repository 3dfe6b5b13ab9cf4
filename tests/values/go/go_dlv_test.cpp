// The same expressions on the same process, evaluated by dlv and by us. dlv 1.20 reads programs of Go 1.16 to 1.20, so
// it is Debian's toolchain that builds the program.
//
// Not among them is what we say differently on purpose: the capacity of a slice expression (dlv gives its length),
// values in interfaces deeper than values are followed (dlv gives an address for numbers and texts, too), channels
// (dlv's print gives the runtime's structure, ours counts and elements), time.Duration as time, floats as Go's %v has
// them.
#include "tests/support/catch.h"
#include "tests/support/go_toolchain.h"
#include "tests/support/run_command.h"
#include "tests/support/skip.h"
#include "tests/support/temporary_directory.h"
#include "tests/values/go/go_values.h"
#include "values/expression/expression_evaluator.h"
#include "values/go/go_type_names.h"
#include "values/go/go_variables.h"
#include "values/print_request.h"
#include "values/value_text.h"

#include <algorithm>
#include <fmt/format.h>

namespace inspect {
namespace {

using namespace test;

/// One global variable, and the program's types.
class TableScope final : public NameScope {
public:
  TableScope(Value table, ValueEnvironment &environment) : table_(std::move(table)), environment_(environment) {}
  Result<Value> find(std::string_view name) override {
    if (name == "main.Table")
      return table_;
    return std::unexpected(Error(ErrorKind::not_found, "no such variable"));
  }
  Result<ValueType> find_type(std::string_view name) override { return parse_go_type(name, environment_); }
  Result<Value> find_register(std::string_view) override {
    return std::unexpected(Error(ErrorKind::not_found, "no registers"));
  }
  SourceLanguage language() const override { return SourceLanguage::go; }
  ValueEnvironment &environment() override { return environment_; }
  std::vector<std::string> names_like(std::string_view, std::size_t) override { return {}; }

private:
  Value table_;
  ValueEnvironment &environment_;
};

const std::vector<std::string> expressions = {
    "main.Table.Name",
    "main.Table.Id",
    "main.Table.base.Id",
    "main.Table.X",
    "main.Table.Chain.Next.Next.Value",
    "main.Table.Chain.Next.Next",
    "main.Table.Chain",
    "main.Table.Ring",
    "main.Table.Text",
    "main.Table.Long",
    "main.Table.Long[90:]",
    "main.Table.Text[0]",
    "main.Table.Ints",
    "main.Table.Ints[1]",
    "main.Table.Ints[1:3][1]",
    "main.Table.Many",
    "main.Table.Many[98:][1]",
    "main.Table.Points",
    "main.Table.Points[1].Y",
    "main.Table.Pointers",
    "main.Table.Nested",
    "main.Table.Array",
    "main.Table.Array[1:3][1]",
    "main.Table.Matrix",
    "main.Table.Bytes",
    "main.Table.Runes",
    "main.Table.ByName",
    "main.Table.ByName[\"a\"]",
    "main.Table.ByName[\"a\"].X",
    "main.Table.ByNumber[998001]",
    "main.Table.Large[\"large\"][39]",
    "main.Table.Pointees",
    "main.Table.Pointees[\"p\"].Y",
    "main.Table.Any",
    "main.Table.Any.(int)",
    "main.Table.Any.(data)",
    "main.Table.AnyPoint",
    "main.Table.AnyPointer",
    "main.Table.AnyText",
    "main.Table.AnyColor",
    "main.Table.Error",
    "main.Table.Error.(data)",
    "main.Table.Function",
    "main.Table.Closure",
    "main.Table.Color",
    "main.Table.NoColor",
    "main.Table.Access",
    "main.Table.NoAccess",
    "main.Table.Zone",
    "main.Table.Zone.wall",
    "main.Table.C64",
    "main.Table.F32",
    "main.Table.F64",
    "main.Table.I8",
    "main.Table.U64",
    "main.Table.Word",
    "main.Table.Rune",
    "main.Table.Bool",
    "main.Table.ToInt",
    "*main.Table.ToInt",
    "main.Table.ToText",
    "main.Table.ToSlice",
    "main.Table.ToMap",
    "main.Table.ToPointer",
    "**main.Table.ToPointer",
    "main.Table.Inline",
    "main.Table.Inline.A",
    "main.Table.Pair",
    "main.Table.NilMap",
    "main.Table.NilSlice",
    "main.Table.NilPointer",
    "main.Table.NilError",
    "main.Table.NilAny",
    "main.Table.NilFunc",
    "main.Table.Nothing",
    "main.Table.NoTexts",
    "main.Table.NoEntries",
    "main.Table.Deep.A.B.C.D[\"k\"].E[0].F.G",
    "main.Table.middle",
    "&main.Table.Points[1]",
    "&main.Table.Inline",
    "len(main.Table.Ints)",
    "cap(main.Table.Ints)",
    "len(main.Table.Text)",
    "len(main.Table.ByNumber)",
    "len(main.Table.Channel)",
    "cap(main.Table.Channel)",
    "main.Table.Ints[0] + 2*3",
    "main.Table.Ints[0] < main.Table.Ints[1]",
    "main.Table.Name == \"promoted\"",
    "main.Table.NilPointer == nil",
    "main.Table.Chain != nil && main.Table.Bool",
    "!main.Table.Bool",
    "-main.Table.Ints[2]",
    "uint8(main.Table.I8)",
    "int64(main.Table.F64)",
    "float64(main.Table.Ints[2])",
    "string(main.Table.Bytes)",
    "(*main.point)(main.Table.Unsafe).X",
    "%x main.Table.Word",
    "%#x main.Table.Ints",
    "%d main.Table.Ints",
    "%o main.Table.Word",
    "%b main.Table.Word",
    "%x main.Table.Name",
    "%q main.Table.Name",
    "%x main.Table.I8",
    "%x main.Table.Points",
    "%#x main.Table.Name",
    "main.Table.AnyPointer.(*main.point).Y",
    "main.Table.Chain.Holds.(*main.point)",
    "main.Table.Ints[2:][0]",
};

/// dlv breaks long values into lines, each with a comma at its end.
std::string on_one_line(std::string text) {
  std::string flat;
  for (const char c : text)
    if (c != '\n' && c != '\t')
      flat += c;
  for (const auto &[from, to] :
       {std::pair<std::string_view, std::string_view>{",}", "}"}, {", ]", "]"}, {",]", "]"}, {", ", ","}, {" }", "}"}})
    for (std::size_t at = 0; (at = flat.find(from, at)) != std::string::npos; at += to.size())
      flat.replace(at, from.size(), to);
  return flat;
}

/// What dlv says to each; the marks between the answers are expressions, too.
std::vector<std::string> answers_of_dlv(int process) {
  const TemporaryDirectory directory;
  std::string commands;
  for (const std::string &one : expressions)
    commands += fmt::format("print \"=\" + \"=mark\"\nprint {}\n", one);
  const std::string script = directory.write("script", commands + "print \"=\" + \"=mark\"\nexit\n");
  const CommandResult result = run_command(
      {"dlv", "attach", std::to_string(process), "--allow-non-terminal-interactive=true", "--init", script});
  std::vector<std::string> answers;
  const std::string mark = "\"==mark\"\n";
  std::size_t at = result.out.find(mark);
  while (at != std::string::npos) {
    const std::size_t begin = at + mark.size();
    at = result.out.find(mark, begin);
    if (at != std::string::npos)
      answers.push_back(result.out.substr(begin, at - begin));
  }
  return answers;
}

TEST_CASE("expressions on Go values have the answers that dlv gives") {
  if (!have_program("dlv"))
    SKIP_TEST("dlv is not installed");
  const std::vector<GoToolchain> toolchains = go_toolchains();
  const auto go = std::ranges::find_if(toolchains, [](const GoToolchain &one) { return one.minor == 19; });
  if (go == toolchains.end())
    SKIP_TEST("Go 1.19, whose programs dlv 1.20 reads, is not installed");
  GoValues program({build_go(*go, "value_expressions")});
  RunAddress place;
  for (std::string line; (line = program.child().read_line()) != "ready";)
    if (line.starts_with("at "))
      place.value = std::stoull(line.substr(3), nullptr, 16);
  const std::vector<std::string> answers = answers_of_dlv(program.child().pid());
  if (answers.empty())
    SKIP_TEST("dlv cannot attach here");
  REQUIRE(answers.size() == expressions.size());
  program.open();
  ValueEnvironment &environment = program.environment();
  const auto type = parse_go_type("*main.table", environment);
  REQUIRE(type.has_value());
  TableScope scope(go_value_at(*type->go->element, place, environment), environment);
  for (std::size_t i = 0; i < expressions.size(); ++i) {
    INFO(expressions[i]);
    const auto request = parse_print_request(expressions[i], {});
    REQUIRE(request.has_value());
    const auto value = evaluate(request->expression, scope);
    const std::string ours = value ? value_text(*value, environment, request->options) : value.error().message();
    CHECK(on_one_line(ours) == on_one_line(answers[i]));
  }
}

} // namespace
} // namespace inspect
