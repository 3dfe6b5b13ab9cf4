#include "tests/commands/truth/go_programs.h"

#include "tests/commands/truth/go_questions.h"
#include "tests/commands/truth/go_teller.h"

#include <array>
#include <fmt/format.h>
#include <set>

namespace inspect::test {
namespace {

/// What every program has.
constexpr std::string_view common = R"go(
type @failure struct {
	Code int
	Why  string
}

func (f *@failure) Error() string { return f.Why }

type @fault uint8

func (f @fault) Error() string { return "fault" }

type @pair[K comparable, V any] struct {
	First  K
	Second V
}

func pointerTo[T any](value T) *T { return &value }

func filled[T any](c chan T, value T) chan T {
	c <- value
	return c
}

//go:noinline
func made[T any](value T) T { return value }

func first(count int, problem error) int { return count }

func double(n int) int { return 2 * n }

//go:noinline
func adder(by int) func(int) int { return func(n int) int { return n + by } }

)go";

std::string with_replaced(std::string text, std::string_view from, std::string_view to) {
  for (std::size_t at = 0; (at = text.find(from, at)) != std::string::npos; at += to.size())
    text.replace(at, from.size(), to);
  return text;
}

std::string in_go_quotes(std::string_view text) {
  std::string result = "\"";
  for (const char c : text)
    result += c == '"' || c == '\\' ? fmt::format("\\{}", c) : std::string(1, c);
  return result + "\"";
}

/// How a function of the chain looks; a thin one is inlined where the program is optimised.
enum class GoFunctionShape { plain, method, closure, generic, thin };

struct GoFunctionText {
  int number = 0;
  GoFunctionShape shape = GoFunctionShape::plain;
  std::string place;
  std::string called; ///< "f2[int]", "(&s1{…}).f2"
  std::string header; ///< up to the brace
  std::vector<GoTestVariable> scope;
  std::string parameters, arguments;
  std::string before, after; ///< statements around the call
  std::string opened;        ///< a block around the call
  std::vector<GoTestVariable> in_block;
  std::string in_teller; ///< statements that give variables their types in the teller
  bool two_results() const { return number % 3 == 0 && shape != GoFunctionShape::thin; }
};

class GoProgramMaker {
public:
  explicit GoProgramMaker(std::uint64_t seed) : choose_(seed), types_(choose_) {}

  GoTruthProgram make();

private:
  void add_global(int number);
  std::string innermost();
  std::string add_function(int number, const std::string &call);
  void add_kind(GoFunctionText &function);
  void add_parameters(GoFunctionText &function);
  void add_locals(GoFunctionText &function, int count);
  void open_block(GoFunctionText &function, std::string_view indent);
  void write_thin(GoFunctionText &function, const std::string &call);
  void write_plain(GoFunctionText &function, const std::string &call);
  void write_closure(GoFunctionText &function, const std::string &call);
  std::string told(const GoFunctionText &function, const std::string &place, const std::vector<GoTestVariable> &scope,
                   std::size_t paths, std::size_t trees);
  std::string value_of(const GoTestType &type, const std::vector<GoTestVariable> &scope);

  RandomChoice choose_;
  GoTypes types_;
  GoTestType any_{.kind = GoTypeKind::any, .name = "interface{}"};
  GoTruthProgram program_;
  std::vector<GoTestVariable> globals_;
  std::string globals_text_, source_, teller_;
};

GoTruthProgram GoProgramMaker::make() {
  for (int i = 0; i < 6; ++i)
    add_global(i);
  std::string call = innermost();
  constexpr int functions = 6;
  for (int i = 1; i <= functions; ++i)
    call = add_function(i, call);
  std::string main_function = fmt::format("func main() {{\n\tend := {}\n\truntime.KeepAlive(end)\n", call);
  for (const GoTestVariable &one : globals_) // the linker leaves out what nobody uses
    main_function += fmt::format("\truntime.KeepAlive({})\n", one.name);
  main_function += "}\n";
  const auto whole = [&](const std::string &functions_text, std::string_view imports, const std::string &rest) {
    std::string text = "// Made by tests/commands/truth/go_programs.cpp.\npackage main\n\nimport (\n\t\"errors\"\n"
                       "\t\"fmt\"\n\t\"runtime\"\n\t\"time\"\n";
    text += std::string(imports) + ")\n\nvar _ = errors.New\n";
    text += std::string(common) + types_.declarations() + globals_text_ + functions_text + main_function + rest;
    return with_replaced(std::move(text), "@", "");
  };
  program_.source = whole(source_, "", "");
  program_.teller = whole(teller_, go_teller_imports,
                          go_teller_functions({{"color", {"Red", "Green", "Blue", "Grey"}, false},
                                               {"right", {"Read", "Write", "Run", "Own"}, true}}));
  return std::move(program_);
}

void GoProgramMaker::add_global(int number) {
  const GoTestType *held = nullptr;
  const bool is_any = choose_.once_in(4);
  const GoTestType &type = types_.any_type();
  const std::string literal = is_any ? types_.held_literal(held) : types_.literal(type);
  globals_text_ += fmt::format("var g{} = {}\n\n", number, literal);
  globals_.push_back({fmt::format("@g{}", number), is_any ? &any_ : &type, held});
}

std::string GoProgramMaker::innermost() {
  source_ += "//go:noinline\nfunc rest(from int) int {\n\tfmt.Println(\"ready\")\n\tfor from != 1<<40 {\n"
             "\t\ttime.Sleep(time.Hour)\n\t}\n\treturn from\n}\n\n";
  teller_ += "//go:noinline\nfunc rest(from int) int {\n\treturn from\n}\n\n";
  program_.places.emplace_back("main.rest");
  program_.questions.push_back({.place = "main.rest", .command = "print from"});
  return "rest(1)";
}

/// A literal, made at run time or not, or a variable of the type.
std::string GoProgramMaker::value_of(const GoTestType &type, const std::vector<GoTestVariable> &scope) {
  if (choose_.once_in(3))
    for (const GoTestVariable &one : scope)
      if (one.type == &type && one.held == nullptr)
        return one.name;
  const std::string literal = types_.literal(type);
  return choose_.once_in(3) ? literal : fmt::format("made[{}]({})", type.name, literal);
}

void GoProgramMaker::add_parameters(GoFunctionText &function) {
  const std::size_t count = choose_.below(5);
  for (std::size_t i = 0; i < count; ++i) {
    const GoTestType &type = types_.any_type();
    const std::string name = fmt::format("p{}", i);
    function.parameters += fmt::format("{}{} {}", i == 0 ? "" : ", ", name, type.name);
    function.arguments += fmt::format("{}{}", i == 0 ? "" : ", ", value_of(type, globals_));
    function.scope.push_back({name, &type, nullptr});
  }
  if (function.two_results())
    function.scope.push_back({"count", &types_.integer("int"), nullptr});
}

/// Methods have a receiver, generic functions parameters of their type.
void GoProgramMaker::add_kind(GoFunctionText &function) {
  const std::string name = fmt::format("f{}", function.number);
  std::string receiver, generic;
  function.place = "main." + name;
  function.called = name;
  if (function.shape == GoFunctionShape::method) {
    const GoTestType &type = types_.structure();
    receiver = fmt::format("(self *{}) ", type.name);
    function.place = fmt::format("main.(*{}).{}", type.name.substr(1), name);
    function.called = fmt::format("(&{}).{}", types_.literal(type), name);
    function.scope.push_back({"self", &types_.pointer_to(type), nullptr});
  } else if (function.shape == GoFunctionShape::generic) {
    const GoTestType &type = types_.any_type();
    generic = "[T any]";
    function.place += "[...]";
    function.called += fmt::format("[{}]", type.name);
    const std::string_view comma = function.parameters.empty() ? "" : ", ";
    function.parameters += fmt::format("{}one T, many []T", comma);
    function.arguments += fmt::format("{}{}, []{}{{{}}}", comma, types_.literal(type), type.name, types_.literal(type));
    function.scope.push_back({"one", &type, nullptr});
    function.scope.push_back({"many", &types_.slice_of(type), nullptr});
    function.in_teller = fmt::format("one := *(interface{{}}(&one).(*{0})); _ = one; "
                                     "many := *(interface{{}}(&many).(*[]{0})); _ = many; ",
                                     type.name);
  }
  function.header = fmt::format(
      "{}func {}{}{}({}) {} {{\n", function.shape == GoFunctionShape::thin ? "" : "//go:noinline\n", receiver, name,
      generic, function.parameters, function.two_results() ? "(count int, problem error)" : "int");
}

void GoProgramMaker::add_locals(GoFunctionText &function, int count) {
  const bool kept = function.shape != GoFunctionShape::thin;
  for (int i = 0; i < count; ++i) {
    const GoTestType *held = nullptr;
    const bool is_any = choose_.once_in(6);
    const GoTestType &type = types_.any_type(3);
    const std::string name = fmt::format("v{}", i);
    const std::string value =
        is_any ? fmt::format("made({})", types_.held_literal(held)) : value_of(type, function.scope);
    function.before += choose_.once_in(3) && !is_any ? fmt::format("\tvar {} {} = {}\n", name, type.name, value)
                                                     : fmt::format("\t{} := {}\n", name, value);
    function.before += fmt::format("\t_ = {}\n", name);
    if (kept && choose_.once_in(5))
      function.after += fmt::format("\truntime.KeepAlive(&{})\n", name);
    else if (kept && !choose_.once_in(4))
      function.after += fmt::format("\truntime.KeepAlive({})\n", name);
    function.scope.push_back({name, is_any ? &any_ : &type, held});
  }
}

/// A block around the call, perhaps with variables of its own, which may hide another.
void GoProgramMaker::open_block(GoFunctionText &function, std::string_view indent) {
  const GoTestType &type = types_.any_type();
  switch (choose_.below(4)) {
  case 0:
    function.opened = fmt::format("{0}for i, each := range []string{{\"one\", \"two\"}} {{\n{0}\tif i == 0 {{\n"
                                  "{0}\t\tcontinue\n{0}\t}}\n{0}\t_ = each\n",
                                  indent);
    function.in_block = {{"i", &types_.integer("int"), nullptr}, {"each", &types_.text(), nullptr}};
    break;
  case 1:
    function.opened = fmt::format("{0}{{\n{0}\tv0 := {1}\n{0}\t_ = v0\n", indent, value_of(type, {}));
    function.in_block = {{"v0", &type, nullptr}};
    break;
  case 2:
    function.opened = fmt::format("{}if inner := made(\"inner\"); len(inner) < 100 {{\n", indent);
    function.in_block = {{"inner", &types_.text(), nullptr}};
    break;
  default:
    function.opened = fmt::format("{}{{\n", indent);
  }
}

/// The teller's statements for questions at a place.
std::string GoProgramMaker::told(const GoFunctionText &function, const std::string &place,
                                 const std::vector<GoTestVariable> &scope, std::size_t paths, std::size_t trees) {
  std::vector<GoTestVariable> all = scope;
  all.insert(all.end(), globals_.begin(), globals_.end());
  std::set<std::string> asked;
  std::string statements;
  for (const GoTestQuestion &one : GoQuestions(types_, choose_, all).all(paths, trees)) {
    const std::string command =
        with_replaced(one.command + " " + one.expression + (one.of_held ? ".(data)" : ""), "@", "main.");
    if (!asked.insert(command).second)
      continue;
    const bool hides = !function.in_block.empty() && function.in_block.front().name == "v0" &&
                       one.expression.find("v0") != std::string::npos;
    program_.questions.push_back({place, command, hides});
    const bool is_conversion = one.command == "print" && one.expression.starts_with("[]");
    const std::string how = one.of_held                         ? "held"
                            : is_conversion                     ? "converted"
                            : one.command.starts_with("print ") ? one.command.substr(6)
                                                                : one.command;
    if (one.has_truth)
      statements +=
          fmt::format("\ttell({}, {}, {}, func() interface{{}} {{ {}r := {}; return &r }})\n", in_go_quotes(place),
                      in_go_quotes(command), in_go_quotes(how), function.in_teller, one.expression);
  }
  return statements;
}

/// Of the scope and the block: what hides comes in place of what it hides.
std::vector<GoTestVariable> with_block(std::vector<GoTestVariable> scope, const std::vector<GoTestVariable> &block) {
  for (const GoTestVariable &inner : block) {
    std::erase_if(scope, [&](const GoTestVariable &one) { return one.name == inner.name; });
    scope.push_back(inner);
  }
  return scope;
}

void GoProgramMaker::write_thin(GoFunctionText &function, const std::string &call) {
  program_.places.push_back(function.place);
  const std::string questions = told(function, function.place, function.scope, 8, 6);
  const std::string end = fmt::format("\treturn {} + 1\n}}\n\n", call);
  source_ += function.header + function.before + end;
  teller_ += function.header + function.before + questions + end;
}

std::string start_of_go(const GoFunctionText &function) {
  return function.header + "\tresult := made(0)\n" + (function.two_results() ? "\tcount = 7\n\tproblem = nil\n" : "") +
         function.before;
}

std::string end_of_go(const GoFunctionText &function) {
  return function.after + "\tlate := made(result)\n\truntime.KeepAlive(late)\n\treturn " +
         (function.two_results() ? "result, problem" : "result + 1") + "\n}\n\n";
}

void GoProgramMaker::write_plain(GoFunctionText &function, const std::string &call) {
  open_block(function, "\t");
  program_.places.push_back(function.place);
  const std::string questions = told(function, function.place, with_block(function.scope, function.in_block), 18, 18);
  for (const std::string_view name : {"late", "result"})
    program_.questions.push_back({.place = function.place, .command = fmt::format("print {}", name)});
  const std::string end = fmt::format("\t\tresult += {}\n\t}}\n{}", call, end_of_go(function));
  source_ += start_of_go(function) + function.opened + end;
  teller_ += start_of_go(function) + function.opened + questions + end;
}

/// The call is made by a function literal that has captured some of the variables.
void GoProgramMaker::write_closure(GoFunctionText &function, const std::string &call) {
  std::vector<GoTestVariable> captured;
  std::string mentions;
  for (const GoTestVariable &one : function.scope)
    if (one.name != "count" && !choose_.once_in(3)) {
      captured.push_back(one);
      mentions += fmt::format("\t\truntime.KeepAlive({})\n", one.name);
    }
  captured.push_back({"by", &types_.integer("int"), nullptr});
  open_block(function, "\t\t");
  const std::string inside = function.place + ".func1";
  program_.places.push_back(inside);
  const std::string told_inside = told(function, inside, with_block(captured, function.in_block), 12, 12);
  program_.places.push_back(function.place);
  const std::string told_outside = told(function, function.place, function.scope, 8, 6);
  const std::string begin = start_of_go(function) + "\tstep := func(by int) {\n" + function.opened;
  const std::string middle = fmt::format("\t\t\tresult += {} + by\n\t\t}}\n{}\t}}\n", call, mentions);
  const std::string end = "\tstep(3)\n" + end_of_go(function);
  source_ += begin + middle + end;
  teller_ += begin + told_inside + middle + told_outside + end;
}

/// Adds a function that makes the call, and returns a call of it.
std::string GoProgramMaker::add_function(int number, const std::string &call) {
  static constexpr std::array shapes = {GoFunctionShape::plain, GoFunctionShape::method,  GoFunctionShape::closure,
                                        GoFunctionShape::plain, GoFunctionShape::generic, GoFunctionShape::thin};
  GoFunctionText function;
  function.number = number;
  function.shape = shapes[(static_cast<std::size_t>(number) + choose_.below(2)) % shapes.size()];
  add_parameters(function);
  add_kind(function);
  add_locals(function, function.shape == GoFunctionShape::thin ? 1 : 3 + static_cast<int>(choose_.below(5)));
  if (function.shape == GoFunctionShape::thin)
    write_thin(function, call);
  else if (function.shape == GoFunctionShape::closure)
    write_closure(function, call);
  else
    write_plain(function, call);
  return fmt::format(fmt::runtime(function.two_results() ? "first({}({}))" : "{}({})"), function.called,
                     function.arguments);
}

} // namespace

GoTruthProgram go_truth_program(std::uint64_t seed) {
  return GoProgramMaker(seed).make();
}

} // namespace inspect::test
