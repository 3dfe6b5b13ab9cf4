#include "dwarf/symbolize/line_resolver.h"

#include "tests/dwarf/dwarf_file.h"
#include "tests/support/catch.h"
#include "tests/support/fuzz_rounds.h"
#include "tests/support/run_command.h"
#include "tests/support/skip.h"
#include "tests/support/temporary_directory.h"

#include <algorithm>
#include <cstring>
#include <fstream>
#include <gelf.h>
#include <iterator>
#include <random>
#include <set>

namespace inspect {
namespace {

/// All frames at all addresses of a fixture.
std::vector<SourceFrame> all_frames(const DwarfFile &file, LineResolver &resolver) {
  std::vector<SourceFrame> all;
  for (const LinkAddress address : file.function_addresses(1))
    for (SourceFrame &frame : resolver.at(address))
      all.push_back(std::move(frame));
  return all;
}

std::set<std::string> function_names(const std::string &fixture) {
  const DwarfFile file(fixture_path(fixture));
  LineResolver resolver(file.dwarf());
  std::set<std::string> names;
  for (const SourceFrame &frame : all_frames(file, resolver))
    names.insert(frame.function);
  return names;
}

TEST_CASE("functions without a linkage name get the names of the scopes around them") {
  const std::set<std::string> names = function_names("lines_gcc_dwarf5");
  CHECK(names.contains("shapes::(anonymous namespace)::Hidden::spin"));
  CHECK(names.contains("shapes::(anonymous namespace)::Hidden::helper"));
  CHECK(names.contains("(anonymous namespace)::pick"));
  CHECK(names.contains("visit::Local::method"));
  CHECK(names.contains("visit::{lambda}::operator()"));
  CHECK(names.contains("main"));
}

TEST_CASE("a relative compilation directory stands once in front of its files") {
  const test::TemporaryDirectory folder;
  folder.write("part.c", "int value(int x) { return x * 2; }\nint main(void) { return value(21); }\n");
  for (const char *version : {"-gdwarf-4", "-gdwarf-5"}) {
    INFO(version);
    const auto built =
        test::run_command({"sh", "-c", "cd \"$1\" && gcc $2 -fdebug-prefix-map=\"$1\"=./part part.c -o program", "sh",
                           folder.path(), version});
    if (built.status != 0)
      SKIP_TEST("no gcc here");
    const DwarfFile file(folder / "program");
    LineResolver resolver(file.dwarf());
    std::set<std::string> files;
    for (const SourceFrame &frame : all_frames(file, resolver))
      files.insert(frame.file);
    CHECK(files == std::set<std::string>{"./part/part.c"});
  }
}

TEST_CASE("functions with a linkage name show it demangled") {
  for (const char *fixture : {"lines_gcc_dwarf2", "lines_gcc_dwz", "lines_gcc_split5"}) {
    INFO(fixture);
    const std::set<std::string> names = function_names(fixture);
    CHECK(names.contains("shapes::Square::multiply(int, int)"));
    CHECK(names.contains("long shapes::Scaled<long, 5>::plus<char>(char const&) const"));
    CHECK(names.contains("deepest(int)"));
  }
}

TEST_CASE("a function nested in another is found, and named alone in C") {
  const std::set<std::string> names = function_names("lines_nested");
  CHECK(names == std::set<std::string>{"main", "nested", "outer", "scale"});
}

TEST_CASE("Rust names are demangled, closures and inlined functions among them") {
  if (!fixture_exists("lines_rust"))
    SKIP_TEST("rustc is not installed");
  const DwarfFile file(fixture_path("lines_rust"));
  LineResolver resolver(file.dwarf());
  std::set<std::string> names;
  for (const LinkAddress address : file.function_addresses(1)) {
    const std::vector<std::string> symbols = file.symbols_at(address);
    if (symbols.empty() || symbols[0].find("lines_rust") == std::string::npos)
      continue;
    for (const SourceFrame &frame : resolver.at(address))
      names.insert(frame.function);
  }
  CHECK(names.contains("lines_rust::main"));
  CHECK(names.contains("lines_rust::shapes::multiply"));
  CHECK(names.contains("lines_rust::main::{{closure}}"));
}

TEST_CASE("without its .dwo file a split unit still has lines, though no functions") {
  const DwarfFile file(fixture_path("lines_gcc_without_dwo"));
  LineResolver resolver(file.dwarf());
  const std::vector<SourceFrame> frames = all_frames(file, resolver);
  REQUIRE(frames.size() > 1000);
  CHECK(std::all_of(frames.begin(), frames.end(), [](const SourceFrame &frame) {
    return frame.function.empty() && !frame.inlined && !frame.file.empty() && frame.line > 0;
  }));
}

TEST_CASE("assembler code has lines") {
  const DwarfFile file(fixture_path("lines_assembly"));
  LineResolver resolver(file.dwarf());
  const std::vector<SourceFrame> frames = all_frames(file, resolver);
  REQUIRE_FALSE(frames.empty());
  CHECK(frames[0].file == std::string(INSPECT_SOURCE_DIRECTORY) + "/fixtures/dwarf/symbolize/lines_assembly.S");
  CHECK(frames[0].line == 8);
}

TEST_CASE("addresses that no unit has, and files without DWARF, get no frames") {
  const DwarfFile file(fixture_path("lines_gcc_dwarf5"));
  LineResolver resolver(file.dwarf());
  CHECK(resolver.at(LinkAddress{0}).empty());
  CHECK(resolver.at(LinkAddress{0x7fff'ffff'0000}).empty());
  CHECK(resolver.at(LinkAddress{UINT64_MAX}).empty());
  LineResolver nothing(static_cast<Dwarf *>(nullptr));
  CHECK(nothing.at(LinkAddress{0x1000}).empty());
  CHECK(nothing.files().empty());
}

TEST_CASE("a function's range holds the address and begins at its symbol") {
  const DwarfFile file(fixture_path("lines_nested"));
  LineResolver resolver(file.dwarf());
  for (const LinkAddress address : file.function_addresses(1)) {
    const std::optional<LinkRange> range = resolver.function_range(address);
    if (!range)
      continue;
    CHECK(range->contains(address));
    CHECK(file.symbols_at(range->begin) == file.symbols_at(address));
  }
}

TEST_CASE("the list of source files is sorted and has every file that a frame names") {
  for (const char *fixture : {"lines_gcc_dwarf4", "lines_gcc_dwarf5", "lines_gcc_split5"}) {
    INFO(fixture);
    const DwarfFile file(fixture_path(fixture));
    LineResolver resolver(file.dwarf());
    const std::vector<std::string> files = resolver.files();
    CHECK(std::is_sorted(files.begin(), files.end()));
    CHECK(std::adjacent_find(files.begin(), files.end()) == files.end());
    for (const SourceFrame &frame : all_frames(file, resolver))
      if (!std::binary_search(files.begin(), files.end(), frame.file))
        FAIL_CHECK("missing: " + frame.file);
    Cancellation cancellation;
    cancellation.request();
    CHECK(resolver.files(&cancellation).empty());
  }
}

std::vector<char> file_bytes(const std::string &path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

/// Places in the file of the bytes of its .debug_* sections.
std::vector<std::pair<std::size_t, std::size_t>> debug_sections(const DwarfFile &file) {
  std::vector<std::pair<std::size_t, std::size_t>> found;
  std::size_t names = 0;
  elf_getshdrstrndx(file.elf(), &names);
  for (Elf_Scn *section = nullptr; (section = elf_nextscn(file.elf(), section)) != nullptr;) {
    GElf_Shdr header;
    const char *name = gelf_getshdr(section, &header) ? elf_strptr(file.elf(), names, header.sh_name) : nullptr;
    if (name && std::strncmp(name, ".debug_", 7) == 0 && header.sh_size > 0)
      found.emplace_back(header.sh_offset, header.sh_size);
  }
  return found;
}

TEST_CASE("damaged debug information ends every look-up, with whatever answer") {
  std::mt19937 random(20'251'120);
  for (const char *fixture : {"lines_nested", "lines_gcc_dwarf4", "lines_gcc_dwarf5"}) {
    const std::vector<char> sound = file_bytes(fixture_path(fixture));
    const DwarfFile original(fixture_path(fixture));
    const std::vector<LinkAddress> addresses = original.function_addresses(61);
    const auto sections = debug_sections(original);
    REQUIRE(sections.size() >= 5);
    std::size_t frames = 0;
    for (int round = 0; test::fuzz_goes_on(round, 60); ++round) {
      std::vector<char> bytes = sound;
      for (int flips = 1 << (round % 7); flips > 0; --flips) {
        const auto &[offset, size] = sections[random() % sections.size()];
        bytes[offset + random() % size] ^= static_cast<char>(1U << (random() % 8));
      }
      const DwarfFile damaged(std::move(bytes));
      LineResolver resolver(damaged.dwarf());
      for (const LinkAddress address : addresses)
        frames += resolver.at(address).size();
      resolver.files();
    }
    CHECK(frames > 0);
  }
}

} // namespace
} // namespace inspect
