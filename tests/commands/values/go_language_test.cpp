// Names, promotion, builtins and conversions of Go's: what fixtures/golang/expression_language says of itself.
#include "tests/commands/values/value_rows.h"
#include "tests/support/catch.h"
#include "tests/support/child_process.h"
#include "tests/support/go_toolchain.h"
#include "tests/support/process_health.h"
#include "tests/support/run_command.h"
#include "tests/support/skip.h"

#include <functional>
#include <map>
#include <ranges>
#include <string>
#include <vector>

using namespace inspect::test;
using Catch::Matchers::Contains;

namespace {

/// min and max came with Go 1.21.
constexpr int first_minor = 21;

class Program {
public:
  Program(const GoToolchain &go, GoVariant variant) : child_({build_go(go, "expression_language", variant)}) {
    for (std::string line = child_.read_line(); line != "ready"; line = child_.read_line()) {
      const std::size_t arrow = line.find(" => ");
      if (arrow != std::string::npos)
        rows_.push_back({"main.main", "p " + line.substr(0, arrow), line.substr(arrow + 4)});
      else if (const std::size_t blank = line.find(' '); blank != std::string::npos)
        facts_[line.substr(0, blank)] = line.substr(blank + 1);
    }
    settle();
  }

  CommandResult attach(const std::vector<std::string> &commands) const {
    std::vector<std::string> words = {"attach", std::to_string(child_.pid())};
    for (const std::string &command : commands) {
      words.emplace_back("-e");
      words.push_back(command);
    }
    return run_inspect(words);
  }

  /// Sends it into one of its functions, where it waits for the next line.
  void enter(const std::string &function) {
    child_.write(function + "\n");
    settle();
  }

  std::string ask(const std::string &question) {
    child_.write(question + "\n");
    std::string answer = child_.read_line();
    settle();
    return answer;
  }

  pid_t pid() const { return child_.pid(); }
  const std::vector<ValueRow> &rows() const { return rows_; }
  const std::string &fact(const std::string &name) { return facts_[name]; }

private:
  void settle() const {
    REQUIRE(wait_until([&] { return status_field(child_.pid(), "State").starts_with("S"); }));
  }

  ChildProcess child_;
  std::vector<ValueRow> rows_;
  std::map<std::string, std::string> facts_;
};

/// The number of the innermost frame of goroutine 1 that is in this function.
std::string frame_of(const Program &program, const std::string &function) {
  const CommandResult stack = program.attach({"goroutine 1", "bt --internal"});
  std::string number;
  for (const std::string &line : lines_of(stack.out))
    if (const std::size_t mark = line.find('#');
        number.empty() && mark != std::string::npos && line.find(" " + function, mark) != std::string::npos)
      number = line.substr(mark + 1, line.find(' ', mark) - mark - 1);
  INFO(stack.out << stack.err);
  REQUIRE_FALSE(number.empty());
  return "frame " + number;
}

/// With the newest toolchain of this machine whose runtime is read.
void with_program(GoVariant variant, const std::function<void(Program &)> &test) {
  for (const GoToolchain &go : all_go_toolchains() | std::views::reverse) {
    if (go.minor < first_minor)
      break;
    Program program(go, variant);
    if (program.attach({"goroutines"}).out.empty())
      continue;
    INFO(go.version);
    test(program);
    return;
  }
  SKIP_TEST("there is no Go of 1.21 or later whose runtime is read");
}

} // namespace

TEST_CASE("Go expressions mean what the program itself says") {
  with_program(GoVariant::unoptimised, [](Program &program) {
    CHECK(program.rows().size() > 40);
    check_rows(program.pid(), program.rows());
    const CommandResult result = program.attach(
        {"goroutine 1", "p main.moment", "p main.inUTC", "p ambiguousOne.Same", "p nil", "p runtime.curg.goid"});
    CHECK_THAT(result.out, Contains("time.Time(" + program.fact("moment") + "){wall: "));
    CHECK_THAT(result.out, Contains("time.Time(" + program.fact("inUTC") + "){wall: "));
    CHECK_THAT(result.err, Contains("Same of main.ambiguous is ambiguous: left.Same, right.Same"));
    CHECK_THAT(result.out, Contains("\nnil\n1\n"));
  });
}

TEST_CASE("a Go string is set where its bytes are its own, and a literal only by force") {
  with_program(GoVariant::plain, [](Program &program) {
    CHECK(program.ask("literals") == "{EUR} {EUR} {GBP} 1 true");
    const CommandResult refused = program.attach({"set main.home.currency = \"USD\""});
    CHECK(refused.status == 1);
    CHECK_THAT(refused.err, Contains("are in read-only memory of "));
    CHECK_THAT(refused.err, Contains("set -force"));
    CHECK(program.ask("literals") == "{EUR} {EUR} {GBP} 1 true");
    CHECK(program.attach({"set main.home.currency = main.made.currency"}).out ==
          "main.home.currency: \"EUR\" -> \"GBP\"\n");
    CHECK(program.ask("literals") == "{GBP} {EUR} {GBP} 1 true");
    CHECK(program.attach({"set -force main.other.currency = \"USD\""}).out ==
          "main.other.currency: \"EUR\" -> \"USD\"\n");
    CHECK_THAT(program.ask("literals"), Contains("{USD}"));
  });
}

TEST_CASE("a stripped Go program is read as Go") {
  with_program(GoVariant::stripped, [](Program &program) {
    const CommandResult result = program.attach(
        {"goroutine 1", "p sizeof(int)", "whatis []int", "p 1<<40", "whatis 2i", "p len([]rune(\"né\"))"});
    CHECK_THAT(result.out, Contains("\n8\n[]int\n1099511627776\ncomplex128\n2\n"));
    CHECK(result.err.empty());
  });
}

TEST_CASE("Go variables are there from behind their declaration on") {
  with_program(GoVariant::unoptimised, [](Program &program) {
    program.enter("undeclared");
    const std::string frame = frame_of(program, "main.undeclared");
    const CommandResult result = program.attach({"goroutine 1", frame, "locals", "p seen", "p late"});
    CHECK_THAT(result.out, Contains("\nseen = 8\n8\n"));
    CHECK(result.out.find("late = ") == std::string::npos);
    CHECK(result.out.find("line = ") == std::string::npos);
    CHECK(result.out.find("inner") == std::string::npos);
    CHECK_THAT(result.err, Contains("nothing here is named 'late'"));
  });
}

TEST_CASE("variables of generic Go functions have the types of the call") {
  with_program(GoVariant::unoptimised, [](Program &program) {
    program.enter("generic");
    const std::string frame = frame_of(program, "main.generic");
    const CommandResult result =
        program.attach({"goroutine 1", frame, "args", "locals -v", "p one.Col", "p list[0].Row", "whatis one"});
    CHECK_THAT(result.out, Contains("\none = *main.place {Row: 8, Col: \"g\"}\n"));
    CHECK_THAT(result.out, Contains("\nlist = []*main.place len: 1, cap: 1, [*{Row: 9, Col: \"h\"}]\n"));
    CHECK_THAT(result.out, Contains("kept: *main.place = *main.place {Row: 8, Col: \"g\"}\n"));
    CHECK_THAT(result.out, Contains("\n\"g\"\n9\n*main.place\n"));
    CHECK(result.out.find(".dict") == std::string::npos);
    CHECK(result.out.find("*uint8") == std::string::npos);
  });
}

TEST_CASE("what a Go closure has captured is reached by its name") {
  with_program(GoVariant::unoptimised, [](Program &program) {
    program.enter("captures");
    const std::string closure = frame_of(program, "main.captures.func1");
    const std::string frame = frame_of(program, "main.captures(");
    const CommandResult result = program.attach({"goroutine 1", closure, "p name", "p inside.Col", "p count", frame,
                                                 "p step.name", "p step.count", "p step.inside.Row", "p step.nothing"});
    CHECK_THAT(result.out, Contains("\n\"captured\"\n\"c\"\n1\n"));
    CHECK_THAT(result.out, Contains("\n\"captured\"\n1\n4\n"));
    CHECK_THAT(result.err, Contains("the function has captured nothing named nothing"));
  });
}

namespace {

constexpr std::string_view optimised_program = R"go(package main

import (
	"fmt"
	"runtime"
	"time"
)

type large struct {
	Number uint64
	Point  complex128
	Small  int16
	Call   func(int) int
}

var empty, accents = "", "n\u00e9"

var largest uint = 1<<64 - 1

var rounded float32 = 1e20

func double(n int) int { return 2 * n }

//go:noinline
func unused(ignored large, number int) int {
	return rest() + number
}

//go:noinline
func used(kept large) int {
	n := rest()
	return n + int(kept.Number)
}

//go:noinline
func taken(n int) int {
	var held interface{} = n
	first := rest()
	runtime.KeepAlive(&held)
	return first
}

//go:noinline
func rest() int {
	if depth++; depth == 3 {
		fmt.Println("ready")
		for depth == 3 {
			time.Sleep(time.Hour)
		}
	}
	return calls[depth]()
}

var depth int

var calls []func() int

func main() {
	calls = []func() int{
		nil,
		func() int { return used(large{1 << 40, 2i, 3, double}) },
		func() int { return taken(77) },
		nil,
	}
	fmt.Println(unused(large{1, 2, 3, nil}, 4), empty, accents, largest, rounded)
}
)go";

} // namespace

TEST_CASE("an optimised Go program's variables are what they are, or not there") {
  const auto toolchains = go_toolchains();
  if (toolchains.empty())
    SKIP_TEST("there is no Go of 1.16 or later");
  for (const GoToolchain &go : toolchains) {
    INFO(go.version);
    ChildProcess process({build_go_text(go, "optimised_variables", optimised_program)});
    process.wait_for_line("ready");
    REQUIRE(wait_until([&] { return status_field(process.pid(), "State").starts_with("S"); }));
    const CommandResult result =
        run_inspect({"attach", std::to_string(process.pid()), "-e", "goroutine 1", "-e", "bt", "-e",
                     "p []rune(main.accents)", "-e", "p []byte(main.empty)", "-e", "p %d main.largest", "-e",
                     "p main.rounded", "-e", "p main.nothing", "-e", "bt full"});
    INFO(result.out << result.err);
    CHECK_THAT(result.out, Contains("\n[]int32 len: 2, cap: 2, [110,233]\n[]uint8 len: 0, cap: 0, []\n"
                                    "18446744073709551615\n100000000000000000000\n"));
    CHECK_THAT(result.err, Contains("nothing here is named 'main.nothing'"));
    // Nobody uses it: some versions of Go do not write it where the runtime says it is.
    const bool is_there =
        result.out.find("ignored=main.large {Number: 1, Point: (2 + 0i), Small: 3, Call: nil}, ") != std::string::npos;
    CHECK((is_there || result.out.find("ignored=<optimized out>, ") != std::string::npos));
    CHECK_THAT(result.out, Contains("main.used(kept=main.large {Number: 1099511627776, Point: (0 + 2i), Small: 3, "));
    CHECK_THAT(result.out, Contains("held = interface {}(int) 77\n"));
  }
}
