// Tables of argument words and what they mean, for both forms in which Go prints them.
#include "golang/arguments/word_values.h"
#include "golang/signatures/signatures.h"
#include "golang/traceback/traceback_text.h"

#include "tests/support/catch.h"

#include <fmt/format.h>
#include <map>

namespace inspect {
namespace {

/// Pieces of text at addresses.
class PiecesOfMemory final : public MemoryView {
public:
  explicit PiecesOfMemory(std::map<std::uint64_t, std::string> pieces) : pieces_(std::move(pieces)) {}
  Result<void> read(RunAddress address, std::span<std::byte> into) const override {
    auto after = pieces_.upper_bound(address.value);
    if (after != pieces_.begin()) {
      const auto &[begin, bytes] = *--after;
      if (address.value - begin + into.size() <= bytes.size()) {
        std::memcpy(into.data(), bytes.data() + (address.value - begin), into.size());
        return {};
      }
    }
    return std::unexpected(Error(ErrorKind::unreadable, "nothing there"));
  }

private:
  std::map<std::uint64_t, std::string> pieces_;
};

std::string text_of(const std::vector<DecodedArgument> &arguments) {
  std::string text;
  for (const DecodedArgument &one : arguments)
    text += fmt::format("{}{}{} {} = {}{}{}", text.empty() ? "" : " | ", one.result ? "result " : "", one.name,
                        one.type, one.value, one.stale ? " ?" : "", one.incomplete ? " …" : "");
  return text;
}

TracebackFrame frame_of(std::string_view words) {
  const auto tracebacks = parse_tracebacks(fmt::format("goroutine 1 [running]:\nmain.f({})\n\t/a.go:1 +0x1d\n", words));
  REQUIRE(tracebacks.size() == 1);
  return tracebacks[0].goroutines.at(0).frames.at(0);
}

struct Case {
  std::string_view declaration;
  std::string_view words;
  std::string_view expected;
};

std::string decoded(const Case &one, bool stack_words, const ValueContext &context = {}) {
  GoTypePool pool;
  const auto declarations = parse_go_declarations(one.declaration, pool);
  REQUIRE(declarations.has_value());
  const GoSignature &signature = declarations->at(0).signature;
  const TracebackFrame frame = frame_of(one.words);
  return text_of(stack_words ? decode_stack_words(signature, frame.words, frame.cut, context, text_phrases)
                             : decode_words(signature, frame.layout, frame.words, context, text_phrases));
}

TEST_CASE("argument words of Go 1.16 and earlier are given out to the parameters as they lie in memory") {
  const auto one = GENERATE(values<Case>({
      {"func Example(slice []string, str string, i int)", "0x2080c3f50, 0x2, 0x4, 0x425c0, 0x5, 0xa",
       "slice []string = []string len: 2, cap: 4, at 0x2080c3f50 | str string = len: 5, at 0x425c0 | i int = 10"},
      {"func Example(slice []string, str string, i int, m map[string]int)",
       "0xc0000c8040, 0x2, 0x4, 0x4c24f9, 0x5, 0x88, 0xc0000cc000",
       "slice []string = []string len: 2, cap: 4, at 0xc0000c8040 | str string = len: 5, at 0x4c24f9 | i int = 136 | m "
       "map[string]int = map[string]int at 0xc0000cc000"},
      {"func Example(b1, b2, b3 bool, i uint8)", "0x19010001",
       "b1 bool = true | b2 bool = false | b3 bool = true | i uint8 = 25"},
      {"func panicFmt(v ...interface{})", "0xc0000a2150, 0x3, 0x3",
       "v []interface {} = []interface {} len: 3, cap: 3, at 0xc0000a2150"},
      {"func f(a, b int) (sum int, tag int)", "0x40, 0x8, 0x7, 0x11",
       "a int = 64 | b int = 8 | result sum int = 7 | result tag int = 17"},
      {"func f(a, b int, e eee); type eee struct { a, b, c, d, e int; s string }",
       "0x40, 0x8, 0x1, 0x2, 0x3, 0x4, 0x5, 0x4c3839, 0x7",
       "a int = 64 | b int = 8 | e eee = eee {a: 1, b: 2, c: 3, d: 4, e: 5, s: len: 7, at 0x4c3839}"},
      {"func (pi *PidInfo) updateTime() error", "0x0, 0x0, 0x0",
       "pi *PidInfo = *PidInfo nil | result  error = error nil"},
      {"func (pi *PidInfo) Update(a []byte) error", "0x0, 0xc0000905d0, 0x6f7e",
       "pi *PidInfo = *PidInfo nil | a []uint8 = []uint8 len: 28542, cap: ..., at 0xc0000905d0 … | result  error = the "
       "text has "
       "no "
       "words for it …"},
      {"func f(a int8, b int16, c int32, d int64)", "0xfffffffefffd01ff, 0xffffffffffffffff",
       "a int8 = -1 | b int16 = -3 | c int32 = -2 | d int64 = -1"},
      {"func f(a uint8, b uint16, c uint32, d uint64, e uint, g uintptr)",
       "0xfffffffefffd01ff, 0xffffffffffffffff, 0x7, 0x4c3839",
       "a uint8 = 255 | b uint16 = 65533 | c uint32 = 4294967294 | d uint64 = 18446744073709551615 | e uint = 7 | g "
       "uintptr = 4995129"},
      {"func f(a float32, b float64, c complex64, d complex128)",
       "0x3fc00000, 0xc00921fb54442d18, 0xbf80000040000000, 0x3ff0000000000000, 0x4000000000000000",
       "a float32 = 1.5 | b float64 = -3.141592653589793 | c complex64 = (2 + -1i) | d complex128 = (1 + 2i)"},
      {"func f(a [3]uint16, b [2]bool, c [2]string)", "0x0100000300020001, 0x4c3839, 0x1, 0x4c3840, 0x2",
       "a [3]uint16 = [3]uint16 [1,2,3] | b [2]bool = [2]bool [false,true] | c [2]string = [2]string [len: 1, at "
       "0x4c3839,len: 2, at 0x4c3840]"},
      {"func f(p *T, u unsafe.Pointer, c chan int, g func(int), m map[int]int, e error, x interface{})",
       "0xc000010000, 0xc000010008, 0xc000010010, 0x4c8000, 0x0, 0x4e0000, 0xc000010018, ...",
       "p *T = (*T)(0xc000010000) | u unsafe.Pointer = unsafe.Pointer(0xc000010008) | c chan int = chan int at "
       "0xc000010010 | g "
       "func(int) = func(int) at 0x4c8000 | m map[int]int = map[int]int nil | e error = error(table 0x4e0000, data "
       "0xc000010018) | x interface {} = truncated in the text …"},
      {"func f(a string, b int)", "0x4c3839, ...",
       "a string = len: ..., at 0x4c3839 … | b int = truncated in the text …"},
      {"func f(a int)", "0x1, 0x2, 0x3", "a int = 1 |   = beyond the signature"},
      {"func f(a struct{}, b [0]int, c bool)", "0x1",
       "a struct {} = struct {} {} | b [0]int = [0]int [] | c bool = true"},
      {"func f(d time.Duration, t time.Time)", "0x59682f00, 0x0, 0xe7791f700, 0x0",
       "d time.Duration = 1.5s | t time.Time = time.Time(1970-01-01T00:00:00Z)"},
      {"func f(s string, v []int, b bool)", "0x10, 0xffffffffffffffff, 0x20, 0x5, 0x2, 0x7",
       "s string = (unreadable a length of -1 at 0x10: not initialised?) | v []int = (unreadable a length of 5 above "
       "the "
       "capacity of 2 at 0x20: not initialised?) | b "
       "bool = 0x7, no bool: not initialised?"},
      {"func f(t T, n int)", "0x7, 0x8", "t T = 0x7 | n int = 8"},
      {"func f(s []string, e error, c chan bool, g func())", "0x0, 0x0, 0x0, 0x0, 0x0, 0x0, 0x0",
       "s []string = []string len: 0, cap: 0, nil | e error = error nil | c chan bool = chan bool nil | g func() = "
       "nil"},
  }));
  CAPTURE(one.declaration, one.words);
  CHECK(decoded(one, true) == one.expected);
}

TEST_CASE("argument words of Go 1.17 and later are given out by their braces") {
  const auto one = GENERATE(values<Case>({
      {"func Example(slice []string, str string, i int)", "{0x2080c3f50, 0x2, 0x4}, {0x425c0, 0x5}, 0xa",
       "slice []string = []string len: 2, cap: 4, at 0x2080c3f50 | str string = len: 5, at 0x425c0 | i int = 10"},
      {"func Example(b1, b2, b3 bool, i uint8)", "0x1, 0x0, 0x1, 0x19",
       "b1 bool = true | b2 bool = false | b3 bool = true | i uint8 = 25"},
      {"func f(a, b int) (sum int, tag int)", "0x40, 0x8", "a int = 64 | b int = 8"},
      {"func f(a, b int, e eee); type eee struct { a, b, c, d, e int; s string }",
       "0x40, 0x8, {0x1, 0x2, 0x3, 0x4, 0x5, {0x4c3839, 0x7}}",
       "a int = 64 | b int = 8 | e eee = eee {a: 1, b: 2, c: 3, d: 4, e: 5, s: len: 7, at 0x4c3839}"},
      {"func (pi *PidInfo) updateTime() error", "0x0?", "pi *PidInfo = *PidInfo nil ?"},
      {"func f(a int8, b int16, c int32, d int64)", "0xff, 0xfffd, 0xfffffffe, 0xffffffffffffffff",
       "a int8 = -1 | b int16 = -3 | c int32 = -2 | d int64 = -1"},
      {"func f(a float32, b float64, c complex64, d complex128)",
       "0x3fc00000, 0xc00921fb54442d18, {0x40000000, 0xbf800000}, {0x3ff0000000000000, 0x4000000000000000}",
       "a float32 = 1.5 | b float64 = -3.141592653589793 | c complex64 = (2 + -1i) | d complex128 = (1 + 2i)"},
      {"func f(a [3]uint16, b [2][2]bool, c [1]string)", "{0x1, 0x2, 0x3}, {{0x0, 0x1}, {0x1, 0x0}}, {{0x4c3839, 0x1}}",
       "a [3]uint16 = [3]uint16 [1,2,3] | b [2][2]bool = [2][2]bool [[false,true],[true,false]] | c [1]string = "
       "[1]string [len: 1, at 0x4c3839]"},
      {"func f(a struct{}, b [0]int, c bool, d struct { x struct{}; y int })", "{}, {}, 0x1, {{}, 0x5}",
       "a struct {} = struct {} {} | b [0]int = [0]int [] | c bool = true | d struct { x struct {}; y int } = struct { "
       "x "
       "struct {}; y int } {x: struct {} {}, y: 5}"},
      {"func f(a [12]int)", "{0x0, 0x1, 0x2, 0x3, 0x4, 0x5, 0x6, 0x7, 0x8, 0x9, ...}",
       "a [12]int = [12]int [0,1,2,3,4,5,6,7,...+4 more] …"},
      {"func f(a, b, c, d, e, g, h, i, j, k, l int, s string)", "0x0, 0x1, 0x2, 0x3, 0x4, 0x5, 0x6, 0x7, 0x8, 0x9, ...",
       "a int = 0 | b int = 1 | c int = 2 | d int = 3 | e int = 4 | g int = 5 | h int = 6 | i int = 7 | j int = 8 | k "
       "int = 9 | l int = truncated in the text … | s string = truncated in the text …"},
      {"func f(a, b, c, d, e, g, h, i, j int, s string, x int)",
       "0x0, 0x1, 0x2, 0x3, 0x4, 0x5, 0x6, 0x7, 0x8, {0x4c3839, ...}, ...",
       "a int = 0 | b int = 1 | c int = 2 | d int = 3 | e int = 4 | g int = 5 | h int = 6 | i int = 7 | j int = 8 | s "
       "string = len: ..., at 0x4c3839 … | x int = truncated in the text …"},
      {"type a struct { b b; n int }; type b struct { c c }; type c struct { d d }; type d struct { e [1]string }; "
       "func "
       "f(v a)",
       "{{{{{...}}}}, 0x5}", "v a = a {b: b {c: {...}}, n: 5} …"},
      {"func f(a [40]int, b int, c string)", "_, _, {_, _}",
       "a [40]int = the words do not fit the signature | b int = ... "
       "… | c string = ... …"},
      {"func f(a int, b string)", "0x1, 0x2", "a int = 1 | b string = the words do not fit the signature"},
      {"func f(a int)", "0x1, {0x2, 0x3}", "a int = 1 |   = beyond the signature"},
      {"func f(a, b int)", "0x1", "a int = 1 | b int = the text has no words for it …"},
      {"func f(t T, u U, n int)", "{0x7, {0x8, 0x9}}, 0x5, 0x8", "t T = ... … | u U = 0x5 | n int = 8"},
      {"func f(e error, x interface{}, p *int)", "{0x0, 0x0}, {0x4a0000, 0xc000010000}, 0xc000010008",
       "e error = error nil | x interface {} = interface {}(type 0x4a0000, data 0xc000010000) | p *int = "
       "(*int)(0xc000010008)"},
  }));
  CAPTURE(one.declaration, one.words);
  CHECK(decoded(one, false) == one.expected);
}

TEST_CASE("of a process, words that are missing are not said to be missing in a text") {
  GoTypePool pool;
  const auto declarations = parse_go_declarations("func f(a, b int)", pool);
  REQUIRE(declarations.has_value());
  const GoSignature &signature = declarations->at(0).signature;
  for (const std::string_view words : {"0x1", "0x1, ...", "0x1, 0x2, 0x3"}) {
    const TracebackFrame frame = frame_of(words);
    const std::string of_stack = text_of(decode_stack_words(signature, frame.words, frame.cut, {}));
    const std::string of_registers = text_of(decode_words(signature, frame.layout, frame.words, {}));
    for (const std::string &text : {of_stack, of_registers}) {
      CAPTURE(words, text);
      CHECK((text.contains("Go's tables") || text.contains("not in the signature")));
      CHECK_FALSE(text.contains("the text"));
    }
  }
}

} // namespace
} // namespace inspect
