#include "golang/types/type_grammar.h"

#include "tests/support/catch.h"

#include <fmt/format.h>
#include <map>
#include <random>

namespace inspect {
namespace {

/// As it is printed, or "column: what" of the failure.
std::string read(std::string_view text) {
  GoTokens tokens(text);
  GoTypeParser parser(tokens);
  const GoTypeSyntax type = parser.type();
  if (parser.next().kind != GoToken::Kind::end)
    parser.fail_here("the end");
  if (const auto &failed = parser.failure())
    return fmt::format("{}: {}", failed->offset + 1, failed->what);
  return go_type_text(type);
}

struct Case {
  std::string_view text;
  std::string_view printed;
};

TEST_CASE("every type of the Go specification is read and printed as Go prints it") {
  const auto one = GENERATE(values<Case>({
      {"int", "int"},
      {"byte", "uint8"},
      {"any", "interface {}"},
      {" pkg . T ", "pkg.T"},
      {"net/http.Server", "net/http.Server"},
      {"\"net/http\".Server", "net/http.Server"},
      {"\"net/http.Server\"", "net/http.Server"},
      {"gopkg.in/yaml%2ev2.Node", "gopkg.in/yaml%2ev2.Node"},
      {"git.sr.ht/~x/y-z.T", "git.sr.ht/~x/y-z.T"},
      {"example.com/a-b/~c/v2.T", "example.com/a-b/~c/v2.T"},
      {"main.Pair[ int , *net/http.Server ]", "main.Pair[int,*net/http.Server]"},
      {"P[[]byte, map[string]any]", "P[[]uint8,map[string]interface {}]"},
      {"P[Q[R[int]]]", "P[Q[R[int]]]"},
      {"*main.List[...]", "*main.List[...]"},
      {"main.P[go.shape.int,go.shape.*uint8,go.shape.struct { a int }]",
       "main.P[go.shape.int,go.shape.*uint8,go.shape.struct { a int }]"},
      {"**T", "**T"},
      {"[]T", "[]T"},
      {"[4]T", "[4]T"},
      {"[0x10][0b11][0o17][017][1_000]T", "[16][3][15][15][1000]T"},
      {"map [ string ] map[int][]byte", "map[string]map[int][]uint8"},
      {"chan int", "chan int"},
      {"<-chan int", "<-chan int"},
      {"chan<- int", "chan<- int"},
      {"chan <-chan int", "chan<- chan int"}, // as the specification says: the leftmost chan takes the arrow
      {"chan (<-chan int)", "chan (<-chan int)"},
      {"<-chan (<-chan int)", "<-chan <-chan int"},
      {"chan<- (<-chan int)", "chan<- <-chan int"},
      {"func()", "func()"},
      {"func ( a , b int , c ...string ) error", "func(int, int, ...string) error"},
      {"func(int, ...any) (x, y int, err error)", "func(int, ...interface {}) (int, int, error)"},
      {"func(func(a int) func()) (func())", "func(func(int) func()) func()"},
      {"func(a [3]int, b []T, c T[int], d pkg.T)", "func([3]int, []T, T[int], pkg.T)"},
      {"struct{}", "struct {}"},
      {"struct{ a, b int; c string; }", "struct { a int; b int; c string }"},
      {"struct {\n\ta int // first\n\t*pkg.T\n\tG[int] `json:\"g\"`\n\tio.Reader\n}",
       "struct { a int; *pkg.T; G[int] \"json:\\\"g\\\"\"; io.Reader }"},
      {"struct { _ [0]func(); f func() \"tag\" }", "struct { _ [0]func(); f func() \"tag\" }"},
      {"interface{}", "interface {}"},
      {"interface { Read(p []byte) (n int, err error); io.Closer }",
       "interface { Read([]uint8) (int, error); io.Closer }"},
      {"interface { ~int|~string | T[int]\n comparable }", "interface { ~int | ~string | T[int]; comparable }"},
      {"((*(T)))", "*T"},
      {"größe.Größe", "größe.Größe"},
  }));
  CAPTURE(one.text);
  CHECK(read(one.text) == one.printed);
  CHECK(read(one.printed) == one.printed);
}

TEST_CASE("what is not a Go type is refused where it stops being one") {
  const auto one = GENERATE(values<Case>({
      {"", "1: expected a type, but the text ends here"},
      {"pkg.", "5: expected a type's name after '.', but the text ends here"},
      {"P[int", "6: expected ']' after the type arguments that begin at column 1, but the text ends here"},
      {"[-1]T", "2: an array's length must be written as a number, not as '-'"},
      {"[08]T", "2: an array's length must be written as a number, not as '08'"},
      {"[n]T", "2: an array's length must be written as a number, not as 'n'"},
      {"<-int", "3: expected 'chan' after '<-', but there is 'int' here"},
      {"func(a int, b)", "15: the parameter 'b' has no type"},
      {"struct { a, b }", "15: expected a type, but there is '}' here"},
      {"struct { a int b int }", "16: expected ';' or '}' after a field, but there is 'b' here"},
      {"int \x01", "5: byte 0x01 has no meaning in Go"},
      {"int]", "4: expected the end, but there is ']' here"},
  }));
  CAPTURE(one.text);
  CHECK(read(one.text) == one.printed);
}

TEST_CASE("a crafted Go type costs no more than its length") {
  for (const std::string_view piece : {"*", "[]", "[1]", "map[", "map[T]", "chan ", "func(", "func() ", "struct { a ",
                                       "interface { M(", "(", "P[", "func(a, b, c ", "struct { a, b, c "}) {
    std::string text;
    for (int i = 0; i < 10'000; ++i)
      text += piece;
    CAPTURE(piece);
    CHECK(read(text).contains("types are nested too deeply"));
  }
  // Each level prints its element three times: 3^60 bytes.
  for (const std::string_view keyword : {"struct { a, b, c ", "func(a, b, c "}) {
    std::string text;
    for (int i = 0; i < 60; ++i)
      text += keyword;
    text += "int";
    for (int i = 0; i < 60; ++i)
      text += keyword.starts_with("func") ? ")" : " }";
    CHECK(read(text).contains("this type is repeated too often"));
  }
  std::minstd_rand random(11);
  const std::string_view whole = "map[string]func(a, b *P[int], c ...chan<- T) (struct { x, y [4]int `t`; *pkg.E }, "
                                 "interface { M(); ~int|string })";
  for (std::size_t length = 0; length <= whole.size(); ++length)
    CHECK(!read(whole.substr(0, length)).empty());
  for (int round = 0; round < 2000; ++round) {
    std::string text(whole);
    for (int change = 0; change < 3; ++change)
      text.insert(random() % (text.size() + 1), 1, "*[](){};,. \"<-mcsif4~|`\n/"[random() % 25]);
    CAPTURE(text);
    CHECK(!read(text).empty());
  }
}

/// Knows what it is told.
class ToldTypes : public GoTypeResolver {
public:
  using GoTypeResolver::GoTypeResolver;
  std::map<std::string, const GoType *> told;

protected:
  Result<const GoType *> named(const std::string &name) override {
    if (const GoType *known = pool_.predeclared(name))
      return known;
    const auto found = told.find(name);
    return found == told.end() ? std::unexpected(Error(ErrorKind::not_found, "no " + name))
                               : Result<const GoType *>(found->second);
  }
};

TEST_CASE("a resolver makes types of what was read, by what it knows of names") {
  GoTypePool pool;
  ToldTypes types(pool);
  types.told["main.P[int,string]"] = &pool.add(GoKind::integer16, "main.P[int,string]");
  const auto made = [&](std::string_view text) -> std::string {
    GoTokens tokens(text);
    GoTypeParser parser(tokens);
    const auto type = types.resolve(parser.type());
    return type ? fmt::format("{}/{}", (*type)->name, (*type)->size) : type.error().message();
  };
  CHECK(made("[3]main.P[int, string]") == "[3]main.P[int,string]/6");
  CHECK(made("struct { a bool; b main.P[int,string] `t`; *byte }") ==
        "struct { a bool; b main.P[int,string] \"t\"; *uint8 }/16");
  CHECK(made("func(unknown) unknown") == "func(unknown) unknown/8");
  CHECK(made("interface { M() }") == "interface { M() }/16");
  CHECK(made("map[string]unknown") == "no unknown");
  CHECK(made("[140737488355328]byte") == "the array [140737488355328]uint8 is longer than memory");
  GoTokens tokens("struct { *pkg.E[int]; n int }");
  const auto type = types.resolve(GoTypeParser(tokens).type());
  CHECK(type.error().message() == "no pkg.E[int]");
  types.told["pkg.E[int]"] = pool.predeclared("int");
  GoTokens again("struct { *pkg.E[int]; n int }");
  const auto fields = (*types.resolve(GoTypeParser(again).type()))->fields;
  CHECK((fields.at(0).name == "E" && fields.at(0).embedded && !fields.at(1).embedded));
}

TEST_CASE("a type ends where the expression around it goes on") {
  struct Ending {
    std::string_view text;
    std::size_t end;
  };
  const auto one = GENERATE(values<Ending>({
      {"a/b.T", 1},
      {"a.T-1", 3},
      {"[]a/b.T(x)", 7},
      {"[]int-1", 5},
      {"map[a/b.T]int(m)", 13},
      {"x.(T)", 1},
      {"chan int)(c) $", 8},
  }));
  CAPTURE(one.text);
  GoTokens tokens(one.text);
  GoTypeParser parser(tokens, GoTypeParser::Around::expression);
  CHECK(parser.type().end == one.end);
  CHECK_FALSE(parser.failure());
}

} // namespace
} // namespace inspect
