// What expressions are taken to mean, as a table; and what no text may do to the parser.
#include "values/expression/expression_parser.h"

#include "tests/support/catch.h"
#include "tests/support/fuzz_rounds.h"
#include "tests/values/expression/expression_shape.h"

#include <array>
#include <random>

namespace inspect {
namespace {

using test::shape_of;
using enum SourceLanguage;

struct ParserRow {
  SourceLanguage language;
  std::string_view text;
  std::string_view shape; ///< or the beginning of the error's message
};

/// Types are the names that begin with a capital letter.
ExpressionSyntax syntax_of(SourceLanguage language) {
  return {language, [](std::string_view name) { return name.front() >= 'A' && name.front() <= 'Z'; }};
}

std::string outcome(const ParserRow &row) {
  const auto parsed = parse_expression(row.text, syntax_of(row.language));
  return parsed ? shape_of(parsed->root) : parsed.error().message();
}

constexpr auto rows = std::to_array<ParserRow>({
    // Precedence.
    {c, "a+b*2", "(+ a (* b 2i32))"},
    {c, "a-b-c", "(- (- a b) c)"},
    {c, "a<<b+c", "(<< a (+ b c))"},
    {go, "a<<b+c", "(+ (<< a b) c)"},
    {c, "a&b==c", "(& a (== b c))"},
    {go, "a&b==c", "(== (& a b) c)"},
    {rust, "a&b==c", "(== (& a b) c)"},
    {go, "a&^b|c", "(| (&^ a b) c)"},
    {c, "a|b^c&d", "(| a (^ b (& c d)))"},
    {c, "a||b&&c", "(|| a (&& b c))"},
    {c, "a?b:c?d:e", "(?: a b (?: c d e))"},
    {c, "-a*-b", "(* (- a) (- b))"},
    {c, "!a==~b", "(== (! a) (~ b))"},
    {go, "^a&-b", "(& (~ a) (- b))"},
    {c, "*p@4", "(@ (* p) 4i32)"},
    {c, "*p@n+1", "(@ (* p) (+ n 1i32))"},
    {c, "a<b", "(< a b)"},
    {cpp, "a<b>>c", "(< a (>> b c))"},
    {cpp, "a<b && c>d", "(&& (< a b) (> c d))"},
    // Members, elements, slices.
    {go, "s.lookup[1]", "([] (.lookup s) 1i32?)"},
    {cpp, "((Foo*)ptr)->bar[2:5]", "([a:b] (.bar (cast <Foo>* ptr)) 2i32 5i32)"},
    {go, "x[:]", "([:] x)"},
    {go, "x[1:]", "([a:] x 1i32?)"},
    {rust, "x[..3]", "([:b] x 3i32?)"},
    {rust, "x[1..3]", "([a:b] x 1i32? 3i32?)"},
    {rust, "x[1..=3]", "([a:b] x 1i32? (+ 3i32? 1i32?))"},
    {rust, "x.0.1", "(.1 (.0 x))"},
    {rust, "(*x).y", "(.y (* x))"},
    {cpp, "o.Base::x", "(.Base::x o)"},
    {c, "&a.b[i]->c", "(& (.c ([] (.b a) i)))"},
    {go, "x.(data).f", "(.f (data x))"},
    {go, "x.(*main.T)", "(assert <main.T>* x)"},
    {go, "main.(*T).f", "(.f (assert <T>* main))"},
    {c, "a[b[1]]", "([] a ([] b 1i32))"},
    // Casts.
    {go, "*(*uint32)(0x7bf6c)", "(* (cast <uint32>* 507756i32?))"},
    {c, "*(*uint32)(0x7bf6c)", "(* (cast <uint32>* 507756i32))"},
    {go, "*(*pkg.Type)(0x4000460e20)", "(* (cast <pkg.Type>* 274882498080i64?))"},
    {go, "(*\"a/b\".T)(p).f", "(.f (cast <a/b.T>* p))"},
    {go, "(*main.P[int, *main.T])(p)", "(cast <main.P[int,*main.T]>* p)"},
    {go, "[]byte(s)", "(cast []<byte> s)"},
    {go, "map[string]int(m)", "(cast <map[string]int> m)"},
    {go, "(chan<- int)(c)", "(cast <chan<- int> c)"},
    {go, "(<-chan  *net/http.Server)(c)", "(cast <<-chan *net/http.Server> c)"},
    {go, "(func(a, b int, s ...string) (x, y error))(f)", "(cast <func(int, int, ...string) (error, error)> f)"},
    {go, "x.(interface{ M(int); ~int|~string })", "(assert <interface { M(int); ~int | ~string }> x)"},
    {go, "(*struct { a, b [0x10]byte `json:\"x\"`; *main.T })(p).a",
     "(.a (cast <struct { a [16]uint8 \"json:\\\"x\\\"\"; b [16]uint8 \"json:\\\"x\\\"\"; *main.T }>* p))"},
    {go, "a/b.c", "(/ a (.c b))"},
    {c, "*(*map[string][]int)(p)", "(* (cast <map[string][]int>* p))"},
    {go, "(pkg.T)(x)", "(call (.T pkg) x)"},
    {go, "uint32(x)", "(call uint32 x)"},
    {c, "(const char *)p", "(cast const <char>* p)"},
    {c, "(const char *const *)p+1", "(+ (cast const const <char>** p) 1i32)"},
    {c, "(unsigned long)x", "(cast <unsigned long> x)"},
    {c, "(long unsigned int)-1", "(cast <unsigned long> (- 1i32))"},
    {c, "(struct node *)p->next", "(cast <node>* (.next p))"},
    {c, "*(int*)0x10", "(* (cast <int>* 16i32))"},
    {c, "(int (*)[4])p", "(cast <int>[4]* p)"},
    {c, "{int}0x7bf6c", "(* (cast <int>* 507756i32))"},
    {c, "{char[4]}p", "(* (cast <char>[4]* p))"},
    {cpp, "(T)(b)", "(cast <T> b)"},
    {cpp, "(a)(b)", "(call a b)"},
    {cpp, "(T)-b*c", "(* (cast <T> (- b)) c)"},
    {cpp, "(a)-b*c", "(- a (* b c))"},
    {cpp, "(T)&b", "(cast <T> (& b))"},
    {cpp, "(a)&b", "(& a b)"},
    {cpp, "(a)b", "(cast <a> b)"},
    {cpp, "(a)+b", "(+ a b)"},
    {cpp, "(a)", "a"},
    {cpp, "static_cast<unsigned char>(x)+1", "(+ (cast <unsigned char> x) 1i32)"},
    {cpp, "reinterpret_cast<ns::Foo<int>*>(x)->y", "(.y (cast <ns::Foo<int>>* x))"},
    {cpp, "static_cast<std::vector<std::pair<int,long>>&>(x)", "(cast <std::vector<std::pair<int, long> >>& x)"},
    {cpp, "dynamic_cast<Derived*>(b)", "(dynamic_cast <Derived>* b)"},
    {cpp, "unsigned(x)", "(cast <unsigned int> x)"},
    {rust, "x as u32 as f64 * 2.0", "(* (cast <f64> (cast <u32> x)) 2f64?)"},
    {rust, "(x) as *const u8", "(cast <u8>* x)"},
    {rust, "x as &mut [u8]", "(cast <&mut [u8]> x)"},
    {rust, "*(p as *mut [u8; 4])", "(* (cast <u8>[4]* p))"},
    // Names.
    {cpp, "ns::x", "ns::x"},
    {cpp, "::x", "::x"},
    {cpp, "'ns::x'", "ns::x"},
    {c, "'file.c'::counter", "file.c::counter"},
    {c, "function::static_local", "function::static_local"},
    {go, "\"path/pkg\".Var", "path/pkg.Var"},
    {go, "pkg.Var", "(.Var pkg)"},
    {cpp, "ns::Foo<int,3>::member", "ns::Foo<int, 3>::member"},
    {cpp, "A<B<int>>::m", "A<B<int> >::m"},
    {rust, "a::b::<Vec<Vec<u8>>>::C", "a::b<Vec<Vec<u8>>>::C"},
    {cpp, "(anonymous namespace)::x + 1", "(+ (anonymous namespace)::x 1i32)"},
    {c, "$rip", "$rip"},
    {c, "%rax+1", "(+ $rax 1i32)"},
    {c, "a%b", "(% a b)"},
    {c, "a %b", "(% a b)"},
    {cpp, "this->x", "(.x this)"},
    // Literals.
    {c, "2147483648", "2147483648i64"},
    {c, "0x80000000", "2147483648u32"},
    {c, "4294967295u", "4294967295u32"},
    {c, "10ul", "10u64"},
    {c, "017", "15i32"},
    {rust, "017", "17i32?"},
    {go, "0o17", "15i32?"},
    {c, "0b101", "5i32"},
    {rust, "1_000u16", "1000u16"},
    {cpp, "1'000'000", "1000000i32"},
    {c, "0xffffffffffffffff", "18446744073709551615u64"},
    {c, "1e3", "1000f64"},
    {c, "1.5f", "1.5f32"},
    {c, ".5", "0.5f64"},
    {c, "5.", "5f64"},
    {c, "0x1p4", "16f64"},
    {go, "1e3", "1000f64?"},
    {rust, "2f32", "2f32"},
    {c, "'a'", "97c8"},
    {c, "'\\n'", "10c8"},
    {c, "'\\x41'", "65c8"},
    {c, "'\\''", "39c8"},
    {go, "'é'", "233c32?"},
    {rust, "'\\u{1F600}'", "128512c32"},
    {rust, "b'a'", "97u8"},
    {c, "\"a\\tb\\101\"", "\"a\tbA\""},
    {go, "`a\\n`", "\"a\\n\""},
    {c, "true", "true"},
    {cpp, "p==nullptr", "(== p null)"},
    // Calls and sizes.
    {go, "len(x)+cap(y)", "(+ (call len x) (call cap y))"},
    {c, "sizeof(int)", "(sizeof <int>)"},
    {c, "sizeof(x)", "(sizeof <x> x)"},
    {c, "sizeof(a[3])", "(sizeof <a>[3] ([] a 3i32))"},
    {c, "sizeof(x)[1]", "(sizeof ([] x 1i32))"},
    {c, "sizeof x + 1", "(+ (sizeof x) 1i32)"},
    {go, "unsafe.Sizeof(x)", "(call (.Sizeof unsafe) x)"},
    // What is wrong, and where.
    {c, "", "at column 1: an expression is missing"},
    {c, "(a", "at column 3: expected ')', and the text ends"},
    {c, "a + ", "at column 5: expected a value, and the text ends"},
    {c, "a b", "at column 3: expected an operator or the end, not 'b'"},
    {c, "a[1", "at column 4: expected ']', and the text ends"},
    {c, "a[1,2]", "at column 4: expected ']', not ','"},
    {c, "a++", "at column 2: expressions change nothing"},
    {c, "a = 5", "at column 3: expected an operator or the end, not '='"},
    {c, "\"abc", "at column 1: the \" has no end"},
    {c, "12abc", "at column 1: 12abc is not a number: its 'abc' means nothing"},
    {c, "99999999999999999999", "at column 1: 99999999999999999999 does not fit in 64 bits"},
    {rust, "300u8", "at column 1: 300u8 does not fit its type"},
    {c, "a.+", "at column 3: expected a member's name, not '+'"},
    {c, "x \x01", "at column 3: byte 0x01 has no meaning"},
    {c, "(long int)", "at column 7: expected ')', not 'int'"},
    {c, "f(a b)", "at column 5: expected ',' or ')', not 'b'"},
    {go, "x ? y : z", "at column 3: expected an operator"},
    {c, "a &^ b", "at column 3: expected an operator"},
    {c, "alignof(int)", "at column 1: the debug information does not tell alignments"},
});

} // namespace

TEST_CASE("expressions are parsed by the rules of their language") {
  for (const ParserRow &row : rows) {
    CAPTURE(row.text, static_cast<int>(row.language));
    const std::string actual = outcome(row);
    if (row.shape.starts_with("at column"))
      CHECK(actual.substr(0, row.shape.size()) == row.shape);
    else
      CHECK(actual == row.shape);
  }
}

TEST_CASE("expressions have bounds") {
  const auto times = [](std::string_view part, std::size_t count) {
    std::string text;
    while (count-- > 0)
      text += part;
    return text;
  };
  const ExpressionSyntax syntax = syntax_of(cpp);
  CHECK(parse_expression(times("(", 90) + "x" + times(")", 90), syntax));
  CHECK(parse_expression(times("-", 1) + times(" -", 80) + "x", syntax));
  CHECK(parse_expression("x" + times("+x", 90), syntax));
  for (const std::string &text :
       {times("(", 2000) + "x" + times(")", 2000), times("- ", 2000) + "x", "x" + times("+x", 2000), times("a<", 2000),
        times("a[", 2000), "x" + times(".y", 2000), times("*", 4000), times("(*", 2000), times("(int)", 800) + "x",
        times("{int}", 800) + "x", times("sizeof ", 500) + "x", times("a?", 2000), "(" + times("*", 3000) + "T)(x)",
        "(int" + times("*", 3000) + ")x", times("[]", 2000) + "T(x)", times("x", 5000), times("f(", 2000),
        times("static_cast<", 300), times("a<b>>", 800)}) {
    CAPTURE(text.substr(0, 20));
    const auto parsed = parse_expression(text, syntax);
    REQUIRE_FALSE(parsed);
    CHECK(parsed.error().kind() == ErrorKind::usage);
  }
}

TEST_CASE("an assignment is split at its own equals sign") {
  const auto shape = [](std::string_view text) {
    const auto parsed = parse_assignment_expression(text, syntax_of(cpp));
    return parsed ? shape_of(parsed->target.root) + " := " + shape_of(parsed->value.root) : parsed.error().message();
  };
  CHECK(shape("x = 5") == "x := 5i32");
  CHECK(shape("var x = 5") == "x := 5i32");
  CHECK(shape("variable *p = y") == "(* p) := y");
  CHECK(shape("var = 5") == "var := 5i32");
  CHECK(shape("a[i == 2] = b <= c") == "([] a (== i 2i32)) := (<= b c)");
  CHECK(shape("x += 1") == "x := (+ x 1i32)");
  CHECK(shape("$rax = 5") == "$rax := 5i32");
  CHECK(shape("{int}0x7bf6c = 5") == "(* (cast <int>* 507756i32)) := 5i32");
  CHECK(shape("x == 5") == "set needs PLACE = VALUE");
  CHECK(shape("x = ") == "at column 5: an expression is missing");
  CHECK(shape("x y = 2") == "at column 3: expected an operator or the end, not 'y'");
}

TEST_CASE("a caret stands below the column of an error") {
  const auto parsed = parse_expression("alpha + * 2 )", syntax_of(c));
  REQUIRE_FALSE(parsed);
  REQUIRE(column_of(parsed.error()) == 13);
  CHECK(caret_line("alpha + * 2 )", 13) == "alpha + * 2 )\n            ^");
  CHECK(caret_line("é + )", 6) == "é + )\n    ^");
  CHECK(caret_line("a\tb", 9) == "a b\n   ^");
  CHECK(caret_line("", 0) == "\n^");
  CHECK_FALSE(column_of(Error(ErrorKind::usage, "at column x: y")));
  CHECK_FALSE(column_of(Error(ErrorKind::usage, "at column 7")));
}

namespace {

/// Words that are likely to fit together, and some that never do.
std::string token_soup(std::mt19937_64 &random) {
  constexpr auto words = std::to_array<std::string_view>({"a",
                                                          "b",
                                                          "T",
                                                          "ns::x",
                                                          "(",
                                                          ")",
                                                          "[",
                                                          "]",
                                                          "{",
                                                          "}",
                                                          "<",
                                                          ">",
                                                          ">>",
                                                          "<<",
                                                          "*",
                                                          "&",
                                                          "&&",
                                                          "-",
                                                          "+",
                                                          "/",
                                                          "%",
                                                          "->",
                                                          ".",
                                                          "..",
                                                          "..=",
                                                          "::",
                                                          "int",
                                                          "const",
                                                          "5",
                                                          "0x7f",
                                                          "1.",
                                                          ".5",
                                                          "'",
                                                          "'a'",
                                                          "\"",
                                                          "\"s\"",
                                                          "?",
                                                          ":",
                                                          ",",
                                                          "sizeof",
                                                          "as",
                                                          "$rip",
                                                          "@",
                                                          "!",
                                                          "~",
                                                          "==",
                                                          "static_cast<",
                                                          "(int)",
                                                          "(*T)",
                                                          ".(data)",
                                                          "u8",
                                                          "nil",
                                                          "map[",
                                                          "chan",
                                                          "func(",
                                                          "struct",
                                                          "=",
                                                          "\\",
                                                          "\x80",
                                                          "1e",
                                                          "unsigned",
                                                          " ",
                                                          "&^",
                                                          "|",
                                                          "||"});
  std::string text;
  for (std::uint64_t count = random() % 40; count > 0; --count) {
    text += words[random() % words.size()];
    if (random() % 3 == 0)
      text += ' ';
  }
  return text;
}

std::string damaged_row(std::mt19937_64 &random) {
  std::string text(rows[random() % rows.size()].text);
  for (std::uint64_t count = random() % 4; count > 0 && !text.empty(); --count) {
    const std::size_t at = random() % text.size();
    switch (random() % 4) {
    case 0:
      text.erase(at, 1);
      break;
    case 1:
      text[at] = static_cast<char>(random());
      break;
    case 2:
      text.insert(at, text.substr(random() % text.size()));
      break;
    default:
      text.insert(at, rows[random() % rows.size()].text);
    }
  }
  return text;
}

void check_places(const ExpressionNode &node, std::size_t size) {
  CHECK(node.begin <= node.end);
  CHECK(node.end <= size);
  CHECK(node.mark <= size);
  CHECK(node.depth <= max_expression_nesting);
  for (const ExpressionNode &operand : node.operands)
    check_places(operand, size);
}

} // namespace

TEST_CASE("damaged expressions are parsed or refused at a place within them") {
  constexpr auto languages = std::to_array({unknown, c, cpp, rust, go});
  for (int round = 0; test::fuzz_goes_on(round, 3000); ++round) {
    std::mt19937_64 random(static_cast<unsigned>(round));
    const std::string text = round % 2 == 0 ? token_soup(random) : damaged_row(random);
    const ExpressionSyntax syntax = syntax_of(languages[random() % languages.size()]);
    CAPTURE(round, text);
    const auto parsed = parse_expression(text, syntax);
    static_cast<void>(parse_assignment_expression(text, syntax));
    static_cast<void>(parse_type(text, syntax));
    if (parsed) {
      check_places(parsed->root, text.size());
      continue;
    }
    CHECK(parsed.error().kind() == ErrorKind::usage);
    const auto column = column_of(parsed.error());
    if (text.size() <= max_expression_length) {
      REQUIRE(column);
      CHECK(*column <= text.size() + 1);
      CHECK_FALSE(caret_line(text, *column).empty());
    }
  }
}

} // namespace inspect
