// What ProgramNames finds in programs of every language and kind of DWARF.
#include "dwarf/names/program_names.h"

#include "tests/dwarf/dwarf_file.h"
#include "tests/dwarf/memory_of_self.h"
#include "tests/dwarf/toolchain.h"
#include "tests/support/catch.h"
#include "tests/support/go_toolchain.h"
#include "tests/support/run_command.h"
#include "tests/support/skip.h"
#include "tests/support/temporary_directory.h"

#include <dwarf.h>
#include <fmt/format.h>

namespace inspect::test {
namespace {

const LocalFiles program_files;

struct Row {
  const char *name;
  NameKind kind;
  const char *found; ///< "TAG full name, …" with DW_TAG_… in hexadecimal
};

std::string found(ProgramNames &names, std::string_view name, NameKind kind) {
  std::string text;
  for (NamedDie &one : names.find(name, kind))
    text += fmt::format("{}{:x} {}", text.empty() ? "" : ", ", dwarf_tag(&one.die), one.name);
  return text;
}

/// False: the program is not there.
bool check(const std::string &path, const std::vector<Row> &rows) {
  if (::access(path.c_str(), R_OK) != 0)
    return false;
  ModuleMap modules;
  auto module = open_file(path, program_files);
  REQUIRE(module);
  modules.add(std::move(*module));
  ProgramNames names(modules);
  names.start();
  for (const Row &row : rows) {
    INFO(path << ": " << row.name);
    CHECK(found(names, row.name, row.kind) == row.found);
  }
  CHECK((rows.empty() || names.progress().finished()));
  CHECK(names.take_warnings().empty());
  return true;
}

/// Writes the program's debug sections as .zdebug_…, as linkers did before sections could say that they are compressed.
bool compress_as_of_old(const std::string &program, const std::string &copy) {
  return run_command({"objcopy", "--compress-debug-sections=zlib-gnu", program, copy}).status == 0;
}

TEST_CASE("names are found in every shape of DWARF that compilers write") {
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
        "lines_clang_dwarf4", "lines_clang_dwarf5", "lines_clang_split4", "lines_clang_split5", "lines_gcc_package4",
        "lines_clang_package4", "lines_clang_package5"})
    programs += check(fixture_path(program), rows);
  CHECK(programs > 8);
  const TemporaryDirectory folder;
  if (!compress_as_of_old(fixture_path("lines_gcc_dwarf4"), folder / "old"))
    SKIP_TEST("objcopy cannot write .zdebug_ sections");
  CHECK(check(folder / "old", rows));
}

TEST_CASE("every kind of name is found, spelled as compilers, the demangler and people spell it") {
  // In a file that dwz made, what says that zoo::v2 is an inline namespace is in a unit of its own.
  const std::vector<Row> inline_namespace{
      {"zoo::Keeper::employed", NameKind::variable, "34 zoo::v2::Keeper::employed"},
      {"zoo::Keeper", NameKind::type, "13 zoo::v2::Keeper"},
      {"zoo::Keeper::feed", NameKind::function, "2e zoo::v2::Keeper::feed"},
  };
  const std::vector<Row> rows{
      {"count_calls::calls", NameKind::variable, "34 count_calls::calls"},
      {"count_calls()::calls", NameKind::variable, "34 count_calls::calls"},
      {"zoo::walk(zoo::Cage<unsigned long const*, 2ul> const&)::last", NameKind::variable, "34 zoo::walk::last"},
      {"zoo::walk::Step", NameKind::type, "13 zoo::walk::Step"},
      {"zoo::Size::large_one", NameKind::constant, "28 zoo::Size::large_one"},
      {"zoo::Diet::meat", NameKind::constant, "28 zoo::Diet::meat"},
      {"zoo::v2::Keeper::employed", NameKind::variable, "34 zoo::v2::Keeper::employed"},
      {"Keeper::feed(int)", NameKind::function, "2e zoo::v2::Keeper::feed"},
      {"zoo::larger<int>", NameKind::function, "2e zoo::larger<int>"},
      {"(anonymous namespace)::Secret", NameKind::type, "13 (anonymous namespace)::Secret"},
      {"Secret", NameKind::type, "13 (anonymous namespace)::Secret"},
      {"secret_function(int)::remembered", NameKind::variable, "34 (anonymous namespace)::secret_function::remembered"},
      {"names.cpp::hidden_counter", NameKind::variable, "34 hidden_counter"},
      {"no_such.cpp::hidden_counter", NameKind::variable, ""},
      {"Point", NameKind::type, "16 Point"},
      {"zoo::Size", NameKind::type, "4 zoo::Size"},
      {"hidden_counter", NameKind::function, ""},
  };
  // What an index in the program leaves out is not found, unless what is around it leads there.
  const std::vector<Row> without_index{
      {"calls", NameKind::variable, "34 count_calls::calls"},
      {"Step", NameKind::type, "13 zoo::walk::Step"},
      {"large_one", NameKind::variable, "28 zoo::Size::large_one"},
      {"hidden_counter", NameKind::variable, "34 hidden_counter, 34 hidden_counter"},
      {"names_other.cpp::hidden_counter", NameKind::variable, "34 hidden_counter"},
  };
  const std::vector<Row> of_gcc{
      {"zoo::Cage<unsigned long const*, 2ul>", NameKind::type, "13 zoo::Cage<long unsigned int const*, 2>"},
      {"zoo::Cage<const unsigned long *,2>", NameKind::type, "13 zoo::Cage<long unsigned int const*, 2>"},
      {"Cage<zoo::v2::Keeper,1ul>::Door", NameKind::type, "13 zoo::Cage<zoo::v2::Keeper, 1>::Door"},
      {"zoo::Tagged<true, (char)97, (zoo::Diet)1>", NameKind::type, "13 zoo::Tagged<true, 'a', (zoo::Diet)1>"},
  };
  const std::vector<Row> of_clang{
      {"zoo::Cage<unsigned long const*, 2ul>", NameKind::type, "13 zoo::Cage<const unsigned long *, 2UL>"},
      {"Cage<zoo::v2::Keeper,1ul>::Door", NameKind::type, "13 zoo::Cage<zoo::v2::Keeper, 1UL>::Door"},
  };
  int programs = 0;
  for (const char *program : {"names_gcc", "names_gcc_types", "names_gcc_types5", "names_dwz", "names_gdb_index",
                              "names_clang", "names_debug_names", "names_lld_gdb_index"}) {
    const std::string path = fixture_path(program);
    const std::string_view name = program;
    programs += check(path, rows);
    check(path, name.find("index") == std::string_view::npos && name != "names_debug_names" ? without_index
                                                                                            : std::vector<Row>());
    const bool clang = name == "names_clang" || name == "names_debug_names" || name == "names_lld_gdb_index";
    check(path, clang ? of_clang : of_gcc);
    check(path, name == "names_dwz" ? std::vector<Row>() : inline_namespace);
  }
  CHECK(programs >= 3);
}

TEST_CASE("names of Rust are found by their modules, from anywhere in them") {
  if (!check(fixture_path("lines_rust"),
             {{"shapes::Square", NameKind::type, "13 lines_rust::shapes::Square"},
              {"lines_rust::shapes::Square::area", NameKind::function, "2e lines_rust::shapes::Square::area"},
              {"core::option::Option<u64>", NameKind::type, "13 core::option::Option<u64>"},
              {"Option<u64>", NameKind::type, "13 core::option::Option<u64>"},
              {"lines_rust::main", NameKind::function, "2e lines_rust::main"}}))
    SKIP_TEST("rustc is not installed");
}

TEST_CASE("names of Go are found by their packages, with and without the import path") {
  const std::vector<GoToolchain> toolchains = go_toolchains();
  if (toolchains.empty())
    SKIP_TEST("Go is not installed");
  const std::vector<Row> rows = {{"runtime.g", NameKind::type, "13 runtime.g"},
                                 {"main.main", NameKind::function, "2e main.main"},
                                 {"main.pair", NameKind::type, "13 main.pair"},
                                 {"pair", NameKind::type, "13 main.pair"},
                                 {"runtime.allgs", NameKind::variable, "34 runtime.allgs"},
                                 {"main.(*server).handle", NameKind::function, "2e main.(*server).handle"},
                                 {"main.server.handle", NameKind::function, "2e main.(*server).handle"},
                                 {"server.handle", NameKind::function, "2e main.(*server).handle"},
                                 {"main.stack[string]", NameKind::type, "13 main.stack[string]"},
                                 {"internal/cpu.Initialize", NameKind::function, "2e internal/cpu.Initialize"},
                                 {"cpu.Initialize", NameKind::function, "2e internal/cpu.Initialize"},
                                 {"other/cpu.Initialize", NameKind::function, ""}};
  const std::string program = build_go(toolchains.back(), "argument_kinds");
  REQUIRE(check(program, rows));
  const TemporaryDirectory folder;
  if (!compress_as_of_old(program, folder / "old"))
    SKIP_TEST("objcopy cannot write .zdebug_ sections");
  CHECK(check(folder / "old", rows));
}

} // namespace
} // namespace inspect::test
