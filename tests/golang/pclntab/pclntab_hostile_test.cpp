// Damaged tables and files: every answer may be wrong or missing, but there is one, soon, and nothing outside the
// tables is touched (the sanitized build of these tests would say so).
#include "golang/image/file_image.h"
#include "golang/pclntab/function_tables.h"

#include "tests/golang/changed_memory.h"
#include "tests/golang/process_modules.h"
#include "tests/support/catch.h"
#include "tests/support/fuzz_rounds.h"
#include "tests/support/go_toolchain.h"
#include "tests/support/skip.h"
#include "tests/support/temporary_directory.h"

#include <array>
#include <cstring>
#include <fmt/format.h>
#include <random>

namespace inspect {
namespace {

using namespace test;

std::vector<std::byte> as_bytes_of(std::initializer_list<int> values) {
  std::vector<std::byte> bytes;
  for (const int value : values)
    bytes.push_back(static_cast<std::byte>(value));
  return bytes;
}

/// Asks everything of some functions.
void use(const Pclntab &table, RunRange pcs, std::mt19937_64 &random) {
  for (int i = 0; i < 40; ++i) {
    const RunAddress pc = pcs.begin + random() % (pcs.size() + 1);
    const auto function = i % 2 != 0 ? table.find(pc) : table.function(random() % (table.function_count() + 1));
    if (!function)
      continue;
    const RunAddress at = i % 4 < 2 ? pc : function->entry + random() % 200;
    const auto frames = table.frames(*function, at);
    CHECK(!frames.empty());
    CHECK(frames.size() <= 1001);
    CHECK_FALSE(frames.back().inlined);
    if (const auto delta = table.stack_delta(*function, at))
      CHECK(*delta >= 0);
    for (std::uint32_t index = 0; index < 8; ++index) {
      static_cast<void>(table.pc_data(*function, static_cast<GoPcData>(index), at));
      static_cast<void>(table.function_data(*function, static_cast<GoFunctionData>(index)));
    }
  }
  for (const GoFunction &one : table.find_all("main.main"))
    CHECK(one.name == "main.main");
  for (const std::string_view file : table.files())
    CHECK_FALSE(file.empty());
}

/// Where damage does most: one of the structures, chosen at random.
RunRange random_target(const ModuleData &data, std::mt19937_64 &random) {
  const auto whole = [](const GoSlice &slice, std::uint64_t element) {
    return RunRange{slice.data, slice.data + slice.length * element};
  };
  switch (random() % 6) {
  case 0:
    return {data.address, data.address + 41 * 8};
  case 1:
    return {data.header, data.header + 72};
  case 2:
    return whole(data.function_table, 8);
  case 3:
    return whole(data.pc_tables, 1);
  case 4:
    return whole(data.compilation_units, 4);
  default:
    return whole(data.function_records, 1);
  }
}

void damage_tables(const GoFileImage &intact, int rounds) {
  const ModuleData &data = intact.image().data;
  int usable = 0;
  for (int round = 0; round < rounds; ++round) {
    CAPTURE(round);
    std::mt19937_64 random(static_cast<unsigned>(round));
    ChangedMemory memory(intact.memory());
    const RunRange target = random_target(data, random);
    for (std::uint64_t count = 1 + random() % (target.size() > 1000 ? 2000 : 3); count > 0; --count)
      memory.write(target.begin + random() % target.size(),
                   random() % 3 == 0 ? 0xff : static_cast<int>(random() % 256));
    const auto damaged = read_module_data(memory, data.address);
    if (!damaged) {
      CHECK_FALSE(damaged.error().message().empty());
      continue;
    }
    const auto table = Pclntab::read(*damaged, round % 2 == 0 ? intact.image().version : GoVersion{}, memory);
    if (!table) {
      CHECK_FALSE(table.error().message().empty());
      continue;
    }
    ++usable;
    use(**table, damaged->pcs, random);
  }
  CHECK(usable > rounds / 4);
}

std::unique_ptr<GoFileImage> intact_image(const GoToolchain &go) {
  static const LocalFiles files;
  auto opened = GoFileImage::open(build_go(go, "function_places", GoVariant::stripped), files);
  if (!opened)
    FAIL(opened.error().message());
  return std::move(*opened);
}

} // namespace

TEST_CASE("pc-value tables end where their bytes do") {
  // 3 for 4 bytes, then 1 for 2: deltas +4 and -2 from -1, zig-zag.
  const auto good = as_bytes_of({8, 4, 3, 2, 0});
  CHECK(pc_value(good, 0) == 3);
  CHECK(pc_value(good, 3) == 3);
  CHECK(pc_value(good, 4) == 1);
  CHECK(pc_value(good, 5) == 1);
  CHECK_FALSE(pc_value(good, 6));
  // A first delta of zero is not an end: -1 for one byte.
  CHECK(pc_value(as_bytes_of({0, 1, 0}), 0) == -1);
  // Two bytes of varint: 300 zig-zag is 150.
  CHECK(pc_value(as_bytes_of({0xac, 0x02, 1, 0}), 0) == 149);
  CHECK_FALSE(pc_value({}, 0));
  CHECK_FALSE(pc_value(as_bytes_of({8}), 0));
  CHECK_FALSE(pc_value(as_bytes_of({0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1}), 0));
  CHECK_FALSE(pc_value(as_bytes_of({8, 4, 3, 2}), 6));
  // Never further in the code: a value that changes without end.
  CHECK_FALSE(pc_value(std::vector<std::byte>(64 << 20, std::byte{0}), 1));
}

TEST_CASE("damaged Go tables give answers or errors") {
  for_each_go([](const GoToolchain &go) { damage_tables(*intact_image(go), fuzz_rounds(150)); });
}

TEST_CASE("a damaged count, table or text range is an error that says so") {
  for_each_go([](const GoToolchain &go) {
    const auto intact = intact_image(go);
    const ModuleData &data = intact->image().data;
    const struct {
      std::size_t word;
      std::uint64_t value;
    } cases[] = {
        {0, 0x10},                            // the header is nowhere
        {0, data.address.value},              // … or something else
        {2, 0},                               // no names
        {1, data.header.value - 8},           // names before the header
        {2, std::uint64_t{1} << 40},          // … more than there can be
        {17, data.function_table.length + 1}, // another count than the header's
        {20, data.pcs.begin.value + 1},       // minpc
        {21, data.pcs.end.value + 1},         // maxpc
        {22, data.text.end.value},            // text
        {23, data.text.begin.value},          // etext
        {24, data.pointer_free_data.end.value + 1},
    };
    for (const auto &one : cases) {
      CAPTURE(one.word, one.value);
      ChangedMemory memory(intact->memory());
      memory.write_word(data.address + one.word * 8, one.value);
      const auto damaged = read_module_data(memory, data.address);
      REQUIRE_FALSE(damaged);
      CHECK(damaged.error().message().find("Go") != std::string::npos);
    }
    ChangedMemory memory(intact->memory());
    memory.write_word(data.header + 8, std::uint64_t{1} << 60);
    CHECK(read_module_data(memory, data.address).error().kind() == ErrorKind::corrupt);
  });
}

TEST_CASE("an inline tree that goes in circles ends") {
  for_each_go([](const GoToolchain &go) {
    const auto intact = intact_image(go);
    const Pclntab &table = *intact->image().table;
    const auto function = table.find("main.chain");
    REQUIRE(function);
    std::size_t longest = 0;
    for (RunAddress pc = function->entry; pc < function->end; pc = pc + 1) {
      const auto index = table.pc_data(*function, GoPcData::inline_tree, pc);
      const auto tree = table.function_data(*function, GoFunctionData::inline_tree);
      if (!index || *index < 0)
        continue;
      REQUIRE(tree);
      const bool short_record = intact->image().data.table.format == PclntabFormat::go1_20;
      const RunAddress record = *tree + static_cast<std::uint64_t>(*index) * (short_record ? 16 : 20);
      const RunAddress parent_pc = record + (short_record ? 8 : 16);
      ChangedMemory memory(intact->memory());
      for (unsigned i = 0; i < 4; ++i)
        memory.write(parent_pc + i, static_cast<int>((pc - function->entry) >> (8 * i) & 0xff));
      const auto circular = Pclntab::read(intact->image().data, intact->image().version, memory);
      REQUIRE(circular);
      longest = std::max(longest, (*circular)->frames(*function, pc).size());
      break;
    }
    CHECK(longest == 1001);
  });
}

TEST_CASE("damaged and truncated Go files give images or errors") {
  if (go_toolchains().empty())
    SKIP_TEST("no Go toolchain is installed");
  const LocalFiles files;
  const std::vector<char> intact = bytes_of_file(build_go(go_toolchains().back(), "function_places", GoVariant::pie));
  const TemporaryDirectory folder;
  int opened = 0;
  const int rounds = fuzz_rounds(60);
  for (int round = 0; round < rounds; ++round) {
    CAPTURE(round);
    std::mt19937_64 random(static_cast<unsigned>(round));
    std::vector<char> bytes = intact;
    if (round % 3 == 0)
      bytes.resize(random() % bytes.size());
    // The file header, the program headers, and the section headers at the end.
    const std::size_t headers = std::min<std::size_t>(bytes.size(), round % 2 == 0 ? 64 : 900);
    for (std::uint64_t count = random() % 8; count > 0 && headers > 0; --count)
      bytes[random() % headers] = static_cast<char>(random());
    for (std::uint64_t count = random() % 30; count > 0 && bytes.size() > 4000; --count)
      bytes[bytes.size() - 1 - random() % 4000] = static_cast<char>(random());
    const auto image = GoFileImage::open(folder.write("damaged", {bytes.data(), bytes.size()}), files);
    if (!image) {
      CHECK_FALSE(image.error().message().empty());
      continue;
    }
    ++opened;
    use(*(*image)->image().table, (*image)->image().data.pcs, random);
  }
  CHECK(opened > 0);
}

} // namespace inspect
