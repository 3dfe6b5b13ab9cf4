#include "golang/signatures/signatures.h"

#include "golang/arguments/word_values.h"
#include "golang/types/runtime_types.h"
#include "tests/golang/go_process.h"
#include "tests/support/catch.h"
#include "tests/support/go_toolchain.h"

#include <fmt/format.h>
#include <fstream>
#include <map>
#include <set>

namespace inspect {
namespace {

using namespace test;

/// The functions and types that a Go source file declares, without what else it has.
std::string declarations_of(const std::string &path) {
  std::ifstream file(path);
  REQUIRE(file.good());
  std::string text;
  bool inside = false;
  for (std::string line; std::getline(file, line);) {
    const bool begins = line.starts_with("func ") || line.starts_with("type ");
    if (begins || inside)
      text += line + "\n";
    if (begins)
      inside = line.ends_with("{");
    else if (line.starts_with("}"))
      inside = false;
  }
  return text;
}

std::string without_package(std::string name) {
  for (std::size_t at = 0; (at = name.find("main.", at)) != std::string::npos;)
    name.erase(at, 5);
  return name;
}

std::string list_text(const std::vector<GoParameter> &parameters, bool blanks) {
  std::string text;
  for (const GoParameter &one : parameters)
    if (blanks || (one.name != "_" && !one.name.empty()))
      text +=
          fmt::format("{} {} {}/{}; ", one.name, without_package(one.type->name), one.type->size, one.type->alignment);
  return text;
}

void check_signatures(const GoToolchain &go, GoVariant variant) {
  GoProcess process({build_go(go, "argument_kinds", variant)});
  process.child().wait_for_line("ready");
  process.open();
  GoTypePool pool;
  const auto declared =
      parse_go_declarations(declarations_of(INSPECT_SOURCE_DIRECTORY "/fixtures/golang/argument_kinds/main.go"), pool);
  REQUIRE(declared.has_value());
  GoSignatures signatures;
  const GoImage &image = process.image();
  std::size_t compared = 0;
  for (const GoDeclaration &one : *declared) {
    const auto function = image.table->find("main." + one.signature.function);
    if (!function || one.signature.function == "main" || one.signature.function == "start")
      continue; // inlined everywhere
    if (one.signature.function == "empties" && go.minor <= 16)
      continue; // parameters without size come last there
    INFO(one.signature.function);
    const GoSignature *found = signatures.at(*image.module, function->entry, function->name);
    REQUIRE(found != nullptr);
    CHECK(list_text(found->parameters, go.minor >= 22) == list_text(one.signature.parameters, go.minor >= 22));
    CHECK(found->has_receiver == one.signature.has_receiver);
    // 1.17 leaves unnamed results out.
    if (go.minor != 17)
      CHECK(list_text(found->results, true) == list_text(one.signature.results, true));
    ++compared;
  }
  CHECK(compared >= 25);
}

TEST_CASE("signatures from DWARF are those of the source") {
  for_each_go([](const GoToolchain &go) {
    for (const GoVariant variant : {GoVariant::plain, GoVariant::unoptimised}) {
      INFO(variant_name(variant));
      check_signatures(go, variant);
    }
  });
}

/// What the functions of fixtures/golang/argument_kinds were called with; "main.f: name type = value | …".
const std::map<std::string, std::string> &called_with() {
  static const std::map<std::string, std::string> all = {
      {"main.integers", "a=-1 b=-2 c=-3 d=-4 e=5 f=6 g=7 h=8"},
      {"main.floats", "a=1.5 b=2.5 c=(3 + 4i) d=(5 + 6i)"},
      {"main.booleans", "a=true b=false c=true"},
      {"main.text", "a=\"a text argument\""},
      {"main.texts",
       "a=\"first\" b=[]string len: 2, cap: 2, [\"second\",\"third\"] c=[2]string [\"fourth\",\"fifth\"]"},
      {"main.bytes", "a=[]uint8 len: 18, cap: 18, \"bytes of a request\""},
      {"main.structures",
       "a=main.pair {left: 1, right: 2} b=main.mixed {flag: true, small: -5, text: \"mixed\", at: "
       "main.pair {left: 3, right: 4}, list: [3]uint16 [5,6,7]} c=*main.mixed {flag: false, small: 0, "
       "text: \"\", at: main.pair {left: 0, right: 0}, list: [3]uint16 [0,0,0]}"},
      {"main.variadic", "format=\"%d %s\" values=[]interface {} len: 3, cap: 3, [1,\"two\",3]"},
      {"main.results", "a=3"},
      {"main.(*server).handle", "s=*main.server {name: \"alpha\", ports: []int len: 2, cap: 2, [80,443]} "
                                "path=\"/index\" id=42"},
      {"main.server.copied", "s=main.server {name: \"alpha\", ports: []int len: 2, cap: 2, [80,443]} id=43"},
      {"main.number.speak", "n=7 loud=false"},
      {"main.(*server).speak", "s=*main.server {name: \"alpha\", ports: []int len: 2, cap: 2, [80,443]} loud=true"},
      {"main.usedBefore", "a=5 b=[]int len: 3, cap: 3, [1,2,3]"},
      {"main.arrays", "a=[1]string [\"only\"] b=[4]int [1,2,3,4] c=[2][2]int8 [[1,2],[3,4]]"},
  };
  return all;
}

std::string values_text(const std::vector<DecodedArgument> &arguments) {
  std::string text;
  for (const DecodedArgument &one : arguments)
    if (!one.result)
      text += fmt::format("{}{}={}", text.empty() ? "" : " ", one.name, one.value);
  return text;
}

void check_values(const GoToolchain &go, GoVariant variant) {
  GoProcess process({build_go(go, "argument_kinds", variant)});
  process.child().wait_for_line("ready");
  process.open();
  GoSignatures signatures;
  GoRuntimeTypes types(process.images(), process.image().version, process.memory());
  ValueContext context;
  context.memory = &process.memory();
  context.types = &types;
  context.version = process.image().version;
  std::map<std::string, std::string> found;
  for (const ParkedGoroutine &goroutine : process.parked_goroutines()) {
    for (const ParkedFrame &frame : goroutine.frames) {
      const std::string name(frame.function.name);
      if (!called_with().contains(name))
        continue;
      const RunAddress pc = frame.pc - 1;
      const GoSignature *signature = signatures.at(*frame.image->module, pc, name);
      REQUIRE(signature != nullptr);
      const ArgumentLayout layout = argument_layout(*frame.image, frame.function, pc, process.memory());
      std::vector<std::uint64_t> words;
      REQUIRE(read_argument_words(layout, frame.cfa, process.memory(), words));
      const bool cut = !layout.tokens.empty() && layout.tokens.back().kind == ArgumentToken::Kind::ellipsis;
      found[name] = values_text(go.minor <= 16 ? decode_stack_words(*signature, words, cut, context)
                                               : decode_words(*signature, layout, words, context));
    }
  }
  for (const auto &[name, expected] : called_with()) {
    INFO(name);
    // Both are called by others, too; and what does not fit in ten words is truncated.
    if (name == "main.text" || name == "main.structures" || (go.minor <= 16 && name == "main.texts"))
      continue;
    CHECK(found[name] == expected);
  }
}

/// Parameters without a name, which DWARF leaves out before Go 1.22, and generic functions.
constexpr const char *blank_program = R"(package main

import ("fmt"; "io"; "os"; "time")

var never = make(chan int)

//go:noinline
func certain(_ int, text string, _ []byte, on bool) { <-never; fmt.Println(text, on) }

//go:noinline
func uncertain(_ int, number int) { <-never; fmt.Println(number) }

//go:noinline
func unnamed(int, string) { <-never }

func main() {
	go certain(7, "known", []byte("blank"), true)
	go uncertain(8, 9)
	go unnamed(10, "eleven")
	time.Sleep(100 * time.Millisecond)
	fmt.Println("ready")
	io.ReadAll(os.Stdin)
}
)";

std::multimap<std::string, std::vector<DecodedArgument>> decoded_frames(GoProcess &process, int minor) {
  GoSignatures signatures;
  ValueContext context;
  context.memory = &process.memory();
  context.version = process.image().version;
  std::multimap<std::string, std::vector<DecodedArgument>> found;
  for (const ParkedGoroutine &goroutine : process.parked_goroutines()) {
    for (const ParkedFrame &frame : goroutine.frames) {
      const RunAddress pc = frame.pc - 1;
      const GoSignature *signature = signatures.at(*frame.image->module, pc, frame.function.name);
      const ArgumentLayout layout = argument_layout(*frame.image, frame.function, pc, process.memory());
      std::vector<std::uint64_t> words;
      if (!signature || !read_argument_words(layout, frame.cfa, process.memory(), words))
        continue;
      found.emplace(frame.function.name, minor <= 16 ? decode_stack_words(*signature, words, false, context)
                                                     : decode_words(*signature, layout, words, context));
    }
  }
  return found;
}

TEST_CASE("parameters without a name do not shift the others' words") {
  for_each_go([](const GoToolchain &go) {
    GoProcess process({build_go_text(go, "blank_parameters", blank_program, GoVariant::unoptimised)});
    process.child().wait_for_line("ready");
    process.open();
    const auto found = decoded_frames(process, go.minor);
    const auto arguments_of = [&](const char *name) {
      const auto place = found.find(name);
      return place != found.end() ? place->second : std::vector<DecodedArgument>();
    };
    // Nothing uses the blank ones, so that the words for them may be old: only who has which is looked at.
    const auto known = [&](const char *name) {
      std::string text;
      for (const DecodedArgument &one : arguments_of(name))
        text += (text.empty() ? "" : " ") + one.name + (one.name == "_" ? "" : "=" + one.value);
      return text;
    };
    CHECK(known("main.certain") == "_ text=\"known\" _ on=true");
    const bool ambiguous = go.minor >= 17 && go.minor < 22;
    CHECK(known("main.uncertain") == (ambiguous ? "=perhaps number int =perhaps number int" : "_ number=9"));
    // Nothing tells two words of one parameter from two parameters there.
    CHECK(arguments_of("main.unnamed").size() == (go.minor <= 16 ? 1 : 2));
  });
}

TEST_CASE("arguments of generic functions are decoded without their dictionary") {
  for_each_go([](const GoToolchain &go) {
    if (go.minor < 18)
      return;
    GoProcess process({build_go(go, "argument_kinds", GoVariant::unoptimised)});
    process.child().wait_for_line("ready");
    process.open();
    std::set<std::string> types;
    std::size_t pushed = 0;
    std::size_t mapped = 0;
    for (const auto &[name, arguments] : decoded_frames(process, go.minor)) {
      const std::string text = values_text(arguments);
      INFO(name << " " << text);
      for (const DecodedArgument &one : arguments)
        types.insert(one.type);
      pushed +=
          name.find(").push") != std::string::npos && text.find(" item=\"generic item\" times=2") != std::string::npos;
      mapped += name.find("main.mapped") == 0 && text.find("key=\"key\" values=") == 0;
    }
    CHECK(pushed == 1);
    CHECK(mapped == 1);
    for (const char *type : {"*main.stack[string]", "map[string]int", "map[float64][]int"})
      CHECK(types.contains(type));
  });
}

TEST_CASE("arguments of a running program are decoded with names, types and values") {
  for_each_go([](const GoToolchain &go) { check_values(go, GoVariant::unoptimised); });
}

} // namespace
} // namespace inspect
