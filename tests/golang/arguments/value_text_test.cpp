#include "golang/arguments/word_values.h"

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
  GoSignatures signatures(process.modules());
  const ValueContext context = context_of(process, types);
  const GoType *table = table_type(process, signatures);
  REQUIRE(table != nullptr);
  CHECK(table->fields.size() == told.by_name.size());
  for (const GoField &field : table->fields) {
    INFO(field.name << " " << field.type->name);
    REQUIRE(told.by_name.contains(field.name));
    const std::string &expected = told.by_name.at(field.name);
    const std::string text = value_text(*field.type, told.table + field.offset, context);
    if (field.name != "BigMap") {
      CHECK(text == expected);
      continue;
    }
    // Its order is its own: some eight of its thousand entries.
    CHECK(text.starts_with(expected));
    CHECK(text.ends_with(", …+992 more]"));
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
    context.limits.depth = 6;
    for (const GoParameter &parameter : declared->at(0).signature.parameters) {
      const std::string text = value_text(*parameter.type, RunAddress{static_cast<std::uint64_t>(round) * 24}, context);
      CHECK(text.size() < 4 * context.limits.text_bytes);
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
    return value_text(*declared->at(0).signature.parameters.at(which).type, {0x1000}, context);
  };
  CHECK(text(0).starts_with("bag len: 1, cap: 1, [len: 1, cap: 1, [len: 1"));
  CHECK(text(1).starts_with("****"));
  CHECK(text(2) == "node {next: *node {next: (*node)(0x1000)}}");
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
    return value_text(*declared->at(0).signature.parameters.at(which).type, {address}, context);
  };
  CHECK(text(0) == "len: 3, unreadable at 0x5000");
  CHECK(text(1) == "[]int len: 3, cap: 3, [unreadable at 0x5000,unreadable at 0x5008,unreadable at 0x5010]");
  CHECK(text(2) == "map[int]int unreadable at 0x5000");
  CHECK(text(3) == "chan int unreadable at 0x5000");
  CHECK(text(4) == "(*int)(0x5000) (heap), unreadable");
  CHECK(text(5) == "func() unreadable at 0x5000");
  CHECK(text(6, 0x2000) == "unreadable at 0x2000");
  CHECK(text(7, 0x1010) == "struct { a int; b int } {a: 3, b: unreadable at 0x1018}");
}

} // namespace
} // namespace inspect
