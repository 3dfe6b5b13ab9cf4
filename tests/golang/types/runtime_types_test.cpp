#include "golang/types/runtime_types.h"

#include "golang/types/type_description.h"
#include "tests/golang/go_process.h"
#include "tests/support/catch.h"
#include "tests/support/fuzz_rounds.h"
#include "tests/support/go_toolchain.h"
#include "tests/support/skip.h"

#include <map>
#include <random>
#include <set>
#include <sstream>

namespace inspect {
namespace {

using namespace test;

std::vector<std::string> split(const std::string &line) {
  std::vector<std::string> parts;
  std::istringstream fields(line);
  for (std::string part; std::getline(fields, part, '\t');)
    parts.push_back(part);
  return parts;
}

std::uint64_t number(const std::string &text) {
  return std::stoull(text, nullptr, 0);
}

/// What the program says of its types, up to "ready".
std::vector<std::vector<std::string>> told_by(GoProcess &process) {
  std::vector<std::vector<std::string>> lines;
  for (std::string line; (line = process.child().read_line()) != "ready";)
    lines.push_back(split(line));
  return lines;
}

std::uint64_t address_of(const GoType *type) {
  return type ? type->runtime_type.value : 0;
}

void check_type(const std::vector<std::string> &line, const GoType &type) {
  CHECK(type.name == line[10]);
  CHECK(static_cast<std::uint64_t>(type.kind) == number(line[2])); // GoKind has reflect's order
  CHECK(type.size == number(line[3]));
  CHECK(type.alignment == number(line[4]));
  CHECK(type.length == number(line[5]));
  CHECK(address_of(type.element) == number(line[6]));
  CHECK(address_of(type.key) == number(line[7]));
  CHECK(type.has_methods == (line[8] == "true"));
  CHECK(type.fields.size() == number(line[9]));
}

struct Counts {
  std::size_t types = 0;
  std::size_t fields = 0;
  std::size_t made = 0;
  std::size_t tables = 0;
  std::size_t found = 0;
};

Counts check_lines(const GoProcess &process, const std::vector<std::vector<std::string>> &lines) {
  GoRuntimeTypes types(process.images(), process.image().version, process.memory());
  Counts counts;
  const GoType *structure = nullptr;
  std::size_t field = 0;
  for (const auto &line : lines) {
    INFO(line.back() << " at " << line[1]);
    if (line[0] == "type") {
      structure = types.at({number(line[1])});
      field = 0;
      REQUIRE(structure != nullptr);
      check_type(line, *structure);
      ++counts.types;
      counts.made += process.image().data.types.contains({number(line[1])}) ? 0 : 1;
    } else if (line[0] == "field") {
      REQUIRE(field < structure->fields.size());
      CHECK(structure->fields[field].offset == number(line[1]));
      CHECK(address_of(structure->fields[field].type) == number(line[2]));
      CHECK(structure->fields[field].name == line[3]);
      ++field;
      ++counts.fields;
    } else if (line[0] == "table") {
      const auto table = types.interface_table({number(line[1])});
      REQUIRE(table.has_value());
      CHECK(table->interface_type->name == line[2]);
      CHECK(table->type->name == line[3]);
      ++counts.tables;
    } else if (line[0] == "find") {
      CHECK(address_of(types.find(line[2], line[3])) == number(line[1]));
      const std::string printed = line[2].substr(line[2].rfind('/') + 1) + "." + line[3];
      CHECK(address_of(types.find(printed)) == number(line[1]));
      REQUIRE(types.find("*" + printed) != nullptr);
      CHECK(address_of(types.find("*" + printed)->element) == number(line[1]));
      ++counts.found;
    }
  }
  return counts;
}

TEST_CASE("runtime types are what package reflect says of them, made ones and interface tables included") {
  for_each_go([](const GoToolchain &go) {
    for (const GoVariant variant : {GoVariant::stripped, GoVariant::pie}) {
      INFO(variant_name(variant));
      GoProcess process({build_go(go, "runtime_types", variant)});
      const auto lines = told_by(process);
      process.open();
      const Counts counts = check_lines(process, lines);
      CHECK(counts.types > 250);
      CHECK(counts.fields > 150);
      CHECK(counts.made >= 13);
      CHECK(counts.tables >= 9);
      CHECK(counts.found == 4);
    }
  });
}

/// The bytes of an image's types and of its list of them, to be spoilt.
class CopiedTypes {
public:
  explicit CopiedTypes(const GoProcess &process) : data_(process.image().data) {
    types_.resize(data_.types.size());
    REQUIRE(process.memory().read(data_.types.begin, types_));
    links_.resize(data_.type_links.length * 4);
    REQUIRE(process.memory().read(data_.type_links.data, links_));
  }

  std::vector<std::byte> &types() { return types_; }
  std::uint64_t begin() const { return data_.types.begin.value; }

  void copy_to(BufferMemory &memory) const {
    memory.add(data_.types.begin, types_);
    if (!data_.types.contains(data_.type_links.data))
      memory.add(data_.type_links.data, links_);
  }

private:
  const ModuleData &data_;
  std::vector<std::byte> types_;
  std::vector<std::byte> links_;
};

/// Follows everything once; cycles are real.
void walk(const GoType *type, std::set<const GoType *> &seen) {
  std::vector<const GoType *> todo = {type};
  while (!todo.empty()) {
    const GoType *next = todo.back();
    todo.pop_back();
    if (!next || !seen.insert(next).second)
      continue;
    todo.push_back(next->element);
    todo.push_back(next->key);
    for (const GoField &field : next->fields) {
      REQUIRE(field.type != nullptr);
      todo.push_back(field.type);
    }
  }
}

TEST_CASE("spoilt type data is refused or read to its end, and all of it is found in a file's image") {
  const std::vector<GoToolchain> toolchains = go_toolchains();
  if (toolchains.empty())
    SKIP_TEST("no Go toolchain is installed");
  GoProcess process({build_go(toolchains.back(), "runtime_types", GoVariant::stripped)});
  const auto lines = told_by(process);
  process.open();
  std::mt19937 random(20);
  for (int round = 0; fuzz_goes_on(round, 20); ++round) {
    CopiedTypes copy(process);
    const int spoilt = round == 0 ? 0 : 1 << (round % 16);
    for (int i = 0; i < spoilt; ++i)
      copy.types()[random() % copy.types().size()] ^= static_cast<std::byte>(1 + random() % 255);
    BufferMemory memory;
    copy.copy_to(memory);
    GoRuntimeTypes types(process.images(), process.image().version, memory);
    std::set<const GoType *> seen;
    for (const auto &line : lines) {
      if (line[0] == "type" && process.image().data.types.contains({number(line[1])})) {
        const GoType *type = types.at({number(line[1])});
        CHECK((spoilt != 0 || type != nullptr));
        walk(type, seen);
      }
    }
    walk(types.find("*main.plain"), seen);
    CHECK(seen.size() > 1);
  }
}

TEST_CASE("descriptions that lie in a row are each as long as the next one is away, to the end of them all") {
  for_each_go([](const GoToolchain &go) {
    if (go.minor < 27)
      return; // the linker lists their offsets
    for (const GoVariant variant : {GoVariant::plain, GoVariant::stripped, GoVariant::pie}) {
      GoProcess process({build_go(go, "runtime_types", variant)});
      told_by(process);
      process.open();
      const GoImage &image = process.image();
      TypeBytes bytes(process.images(), image.version, process.memory());
      const RunRange range = image.data.type_descriptions;
      REQUIRE(range.size() > 0);
      std::size_t types = 0;
      RunAddress at = range.begin + 8; // behind the linker's padding
      for (; at < range.end; ++types) {
        const auto size = type_description_bytes(bytes, image.version, at);
        REQUIRE(size);
        CHECK(read_type_title(bytes, at));
        at = RunAddress{(at.value + *size + 7) / 8 * 8};
      }
      CHECK(at == range.end);
      CHECK(types > 1000);
    }
  });
}

TEST_CASE("words that lead into type data, but not to the beginning of a type, are hardly ever taken for one") {
  const std::vector<GoToolchain> toolchains = go_toolchains();
  if (toolchains.empty())
    SKIP_TEST("no Go toolchain is installed");
  GoProcess process({build_go(toolchains.back(), "runtime_types", GoVariant::stripped)});
  told_by(process);
  process.open();
  GoRuntimeTypes types(process.images(), process.image().version, process.memory());
  const RunRange range = process.image().data.types;
  std::uint64_t last_type = range.begin.value;
  for (std::uint64_t address = range.begin.value; address < range.end.value; address += 8) {
    if (types.at({address}) == nullptr)
      continue;
    CHECK(address - last_type >= (last_type == range.begin.value ? 0 : 48)); // no two share their first words
    last_type = address;
  }
  for (std::uint64_t offset = 1; offset < 8; ++offset)
    CHECK(types.at(range.begin + offset) == nullptr);
  CHECK(types.at({0}) == nullptr);
  CHECK(types.at({~std::uint64_t{7}}) == nullptr);
  CHECK_FALSE(types.interface_table({0}).has_value());
  CHECK_FALSE(types.interface_table(range.begin).has_value());
  CHECK_FALSE(types.interface_table({~std::uint64_t{7}}).has_value());
  CHECK(types.find("main.missing") == nullptr);
  CHECK(types.find("main", "missing") == nullptr);
}

} // namespace
} // namespace inspect
