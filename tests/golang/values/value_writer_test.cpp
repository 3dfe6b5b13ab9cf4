#include "golang/values/value_writer.h"

#include "golang/signatures/signatures.h"
#include "tests/golang/go_process.h"
#include "tests/support/catch.h"
#include "tests/support/fuzz_rounds.h"
#include "tests/support/go_toolchain.h"

#include <array>
#include <fmt/format.h>
#include <map>
#include <random>

namespace inspect {
namespace {

using namespace test;

std::string text_at(const GoType &type, RunAddress address, const ValueContext &context) {
  return write_go_value(type, ValueSource::in_memory(*context.memory, address, type.size), context);
}

/// fixtures/golang/value_table: what it says of each value, and where the table is.
struct ToldValues {
  std::map<std::string, std::string> by_name;
  RunAddress table;
};

ToldValues read_told(ChildProcess &child) {
  ToldValues told;
  for (std::string line; (line = child.read_line()) != "ready";) {
    const std::size_t space = line.find(' ');
    const std::string name = line.substr(0, space);
    if (name == "at")
      told.table.value = std::stoull(line.substr(space + 1), nullptr, 16);
    else
      told.by_name[name] = line.substr(space + 1);
  }
  return told;
}

/// The type of main.hold's parameter, which points to the table.
const GoType *table_type(GoProcess &process, GoSignatures &signatures) {
  const auto function = process.image().table->find("main.hold");
  REQUIRE(function.has_value());
  const GoSignature *signature = signatures.at(*process.image().module, function->entry, "main.hold");
  REQUIRE(signature != nullptr);
  REQUIRE(signature->parameters.size() == 1);
  return signature->parameters[0].type->element;
}

ValueContext context_of(GoProcess &process, GoRuntimeTypes &types) {
  ValueContext context;
  context.memory = &process.memory();
  context.types = &types;
  context.version = process.image().version;
  context.classify = [&process](RunAddress address) {
    const auto function = process.image().table->find(address);
    return function ? fmt::format("func {}", function->name) : std::string();
  };
  return context;
}

void check_table(const GoToolchain &go, GoVariant variant) {
  GoProcess process({build_go(go, "value_table", variant)});
  const ToldValues told = read_told(process.child());
  process.open();
  GoRuntimeTypes types(process.images(), process.image().version, process.memory());
  GoSignatures signatures;
  const ValueContext context = context_of(process, types);
  const GoType *table = table_type(process, signatures);
  REQUIRE(table != nullptr);
  CHECK(table->fields.size() == told.by_name.size());
  for (const GoField &field : table->fields) {
    INFO(field.name << " " << field.type->name);
    REQUIRE(told.by_name.contains(field.name));
    const std::string &expected = told.by_name.at(field.name);
    const std::string text = text_at(*field.type, told.table + field.offset, context);
    if (field.name != "BigMap") {
      CHECK(text == expected);
      continue;
    }
    // Its order is its own: some eight of its thousand entries.
    CHECK(text.starts_with(expected));
    CHECK(text.ends_with(", ...+992 more]"));
    std::string_view entries = std::string_view(text).substr(expected.size());
    for (int i = 0; i < 8; ++i) {
      const int key = std::stoi(std::string(entries));
      entries.remove_prefix(entries.find(": ") + 2);
      CHECK(std::stoi(std::string(entries)) == key * key);
      entries.remove_prefix(entries.find(", ") + 2);
    }
  }
}

TEST_CASE("values of every kind are printed as the program itself describes them") {
  for_each_go([](const GoToolchain &go) {
    for (const GoVariant variant : {GoVariant::plain, GoVariant::pie}) {
      INFO(variant_name(variant));
      check_table(go, variant);
    }
  });
}

/// Random bytes at every address below a bound, and words that often lead back into it.
class NonsenseMemory final : public MemoryView {
public:
  explicit NonsenseMemory(std::uint32_t seed) : seed_(seed) {}
  Result<void> read(RunAddress address, std::span<std::byte> into) const override {
    if (address.value >= bound || into.size() > bound)
      return std::unexpected(Error(ErrorKind::unreadable, "nothing there"));
    for (std::size_t i = 0; i < into.size(); ++i)
      into[i] = byte_at(address.value + i);
    ++reads;
    return {};
  }
  static constexpr std::uint64_t bound = 1 << 16;
  mutable std::size_t reads = 0;

private:
  std::byte byte_at(std::uint64_t place) const {
    std::mt19937 random(seed_ + static_cast<std::uint32_t>(place / 8));
    const std::uint64_t kind = random() % 4;
    const std::uint64_t word = kind == 0 ? random() % 16 : kind == 1 ? random() : random() % bound;
    return static_cast<std::byte>(word >> (8 * (place % 8)));
  }
  std::uint32_t seed_;
};

TEST_CASE("nonsense in memory is printed in bounded text, whatever type it is taken for") {
  GoTypePool pool;
  const auto declared = parse_go_declarations(
      "type node struct { next *node; all []node; byName map[string]*node; any interface{}; err error; f func(); c "
      "chan "
      "node; grid [1000000][1000000]node2; b []byte; s string; bad bool }\ntype node2 struct { p **node; bags bag }\n"
      "type bag []bag\nfunc f(n node, m map[string]map[int]node, b bag, s []string, t time.Time, d time.Duration)",
      pool);
  REQUIRE(declared.has_value());
  std::size_t answers = 0;
  for (int round = 0; fuzz_goes_on(round, 200); ++round) {
    const NonsenseMemory memory(static_cast<std::uint32_t>(round) * 1000);
    ValueContext context;
    context.memory = &memory;
    context.version = {1, round % 2 == 0 ? 22 : 25};
    context.print.limits.recursion = 5;
    for (const GoParameter &parameter : declared->at(0).signature.parameters) {
      const std::string text = text_at(*parameter.type, RunAddress{static_cast<std::uint64_t>(round) * 24}, context);
      CHECK(text.size() < 4 * context.print.limits.text_bytes);
      answers += !text.empty();
    }
    CHECK(memory.reads < 20'000);
  }
  CHECK(answers > 0);
}

TEST_CASE("values that lead in a circle end") {
  GoTypePool pool;
  const auto declared = parse_go_declarations(
      "type bag []bag\ntype ring *ring\ntype node struct { next *node }\nfunc f(b bag, r ring, n node)", pool);
  REQUIRE(declared.has_value());
  BufferMemory memory;
  const std::array<std::uint64_t, 3> words{0x1000, 1, 1};
  memory.add({0x1000},
             std::vector<std::byte>(std::as_bytes(std::span(words)).begin(), std::as_bytes(std::span(words)).end()));
  ValueContext context;
  context.memory = &memory;
  const auto text = [&](std::size_t which) {
    return text_at(*declared->at(0).signature.parameters.at(which).type, {0x1000}, context);
  };
  CHECK(text(0).starts_with("bag len: 1, cap: 1, [[["));
  CHECK(text(1).starts_with("****"));
  CHECK(text(2) == "node {next: *node {next: *(*node)(0x1000)}}");
}

TEST_CASE("what cannot be read says where it would be") {
  GoTypePool pool;
  const auto declared = parse_go_declarations(
      "func f(s string, l []int, m map[int]int, c chan int, p *int, g func(), i int, n struct { a, b int })", pool);
  REQUIRE(declared.has_value());
  BufferMemory memory;
  const std::array<std::uint64_t, 3> words{0x5000, 3, 3};
  memory.add({0x1000},
             std::vector<std::byte>(std::as_bytes(std::span(words)).begin(), std::as_bytes(std::span(words)).end()));
  ValueContext context;
  context.memory = &memory;
  context.classify = [](RunAddress address) { return address.value == 0x5000 ? "heap" : ""; };
  const auto text = [&](std::size_t which, std::uint64_t address = 0x1000) {
    return text_at(*declared->at(0).signature.parameters.at(which).type, {address}, context);
  };
  CHECK(text(0) == "(unreadable string of 3 bytes at 0x5000 (heap))");
  CHECK(text(1) == "[]int len: 3, cap: 3, [(unreadable memory at 0x5000 cannot be read),(unreadable memory at 0x5008 "
                   "cannot be read),(unreadable memory at 0x5010 cannot be read)]");
  CHECK(text(2) == "map[int]int (unreadable memory at 0x5000 cannot be read)");
  CHECK(text(3) == "(unreadable memory at 0x5000 cannot be read)");
  CHECK(text(4) == "*(unreadable memory at 0x5000 cannot be read)");
  CHECK(text(5) == "(unreadable memory at 0x5000 cannot be read)");
  CHECK(text(6, 0x2000) == "(unreadable memory at 0x2000 cannot be read)");
  CHECK(text(7, 0x1010) == "struct { a int; b int } {a: 3, b: (unreadable memory at 0x1018 cannot be read)}");
  // A file's memory is not the process's: what it lacks is only somewhere else.
  context.memory_is_partial = true;
  CHECK(text(0) == "len: 3, at 0x5000");
  CHECK(text(1) == "[]int len: 3, cap: 3, at 0x5000");
  CHECK(text(2) == "map[int]int at 0x5000");
  CHECK(text(3) == "chan int at 0x5000");
  CHECK(text(4) == "(*int)(0x5000) (heap)");
  CHECK(text(5) == "func() at 0x5000");
}

/// Words at the beginning of a value, of which some are not known.
using KnownWords = std::vector<std::optional<std::uint64_t>>;
ValueSource of_words(const KnownWords &words) {
  auto image = std::make_shared<ValueImage>(words.size() * 8);
  std::size_t place = 0;
  for (const auto &word : words) {
    if (word)
      image->set(place, *word, 8);
    place += 8;
  }
  return ValueSource::of_image(std::move(image));
}

TEST_CASE("of a value that is known in parts the parts are written") {
  GoTypePool pool;
  const auto declared = parse_go_declarations(
      "func f(s string, l []int, c complex128, e error, n struct { a int; b string }, p *int, g [2]uint64)", pool);
  REQUIRE(declared.has_value());
  const auto &parameters = declared->at(0).signature.parameters;
  BufferMemory memory;
  const std::array<std::uint64_t, 2> numbers{7, 8};
  memory.add({0x1000}, std::vector<std::byte>(std::as_bytes(std::span(numbers)).begin(),
                                              std::as_bytes(std::span(numbers)).end()));
  constexpr std::nullopt_t none = std::nullopt;
  struct Row {
    std::size_t parameter;
    KnownWords words;
    std::string_view text;       ///< without memory
    std::string_view explained;  ///< where it is said why bytes are absent; empty: the same
    std::string_view in_process; ///< with memory; empty: the same
  };
  const Row rows[] = {
      {0, {none, none}, "...", "(unreadable optimized out)", {}},
      {0, {none, 3}, "len: 3", {}, {}},
      {0, {0x1000, none}, "len: ..., at 0x1000", {}, {}},
      {0, {0x1000, 3}, "len: 3, at 0x1000", {}, R"("\a\x00\x00")"},
      {0, {0x1000, 0}, "\"\"", {}, {}},
      {0, {0, 3}, "(unreadable a length of 3 at 0x0: not initialised?)", {}, {}},
      {1, {none, none, none}, "...", "(unreadable optimized out)", {}},
      {1, {0x1000, 2, none}, "[]int len: 2, cap: ..., at 0x1000", {}, "[]int len: 2, cap: ..., [7,8]"},
      {1, {0x1000, none, 2}, "[]int len: ..., cap: 2, at 0x1000", {}, {}},
      {1, {none, 2, 2}, "[]int len: 2, cap: 2, ...", {}, {}},
      {1, {none, 0, 2}, "[]int len: 0, cap: 2, []", {}, {}},
      {1, {0, 0, 0}, "[]int len: 0, cap: 0, nil", {}, {}},
      {1, {none, 3, 2}, "(unreadable a length of 3 above the capacity of 2: not initialised?)", {}, {}},
      {1, {none, none, -1ULL}, "(unreadable a capacity of -1: not initialised?)", {}, {}},
      {2, {0x3ff0000000000000, none}, "(1 + ...i)", "(1 + <optimized out>i)", {}},
      {2, {none, 0x3ff0000000000000}, "(... + 1i)", "(<optimized out> + 1i)", {}},
      {2, {none, none}, "...", "(unreadable optimized out)", {}},
      {3, {0, none}, "error nil", {}, {}},
      {3, {0x1000, none}, "...", "(unreadable optimized out)", {}},
      {3, {0x1000, 0x1008}, "error(table 0x1000, data 0x1008)", {}, {}},
      {4, {5, none, 2}, "struct { a int; b string } {a: 5, b: len: 2}", {}, {}},
      {4,
       {none, 0x1000, none},
       "struct { a int; b string } {a: ..., b: len: ..., at 0x1000}",
       "struct { a int; b string } {a: (unreadable optimized out), b: len: ..., at 0x1000}",
       {}},
      {5, {0x1000}, "(*int)(0x1000)", {}, "*7"},
      {6, {none, 9}, "[2]uint64 [...,9]", "[2]uint64 [(unreadable optimized out),9]", {}},
  };
  for (const Row &row : rows) {
    CAPTURE(row.parameter, row.text);
    const GoType &type = *parameters.at(row.parameter).type;
    const ValueSource source = of_words(row.words);
    ValueContext context;
    CHECK(write_go_value(type, source, context) == row.text);
    context.absent = "optimized out";
    CHECK(write_go_value(type, source, context) == (row.explained.empty() ? row.text : row.explained));
    context.absent = {};
    context.memory = &memory;
    CHECK(write_go_value(type, source, context) == (row.in_process.empty() ? row.text : row.in_process));
  }
}

/// Debug information of a program that has one enumeration and one closure.
class OneOfEach final : public GoValueDetails {
public:
  explicit OneOfEach(const GoType &captured) : captured_(captured) {}
  void complete(const GoType &) override { ++completed; }
  std::string constant_name(const GoType &type, std::uint64_t number) override {
    return type.name == "level" && number == -2ULL ? "Low" : "";
  }
  std::vector<GoCapturedValue> captures(RunAddress closure, RunAddress code) override {
    CHECK(closure == RunAddress{0x1008});
    CHECK(code == RunAddress{0x4000});
    return {{"by", &captured_, of_words({5}), {}}, {"gone", nullptr, std::nullopt, "optimized out"}};
  }
  bool out_of_time() override { return late; }

  int completed = 0;
  bool late = false;

private:
  const GoType &captured_;
};

TEST_CASE("what only debug information tells is part of a value's text") {
  GoTypePool pool;
  const auto declared = parse_go_declarations(
      "type level int8\nfunc f(l level, n int8, g func(), s []level, t time.Time, b []byte)", pool);
  REQUIRE(declared.has_value());
  const auto &parameters = declared->at(0).signature.parameters;
  BufferMemory memory;
  const std::array<std::uint64_t, 2> words{0x1008, 0x4000};
  memory.add({0x1000},
             std::vector<std::byte>(std::as_bytes(std::span(words)).begin(), std::as_bytes(std::span(words)).end()));
  const std::string bytes = "text\xfe\x01";
  memory.add({0x2000},
             std::vector<std::byte>(std::as_bytes(std::span(bytes)).begin(), std::as_bytes(std::span(bytes)).end()));
  ValueContext context;
  context.memory = &memory;
  context.classify = [](RunAddress address) { return address.value == 0x4000 ? "func main.add" : ""; };
  const auto text = [&](std::size_t which, const KnownWords &known) {
    return write_go_value(*parameters.at(which).type, of_words(known), context);
  };
  CHECK(text(0, {0xfe}) == "-2");
  CHECK(text(2, {0x1008}) == "main.add");
  OneOfEach details(*pool.predeclared("int"));
  context.details = &details;
  CHECK(text(0, {0xfe}) == "Low (-2)");
  CHECK(text(0, {2}) == "2");
  CHECK(text(1, {0xfe}) == "-2");
  CHECK(text(2, {0x1008}) == "main.add {by: 5, gone: (unreadable optimized out)}");
  CHECK(text(3, {0x2004, 2, 2}) == "[]level len: 2, cap: 2, [Low (-2),1]");
  CHECK(details.completed > 0);
  // In a dump bytes are text where they can be, and times have no fields.
  CHECK(text(5, {0x2000, 4, 4}) == "[]uint8 len: 4, cap: 4, \"text\"");
  CHECK(text(5, {0x2000, 6, 6}) == "[]uint8 len: 6, cap: 6, [116,101,120,116,254,1]");
  CHECK(text(4, {500, 63'907'919'941, 0}) == "time.Time(2026-02-28T23:59:01.0000005Z)");
  context.print = {};
  CHECK(text(5, {0x2000, 4, 4}) == "[]uint8 len: 4, cap: 4, [116,101,120,116]");
  CHECK(text(4, {500, 63'907'919'941, 0}).starts_with("time.Time(2026-02-28T23:59:01Z){"));
  context.print.format = NumberFormat::hexadecimal;
  CHECK(text(3, {0x2004, 2, 2}) == "[]level len: 2, cap: 2, [-0x2,0x1]");
  context.print.format = NumberFormat::address;
  CHECK(text(3, {0x2004, 2, 2}) == "[]level len: 2, cap: 2, [0xfffffffffffffffe,0x1]");
  details.late = true;
  CHECK(text(3, {0x2004, 2, 2}) == "...");
}

} // namespace
} // namespace inspect
