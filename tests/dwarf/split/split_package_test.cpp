// A program whose split units are in a .dwp package says the same as one that has them in .dwo files.
#include "dwarf/split/split_package.h"

#include "dwarf/location/location.h"
#include "dwarf/symbolize/line_resolver.h"
#include "dwarf/variables/frame_variables.h"
#include "tests/dwarf/dwarf_file.h"
#include "tests/dwarf/memory_of_self.h"
#include "tests/dwarf/toolchain.h"
#include "tests/support/catch.h"
#include "tests/support/skip.h"

#include <fmt/format.h>
#include <fstream>
#include <iterator>
#include <random>

namespace inspect::test {
namespace {

const LocalFiles files;

/// Pointers that were optimized away are all the same here: GCC 12 writes 0 for what they point to in split DWARF,
/// which is the unit's header, and what that looks like as a DIE depends on where its abbreviations are.
std::string text_of(const Result<Location> &location) {
  const bool implicit =
      location && !location->pieces.empty() && location->pieces.front().kind == LocationPiece::Kind::implicit_pointer;
  if (implicit || (!location && location.error().message().find("refers to a DIE") != std::string::npos))
    return "implicit pointer";
  if (!location)
    return location.error().message();
  std::string text;
  for (const LocationPiece &piece : location->pieces)
    text += fmt::format(" {}:{:x}:{}:{}:{}", static_cast<int>(piece.kind), piece.address.value, piece.dwarf_register,
                        piece.bytes.size(), piece.bit_size.value_or(0));
  return text;
}

/// All that is known of an address: functions, files, lines, inlined calls, variables and where they are.
std::string known_at(Module &module, LineResolver &lines, LinkAddress address, std::size_t &variables) {
  std::string text;
  for (const SourceFrame &frame : lines.at(address))
    text += fmt::format("{} {} {}:{}:{} {}\n", frame.function, frame.linkage_name, frame.file, frame.line, frame.column,
                        frame.inlined);
  FrameContext frame;
  frame.module = &module;
  frame.pc = frame.lookup = module.bias().to_run(address);
  for (const FunctionScope &scope : function_scopes(lines, address))
    for (const ScopeVariable &variable : scope.variables) {
      ++variables;
      text += fmt::format("  {} line {} depth {}:{}\n", variable.name, variable.line, variable.depth,
                          text_of(locate(variable.die, frame)));
    }
  return text;
}

TEST_CASE("functions, lines, inlined calls and variables are the same from a package as from .dwo files") {
  struct Row {
    const char *packed;
    const char *with_files;
  };
  int compared = 0;
  for (const Row &row :
       {Row{"lines_gcc_package4", "lines_gcc_split4"}, Row{"lines_clang_package4", "lines_clang_split4"},
        Row{"lines_clang_package5", "lines_clang_split5"}}) {
    if (!fixture_exists(std::string(row.packed) + ".dwp") || !fixture_exists(row.with_files))
      continue;
    INFO(row.packed);
    ++compared;
    auto packed = open_file(fixture_path(row.packed), files),
         with_files = open_file(fixture_path(row.with_files), files);
    REQUIRE(packed);
    REQUIRE(with_files);
    REQUIRE((*packed)->split_package() != nullptr);
    LineResolver packed_lines(**packed), other_lines(**with_files);
    std::size_t variables = 0, others = 0, functions = 0;
    for (const LinkAddress address : DwarfFile(fixture_path(row.packed)).function_addresses(3)) {
      const std::string expected = known_at(**with_files, other_lines, address, others);
      INFO(fmt::format("{:x}", address.value));
      CHECK(known_at(**packed, packed_lines, address, variables) == expected);
      functions += !expected.empty();
    }
    CHECK(functions > 200);
    CHECK(variables > 200);
  }
  if (compared == 0)
    SKIP_TEST("no program with a package was built: dwp and llvm-dwp are not installed");
}

std::vector<char> bytes_of(const std::string &path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

TEST_CASE("a damaged package costs what is in it and nothing else") {
  const char *const program = "lines_gcc_package4";
  if (!fixture_exists(std::string(program) + ".dwp"))
    SKIP_TEST("no program with a package was built: dwp is not installed");
  const TemporaryDirectory folder;
  const std::string copy = folder.path() + "/program";
  run("cp " + fixture_path(program) + " " + copy);
  const std::vector<char> sound = bytes_of(fixture_path(program) + ".dwp");
  const auto addresses = DwarfFile(copy).function_addresses(101);
  std::mt19937 random(7);
  std::size_t with_package = 0, answers = 0;
  for (int round = 0; round < 40; ++round) {
    std::vector<char> bytes = sound;
    if (round % 8 == 0)
      bytes.resize(random() % bytes.size());
    for (int change = 0; change < 1 << (round % 8) && !bytes.empty(); ++change)
      bytes[random() % bytes.size()] = static_cast<char>(random());
    std::ofstream(copy + ".dwp", std::ios::binary).write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
    auto module = open_file(copy, files);
    REQUIRE(module);
    with_package += (*module)->split_package() != nullptr;
    LineResolver lines(**module);
    std::size_t variables = 0;
    for (const LinkAddress address : addresses)
      answers += !known_at(**module, lines, address, variables).empty();
  }
  CHECK(with_package > 20);
  CHECK(answers > 0);
}

} // namespace
} // namespace inspect::test
