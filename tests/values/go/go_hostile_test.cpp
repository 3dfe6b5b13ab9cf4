// Go values that are none: lengths that cannot be, maps whose headers lie, circles, words of types that do not exist,
// and a live program's memory with bytes changed at random.
#include "tests/support/catch.h"
#include "tests/support/fuzz_rounds.h"
#include "tests/support/go_toolchain.h"
#include "tests/support/skip.h"
#include "tests/values/go/go_values.h"
#include "values/go/go_type_names.h"
#include "values/go/go_variables.h"
#include "values/value_operations.h"
#include "values/value_text.h"

#include <iterator>
#include <random>
#include <span>

namespace inspect {
namespace {

using namespace test;

constexpr std::uint64_t quintillion = 1'000'000'000'000'000'000;

/// Words at 0x1000, and the environment of a Go program that has no more than these.
class WordMemory {
public:
  explicit WordMemory(std::vector<std::uint64_t> words, GoVersion version = {1, 19}) {
    const auto bytes_of_words = std::as_bytes(std::span(words));
    std::vector<std::byte> bytes(bytes_of_words.begin(), bytes_of_words.end());
    memory_.add({0x1000}, std::move(bytes));
    environment_.go.emplace();
    environment_.go->version = version;
    environment_.go->pool = &pool_;
    environment_.go->converter = &converter_;
  }
  ValueEnvironment &environment() { return environment_; }
  Value value(std::string_view type, std::uint64_t address = 0x1000) {
    return go_value_at(*parse_go_type(type, environment_)->go, {address}, environment_);
  }
  std::string text(std::string_view type) { return value_text(value(type), environment_, {}); }

private:
  BufferMemory memory_;
  ModuleMap modules_;
  TypeReader reader_;
  GoTypePool pool_;
  GoTypeConverter converter_{reader_, pool_};
  ValueEnvironment environment_{.memory = memory_, .modules = modules_, .types = reader_};
};

TEST_CASE("Go values that cannot be are called unreadable and not believed") {
  struct Case {
    std::vector<std::uint64_t> words;
    std::string_view type;
    std::string_view text;
  };
  const Case cases[] = {
      {{0x1000, quintillion}, "string", "(unreadable a length of 1000000000000000000 at 0x1000: not initialised?)"},
      {{0, 5}, "string", "(unreadable a length of 5 at 0x0: not initialised?)"},
      {{0x9000, 5}, "string", "(unreadable string of 5 bytes at 0x9000)"},
      {{0x1000, ~0ULL, ~0ULL}, "[]int", "(unreadable a length of -1 at 0x1000: not initialised?)"},
      {{0x1000, 2, 1}, "[]int", "(unreadable a length of 2 above the capacity of 1 at 0x1000: not initialised?)"},
      {{0x9000, 2, 2},
       "[]int",
       "[]int len: 2, cap: 2, [(unreadable memory at 0x9000 cannot be read),(unreadable memory at 0x9008 cannot be "
       "read)]"},
      {{0x9000}, "*int", "*(unreadable memory at 0x9000 cannot be read)"},
      {{0x1000}, "**int", "**4096"},
      {{0x1000}, "map[string]int", "map[string]int (unreadable no map header at 0x1000: not initialised?)"},
      {{0x9000}, "map[string]int", "map[string]int (unreadable memory at 0x9000 cannot be read)"},
      {{0x9000}, "chan int", "(unreadable memory at 0x9000 cannot be read)"},
      {{0x1008, quintillion, 1, 0, 0, 0, 0, 0, 0, 0},
       "chan int",
       "(unreadable no channel at 0x1008: not initialised?)"},
      {{0x9000}, "func()", "(unreadable memory at 0x9000 cannot be read)"},
      {{0x1234, 0x1000}, "interface {}", "interface {}(type 0x1234, data 0x1000)"},
      {{7}, "bool", "0x7, no bool: not initialised?"},
      {{}, "int", "(unreadable memory at 0x1000 cannot be read)"},
  };
  for (const Case &one : cases) {
    WordMemory words(one.words);
    CAPTURE(one.type, one.words);
    CHECK(words.text(one.type) == one.text);
  }
}

TEST_CASE("a Go map whose header lies is walked only so far") {
  // count, B = 40 and no flags, and buckets that lead to themselves.
  std::vector<std::uint64_t> old_map{0x1008, 1000, 40ULL << 8, 0x1040, 0x1040, 0, 0, 0};
  old_map.resize(4096, 0x1040);
  WordMemory old_words(old_map);
  CHECK(old_words.text("map[int]int").size() < 4096);
  Value key = go_value_of_words(*parse_go_type("int", old_words.environment())->go, {77});
  const auto found = go_operations().element(old_words.value("map[int]int"), key, old_words.environment());
  REQUIRE_FALSE(found.has_value());
  CHECK(found.error().kind() == ErrorKind::timed_out);
  // used, a seed, a directory of 2^30 that leads to itself.
  std::vector<std::uint64_t> new_map{0x1008, 1000, 0, 0x1040, 1ULL << 30, 30, 0, 0};
  new_map.resize(4096, 0x1040);
  WordMemory new_words(new_map, {1, 24});
  CHECK(new_words.text("map[int]int").size() < 4096);
  CHECK_FALSE(go_operations().element(new_words.value("map[int]int"), key, new_words.environment()).has_value());
}

TEST_CASE("Go values that hold themselves end") {
  WordMemory words({0x1000, 1, 1, 0x1000});
  GoTypePool &pool = *words.environment().go->pool;
  GoType &slice = pool.add();
  slice.kind = GoKind::slice;
  slice.name = "main.S";
  slice.size = 24;
  slice.element = &slice;
  const Value loop = go_value_at(slice, {0x1000}, words.environment());
  CHECK(value_text(loop, words.environment(), {}).size() < 200);
  GoType &pointer = pool.add();
  pointer.kind = GoKind::pointer;
  pointer.name = "main.P";
  pointer.size = 8;
  pointer.element = &pointer;
  const Value circle = go_value_at(pointer, {0x1000}, words.environment());
  CHECK(value_text(circle, words.environment(), {}) == std::string(24, '*') + "...");
  CHECK_FALSE(go_operations().member(circle, "x", words.environment()).has_value());
  CHECK(go_operations().member_names(circle, words.environment()).empty());
}

/// Some of the bytes that are read are others than those that are there.
class DamagedMemory final : public MemoryView {
public:
  DamagedMemory(const MemoryView &memory, std::uint32_t seed) : memory_(memory), seed_(seed) {}
  Result<void> read(RunAddress address, std::span<std::byte> into) const override {
    auto done = memory_.read(address, into);
    for (std::size_t i = 0; i < into.size() && done; ++i) {
      const std::uint64_t hash = ((address.value + i) * 0x9e3779b97f4a7c15 + seed_) * 0xff51afd7ed558ccd >> 32;
      if (hash % 16 == 0)
        into[i] ^= static_cast<std::byte>(hash >> 8);
    }
    return done;
  }

private:
  const MemoryView &memory_;
  std::uint32_t seed_;
};

TEST_CASE("steps into Go values and their texts end well whatever the memory holds") {
  const std::vector<GoToolchain> toolchains = go_toolchains();
  if (toolchains.empty())
    SKIP_TEST("no Go toolchain of 1.16 or later is installed");
  for (const GoToolchain &go : {toolchains.front(), toolchains.back()}) {
    GoValues program({build_go(go, "value_expressions")});
    std::vector<std::string> steps;
    RunAddress place;
    for (std::string line; (line = program.child().read_line()) != "ready";) {
      if (line.starts_with("at "))
        place.value = std::stoull(line.substr(3), nullptr, 16);
      steps.push_back(line.substr(0, line.find(" => ")));
    }
    program.open();
    const auto type = parse_go_type("main.table", program.environment());
    REQUIRE(type.has_value());
    PrintOptions deep;
    deep.limits.recursion = 4;
    for (int round = 0; round < fuzz_rounds(4); ++round) {
      const DamagedMemory memory(program.process().memory(), static_cast<std::uint32_t>(round) * 2654435761U);
      ValueEnvironment environment = program.with_memory(memory);
      const Value table = go_value_at(*type->go, place, environment);
      for (const std::string &one : steps) {
        const auto value = take_steps(table, one, environment);
        if (value)
          CHECK(value_text(*value, environment, {}).size() <= 66'000);
        else
          CHECK_FALSE(value.error().message().empty());
      }
      CHECK(value_text(table, environment, deep).size() <= 70'000);
    }
  }
}

TEST_CASE("Go types are read as they are written, and refused where they cannot be") {
  struct Case {
    std::string_view text;
    std::string_view answer; ///< the type's name, or why not
  };
  const Case cases[] = {
      {"*int", "*int"},
      {"[]string", "[]string"},
      {" [ 4 ] int8 ", "[4]int8"},
      {"map[string][]*error", "map[string][]*error"},
      {"chan<- int", "chan<- int"},
      {"<-chan bool", "<-chan bool"},
      {"chan (<-chan int)", "chan (<-chan int)"},
      {"func(int) error", "func(int) error"},
      {"func(a int, b ...string) (int, error)", "func(int, ...string) (int, error)"},
      {"struct { a, b int; c string }", "struct { a int; b int; c string }"},
      {"struct {}", "struct {}"},
      {"interface {}", "interface {}"},
      {"any", "interface {}"},
      {"byte", "uint8"},
      {"rune", "int32"},
      {"(*int)", "*int"},
      {"unsafe.Pointer", "unsafe.Pointer"},
      {"", "column 1 of the type: expected a type, but the text ends here"},
      {"*", "column 2 of the type: expected a type, but the text ends here"},
      {"[]", "column 3 of the type: expected a type, but the text ends here"},
      {"[x]int", "column 2 of the type: an array's length must be written as a number, not as 'x'"},
      {"[4int", "column 2 of the type: an array's length must be written as a number, not as '4int'"},
      {"[4 int", "column 4 of the type: expected ']' after the array's length, but there is 'int' here"},
      {"[99999999999999999999]int",
       "column 2 of the type: an array's length must be written as a number, not as '99999999999999999999'"},
      {"[999999999999999]int", "the array [999999999999999]int is longer than memory"},
      {"map[int", "column 8 of the type: expected ']' after the map's key type, but the text ends here"},
      {"struct { a int", "column 15 of the type: expected ';' or '}' after a field, but the text ends here"},
      {"func(", "column 6 of the type: expected a type, but the text ends here"},
      {"int)", "column 4 of the type: expected the end of the type, but there is ')' here"},
      {"main.T", "there is no type main.T"},
      {"\"net/http.Server", "column 1 of the type: a string without end"},
  };
  WordMemory words({0});
  for (const Case &one : cases) {
    CAPTURE(one.text);
    const auto type = parse_go_type(one.text, words.environment());
    CHECK((type ? type->go->name : type.error().message()) == one.answer);
  }
  std::minstd_rand random(7);
  for (int round = 0; round < fuzz_rounds(300); ++round) {
    std::string text(cases[random() % std::size(cases)].text);
    for (int change = 0; change < 3; ++change)
      text.insert(random() % (text.size() + 1), 1, "*[](){};,. \"<-mcsif4"[random() % 21]);
    const auto type = parse_go_type(text, words.environment());
    CAPTURE(text);
    CHECK((type ? type->go != nullptr : !type.error().message().empty()));
  }
  CHECK_FALSE(parse_go_type(std::string(3000, '*') + "int", words.environment()).has_value());
  CHECK_FALSE(parse_go_type(std::string(100'000, '['), words.environment()).has_value());
}

} // namespace
} // namespace inspect
