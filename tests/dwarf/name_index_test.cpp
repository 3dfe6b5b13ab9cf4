// What ProgramNames finds in programs of every kind of DWARF.
#include "dwarf/name_index.h"

#include "tests/dwarf/dwarf_file.h"
#include "tests/dwarf/memory_of_self.h"
#include "tests/dwarf/toolchain.h"
#include "tests/support/catch.h"
#include "tests/support/skip.h"

#include <dwarf.h>
#include <fmt/format.h>

namespace inspect::test {
namespace {

const LocalFiles files;

/// "function ns::f, type …" of all that is found, in the order of the names.
std::string found(ProgramNames &names, std::string_view name, NameKind kind) {
  std::string text;
  for (NamedDie &one : names.find(name, kind))
    text += fmt::format("{}{:x} {}", text.empty() ? "" : ", ", dwarf_tag(&one.die), one.name);
  return text;
}

TEST_CASE("names are found in every shape of DWARF that compilers write") {
  struct Row {
    const char *name;
    NameKind kind;
    const char *found; ///< DW_TAG_… and the full name
  };
  const std::vector<Row> rows{
      {"shapes::(anonymous namespace)::Hidden::spin", NameKind::function,
       "2e shapes::(anonymous namespace)::Hidden::spin"},
      {"shapes::Hidden::spin(int)", NameKind::function, "2e shapes::(anonymous namespace)::Hidden::spin"},
      {"use_hidden", NameKind::function, "2e shapes::use_hidden"},
      {"shapes::Hidden", NameKind::type, "2 shapes::(anonymous namespace)::Hidden"},
      {"shapes::Square", NameKind::type, "13 shapes::Square"},
      {"Square", NameKind::type, "13 shapes::Square"},
      {"std::string", NameKind::type, "16 std::string"},
      {"unsigned int", NameKind::type, "24 unsigned int"},
      {"shapes::Nothing", NameKind::type, ""},
      {"shapes::Square", NameKind::variable, ""},
      {"", NameKind::type, ""},
      {"::", NameKind::type, ""},
  };
  int programs = 0;
  for (const char *program :
       {"lines_gcc_dwarf2", "lines_gcc_dwarf3", "lines_gcc_dwarf4", "lines_gcc_dwarf5", "lines_gcc_compressed",
        "lines_gcc_types", "lines_gcc_lto", "lines_gcc_dwz", "lines_gcc_split4", "lines_gcc_split5",
        "lines_clang_dwarf4", "lines_clang_dwarf5", "lines_clang_split4", "lines_clang_split5"}) {
    if (!fixture_exists(program))
      continue;
    ++programs;
    ModuleMap modules;
    auto module = open_file(fixture_path(program), files);
    REQUIRE(module);
    modules.add(std::move(*module));
    ProgramNames names(modules);
    names.start();
    for (const Row &row : rows) {
      INFO(program << ": " << row.name);
      CHECK(found(names, row.name, row.kind) == row.found);
    }
    CHECK(names.progress().finished());
    CHECK(names.take_warnings().empty());
  }
  CHECK(programs > 8);
}

} // namespace
} // namespace inspect::test
