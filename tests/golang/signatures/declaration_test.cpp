#include "golang/signatures/signatures.h"

#include "tests/support/catch.h"

#include <fmt/format.h>

namespace inspect {
namespace {

std::string list_text(const std::vector<GoParameter> &parameters) {
  std::string text;
  for (const GoParameter &one : parameters)
    text += fmt::format("{}{}:{}/{}", text.empty() ? "" : " ", one.name, one.type->name, one.type->size);
  return text;
}

/// "name(parameters) results", each as name:type/size.
std::string parsed(std::string_view text) {
  GoTypePool pool;
  const auto declarations = parse_go_declarations(text, pool);
  if (!declarations)
    return "error: " + declarations.error().message();
  std::string all;
  for (const GoDeclaration &one : *declarations) {
    all +=
        fmt::format("{}{}({})", all.empty() ? "" : "; ", one.signature.function, list_text(one.signature.parameters));
    if (!one.signature.results.empty())
      all += " -> " + list_text(one.signature.results);
    for (const std::string &assumption : one.assumptions)
      all += " [" + assumption + "]";
  }
  return all;
}

struct Case {
  std::string_view text;
  std::string_view expected;
};

TEST_CASE("Go declarations are read as they are written in source") {
  const auto one = GENERATE(values<Case>({
      {"func f()", "f()"},
      {"func Example(slice []string, str string, i int)", "Example(slice:[]string/24 str:string/16 i:int/8)"},
      {"func Example(b1, b2, b3 bool, i uint8)", "Example(b1:bool/1 b2:bool/1 b3:bool/1 i:uint8/1)"},
      {"func panicFmt(v ...interface{})", "panicFmt(v:[]interface {}/24)"},
      {"func f(a, b int) (sum int, tag int)", "f(a:int/8 b:int/8) -> sum:int/8 tag:int/8"},
      {"func f(a, b int) (x, y int) {", "f(a:int/8 b:int/8) -> x:int/8 y:int/8"},
      {"func f(int, string) error", "f(:int/8 :string/16) -> :error/16"},
      {"func (pi *PidInfo) updateTime() error", "(*PidInfo).updateTime(pi:*PidInfo/8) -> :error/16"},
      {"func (PidInfo) name() string", "PidInfo.name(:PidInfo/8) -> :string/16 [type PidInfo is not declared: it is "
                                       "taken for one word]"},
      {"func f(a [4]uint16, b [2][3]byte)", "f(a:[4]uint16/8 b:[2][3]uint8/6)"},
      {"func f(c chan int, d <-chan string, e chan<- []byte, g chan (<-chan int))",
       "f(c:chan int/8 d:<-chan string/8 e:chan<- []uint8/8 g:chan (<-chan int)/8)"},
      {"func f(g func(int, ...string) (bool, error), h func()) func() int",
       "f(g:func(int, ...string) (bool, error)/8 h:func()/8) -> :func() int/8"},
      {"func f(s struct{ a int8; b int64; c, d bool }, e struct{})",
       "f(s:struct { a int8; b int64; c bool; d bool }/24 e:struct {}/0)"},
      {"func f(x any, y interface{}, z interface{ M(int) string })",
       "f(x:interface {}/16 y:interface {}/16 z:interface { M(int) string }/16)"},
      {"func f(ctx context.Context, d time.Duration, r *http.Request, t time.Time)",
       "f(ctx:context.Context/16 d:time.Duration/8 r:*http.Request/8 t:time.Time/24)"},
      {"func f(m map[string]map[int][]byte, p **T, u unsafe.Pointer, r rune)",
       "f(m:map[string]map[int][]uint8/8 p:**T/8 u:unsafe.Pointer/8 r:int32/4)"},
      {"func Keys[K comparable, V any](m map[K]V, n int) []K", "Keys(m:map[K]V/8 n:int/8) -> :[]K/24"},
      {"func (l *List[T]) Push(v *T) *Node[T]", "(*List[T]).Push(l:*List[T]/8 v:*T/8) -> :*Node[T]/8"},
      {"func f(p *pkg.Tree[int, string])", "f(p:*pkg.Tree[int,string]/8)"},
      {"func f(a complex64, b complex128, c float32, d uintptr)",
       "f(a:complex64/8 b:complex128/16 c:float32/4 d:uintptr/8)"},
      {"func f(_ int, a string)", "f(_:int/8 a:string/16)"},
      {"func f(\n\ta int,\n\tb string,\n) error", "f(a:int/8 b:string/16) -> :error/16"},
      {"func f(a int)\nfunc g() int\n", "f(a:int/8); g() -> :int/8"},
      {"func f(a int); func g()", "f(a:int/8); g()"},
      {"package x\n// a comment\nfunc f(a /* no */ int) { return func() { } }\nfunc g()", "f(a:int/8); g()"},
      {"func pidinfo.(*PidInfo).Update(all bool)", "pidinfo.(*PidInfo).Update(:*PidInfo/8 all:bool/1)"},
      {"func github.com/a-b/c.Run(n int)", "github.com/a-b/c.Run(n:int/8)"},
      {"main.f(n int)", "main.f(n:int/8)"},
      {"func f(größe int)", "f(größe:int/8)"},
      {"func f(f func(a, b int) bool, x int)", "f(f:func(int, int) bool/8 x:int/8)"},
      {"func f(*T, []int, map[string]int, ...error)", "f(:*T/8 :[]int/24 :map[string]int/8 :[]error/24)"},
  }));
  CAPTURE(one.text);
  CHECK(parsed(one.text) == one.expected);
}

TEST_CASE("types declared in the same text are used, whatever their order") {
  CHECK(parsed("func f(a, b int, e eee)\ntype eee struct { a, b, c, d, e int; s string }") ==
        "f(a:int/8 b:int/8 e:eee/56)");
  CHECK(parsed("type (\n a b\n b struct { x int32; c }\n c [3]byte\n)\nfunc f(v a)") == "f(v:a/8)");
  CHECK(parsed("type node struct { next *node; v int16 }\nfunc f(n node)") == "f(n:node/16)");
  CHECK(parsed("type T struct { p *[2]T; x int }\nfunc f(t T)") == "f(t:T/16)");
  CHECK(parsed("type E struct {\n\t*Base\n\tpkg.Other `json:\"x\"`\n\tn int\n}\nfunc (e E) f()") ==
        "E.f(e:E/24) [type pkg.Other is not declared: it is taken for one word]");
  CHECK(parsed("type S struct { a int; z struct{} }\nfunc f(s S)") == "f(s:S/16)");
  CHECK(parsed("type Level = uint8\ntype H func(int) error\nfunc f(l Level, h H)") == "f(l:Level/1 h:H/8)");
}

TEST_CASE("the fields of a declared structure are laid out as the compiler does") {
  GoTypePool pool;
  const auto declarations = parse_go_declarations(
      "type s struct { a bool; b int32; c bool; d string; e uint16; f [3]byte; g complex64; H }\ntype H struct { x "
      "int64 }\nfunc f(v s)",
      pool);
  REQUIRE(declarations.has_value());
  const GoType &type = *declarations->at(0).signature.parameters.at(0).type;
  std::vector<std::uint64_t> offsets;
  for (const GoField &field : type.fields)
    offsets.push_back(field.offset);
  // From unsafe.Offsetof in a Go program.
  CHECK(offsets == std::vector<std::uint64_t>{0, 4, 8, 16, 32, 34, 40, 48});
  CHECK(type.size == 56);
  CHECK(type.fields.back().name == "H");
}

TEST_CASE("what cannot be read is refused with the place where it stops") {
  const auto one = GENERATE(values<Case>({
      {"", "error: column 1: there is no function in it"},
      {"type T int", "error: column 1: there is no function in it"},
      {"func", "error: column 5: expected a function's name, but the text ends here"},
      {"func f", "error: column 7: expected '(' before the parameters, but the text ends here"},
      {"func f(a", "error: column 9: expected a type, but the text ends here"},
      {"func f(a int", "error: column 13: expected ',' or ')' after a parameter, but the text ends here"},
      {"func f(a int b int)", "error: column 14: expected ',' or ')' after a parameter, but there is 'b' here"},
      {"func f(a [n]int)", "error: column 13: expected ',' or ')' after a parameter, but there is 'int' here"},
      {"func f(a int, b)", "error: column 17: the parameter 'b' has no type"},
      {"func f(a []) int", "error: column 12: expected a type, but there is ')' here"},
      {"func (a, b *T) f()", "error: column 6: a method has exactly one receiver"},
      {"func f() int string", "error: column 14: expected the end of the declaration, but there is 'string' here"},
      {"func f(a \x01 int)", "error: column 10: byte 0x01 has no meaning in Go"},
      {"type T struct { t T }\nfunc f(t T)", "error: line 1, column 6: type T contains itself and would be endless"},
      {"type A B\ntype B A\nfunc f(a A)", "error: line 1, column 6: type A is declared by itself"},
      {"type T int; type T int; func f()", "error: column 18: 'T' is declared twice"},
      {"func f(s struct { a int", "error: column 24: expected ';' or '}' after a field, but the text ends here"},
      {"func f(x interface { M()", "error: column 25: expected ';' or '}' after a method, but the text ends here"},
      {"func f() { if", "error: column 10: '{' is never closed"},
      {"func f(a chan", "error: column 14: expected a type, but the text ends here"},
      {"import \"x\"", "error: column 8: expected '(' before the parameters, but there is '\"x\"' here"},
  }));
  CAPTURE(one.text);
  CHECK(parsed(one.text) == one.expected);
}

TEST_CASE("a crafted declaration is refused") {
  const std::string stars(10'000, '*');
  CHECK(parsed("func f(a " + stars + "int)") == "error: column 110: types are nested too deeply");
  CHECK(parsed("func f(a [9999999999999999999999]int)") ==
        "error: column 11: an array's length must be written as a number, not as '9999999999999999999999'");
  CHECK(parsed(std::string(2 << 20, ' ')) == "error: the declarations are longer than a megabyte");
  CHECK(parsed("func f(a [4611686018427387904][8]int)").starts_with("f(a:"));
  // Every beginning of a text ends in an answer.
  const std::string text =
      "type a struct { b, c int `x`; *D }; func (r *T[K]) f(a map[string][]int, g func() (x int, y "
      "error), c <-chan struct{}, v ...any) (n int, err error) { }";
  for (std::size_t length = 0; length <= text.size(); ++length)
    CHECK(!parsed(text.substr(0, length)).empty());
}

} // namespace
} // namespace inspect
