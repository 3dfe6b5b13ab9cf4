// Expressions, assignments and types of C, C++, Rust and Go, and Go's declarations.
// People type them, and scripts that got them from elsewhere.
#include "golang/signatures/signatures.h"
#include "golang/types/type_grammar.h"
#include "tests/fuzz/fuzz_input.h"
#include "tests/fuzz/fuzz_target.h"
#include "values/expression/expression_parser.h"

namespace inspect::test {
namespace {

void check_place(const ExpressionNode &node, std::size_t size) {
  fuzz_check(node.begin <= node.end && node.end <= size && node.mark <= size, "a node lies in its text");
  fuzz_check(node.depth <= max_expression_nesting, "nesting is bounded");
  for (const ExpressionNode &operand : node.operands)
    check_place(operand, size);
}

bool run_expressions(std::span<const std::byte> bytes) {
  FuzzInput input(bytes);
  const std::uint64_t choice = input.number(1);
  const std::string_view text = input.rest();
  if (choice % 8 == 7) {
    GoTypePool pool;
    const auto declarations = parse_go_declarations(text, pool);
    return declarations && !declarations->empty();
  }
  if (choice % 8 == 6) {
    GoTokens tokens(text);
    GoTypeParser parser(tokens);
    const GoTypeSyntax type = parser.type();
    if (parser.failure()) {
      fuzz_check(parser.failure()->offset <= text.size(), "a failure has its place in the text");
      static_cast<void>(place_in_text(text, parser.failure()->offset));
      return false;
    }
    return !go_type_text(type).empty();
  }
  const auto is_type = [](std::string_view name) {
    fuzz_check(!name.empty(), "a name has letters");
    return name.front() >= 'A' && name.front() <= 'Z';
  };
  const ExpressionSyntax syntax{static_cast<SourceLanguage>(choice % 8 % 5), is_type};
  const auto type = parse_type(text, syntax);
  const auto assignment = parse_assignment_expression(text, syntax);
  const auto expression = parse_expression(text, syntax);
  if (assignment) {
    check_place(assignment->target.root, text.size());
    check_place(assignment->value.root, text.size());
  }
  if (expression) {
    check_place(expression->root, text.size());
    return true;
  }
  fuzz_check(expression.error().kind() == ErrorKind::usage, "what cannot be read is a mistake of who typed it");
  const auto column = column_of(expression.error());
  fuzz_check(text.size() > max_expression_length || column, "an error names its column");
  if (column) {
    fuzz_check(*column <= text.size() + 1, "an error's column lies in its text");
    static_cast<void>(caret_line(text, *column));
  }
  return type.has_value() || assignment.has_value();
}

std::vector<std::string> expression_seeds() {
  const auto seed = [](SourceLanguage language, std::string_view text) {
    return FuzzSeed().number(static_cast<std::uint64_t>(language), 1).raw(text).text();
  };
  using enum SourceLanguage;
  std::vector<std::string> seeds{
      seed(cpp, "((Foo<int, 3>*)ptr)->bar[2:5] + sizeof(unsigned long)"),
      seed(cpp, "dynamic_cast<ns::Derived *>(base)->f.x == nullptr ? 'a' : L\"b\\n\\x41\""),
      seed(c, "*(struct s *)0x7f00 = 1.5e3f"),
      seed(c, "{int} $rsp + 8 | (unsigned char)-1 >> 2"),
      seed(c, "*argv@argc"),
      seed(rust, "(x as &mut [u8])[1..3].0 != *p && !q"),
      seed(go, "s.(*net/http.Server).handlers[\"a\"].(data)"),
      seed(go, "len(m[key]) &^ 0b1010_1 << 3"),
      seed(go, "var x.next = nil"),
      seed(unknown, "file.c::counter += 1"),
      seed(cpp, "std::map<std::string, std::vector<int>>"),
      FuzzSeed()
          .number(6, 1)
          .raw("map[string]struct { a, b int `json:\"x\"`; *net/http.Server; f func(x ...[]byte) (<-chan error) }")
          .text(),
      FuzzSeed().number(6, 1).raw("interface { ~int | string; M(a int) error; comparable }").text(),
      FuzzSeed()
          .number(7, 1)
          .raw("type node struct { next *node; grid [3][4]int32; m map[string]bag }\ntype bag []bag\n"
               "func (p *node) f(a []string, b, c int, rest ...interface{}) (int, error)")
          .text(),
      FuzzSeed().number(7, 1).raw("func g[T any](x T, s Pair[int, string]) // remark").text()};
  return seeds;
}

const RegisteredFuzzTarget expressions_target{
    {.name = "expressions", .run = run_expressions, .seeds = expression_seeds, .max_size = 5000}};

} // namespace
} // namespace inspect::test
