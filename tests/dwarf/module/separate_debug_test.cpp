#include "dwarf/module/module.h"
#include "dwarf/raw/elf/elf_image.h"
#include "dwarf/symbols/symbol_table.h"
#include "tests/dwarf/memory_of_self.h"
#include "tests/dwarf/toolchain.h"
#include "tests/support/catch.h"
#include "tests/support/skip.h"

#include <algorithm>
#include <cstdlib>
#include <dlfcn.h>
#include <dwarf.h>
#include <fmt/format.h>
#include <new>

using namespace inspect;

namespace {

const test::LocalFiles debug_files;

const std::string source = "struct pair { int first, second; };\n"
                           "__attribute__((noinline)) static int hidden(struct pair *p) { return p->first; }\n"
                           "int main(int n, char **v) { struct pair p = {n, 0}; (void)v; return hidden(&p); }\n";

/// All function names that the DWARF of a module has; that it can be read at all is what matters.
std::vector<std::string> functions_in(Dwarf *dwarf) {
  std::vector<std::string> names;
  Dwarf_CU *unit = nullptr;
  Dwarf_Die die;
  Dwarf_Die skeleton;
  std::uint8_t type = 0;
  while (dwarf_get_units(dwarf, unit, &unit, nullptr, &type, &skeleton, &die) == 0) {
    Dwarf_Die root = type == DW_UT_skeleton ? die : skeleton;
    Dwarf_Die child;
    if (dwarf_child(&root, &child) != 0)
      continue;
    do {
      if (dwarf_tag(&child) == DW_TAG_subprogram && dwarf_diename(&child) != nullptr)
        names.emplace_back(dwarf_diename(&child));
    } while (dwarf_siblingof(&child, &child) == 0);
  }
  return names;
}

bool knows_hidden(Module &module) {
  const auto names = functions_in(module.dwarf());
  return std::ranges::find(names, "hidden") != names.end();
}

void strip_with_link(const test::TemporaryDirectory &folder, const std::string &debug_path) {
  test::run("cd " + folder.path() + " && objcopy --only-keep-debug a.out " + debug_path +
            " && strip -s a.out && objcopy --add-gnu-debuglink=" + debug_path + " a.out");
}

ModuleOptions without_system_folder() {
  ModuleOptions options;
  options.debug_directories.clear();
  return options;
}

} // namespace

TEST_CASE("a program with its own DWARF needs no other file") {
  const std::string flags = GENERATE(std::string("-g"), std::string("-g -gz"), std::string("-g -gz=zlib-gnu"),
                                     std::string("-gdwarf-4"), std::string("-gdwarf-3"));
  INFO(flags);
  const test::TemporaryDirectory folder;
  auto module = test::open_file(test::build(folder, "p.c", source, "gcc -O1 " + flags), debug_files);
  REQUIRE(module);
  REQUIRE((*module)->dwarf() != nullptr);
  CHECK((*module)->debug_elf() == (*module)->elf());
  CHECK((*module)->debug_info_reason() == (*module)->path());
  CHECK(knows_hidden(**module));
}

TEST_CASE("a debuglink is followed, beside the program and in .debug, with and without build-id") {
  const std::string build_id = GENERATE(std::string("-Wl,--build-id"), std::string("-Wl,--build-id=none"));
  const std::string place = GENERATE(std::string("p.debug"), std::string(".debug/p.debug"));
  INFO(build_id + " " + place);
  const test::TemporaryDirectory folder;
  const auto program = test::build(folder, "p.c", source, "gcc -O1 -g " + build_id);
  test::run("mkdir " + folder / ".debug");
  strip_with_link(folder, place);
  auto module = test::open_file(program, debug_files, without_system_folder());
  REQUIRE(module);
  REQUIRE((*module)->dwarf() != nullptr);
  CHECK((*module)->debug_elf() != (*module)->elf());
  CHECK((*module)->debug_info_reason() == folder / place);
  CHECK((*module)->debug_offset() == 0);
  CHECK(knows_hidden(**module));
  SymbolTable table(**module);
  CHECK(table.by_name("hidden"));
}

TEST_CASE("a debug file is found by build-id, and below the debug folder by name") {
  const test::TemporaryDirectory folder;
  const auto program = test::build(folder, "p.c", source, "gcc -O1 -g -Wl,--build-id");
  auto whole = test::open_file(program, debug_files);
  REQUIRE(whole);
  const std::string id = to_hex((*whole)->build_id());
  const std::string by_id = "debug/.build-id/" + id.substr(0, 2) + "/" + id.substr(2) + ".debug";
  const std::string by_name = "debug" + folder.path() + "/p.debug";
  const std::string place = GENERATE_COPY(by_id, by_name);
  strip_with_link(folder, "p.debug");
  test::run("cd " + folder.path() + " && mkdir -p $(dirname " + place + ") && mv p.debug " + place);
  ModuleOptions options;
  options.debug_directories = {folder / "debug"};
  auto module = test::open_file(program, debug_files, options);
  REQUIRE(module);
  REQUIRE((*module)->dwarf() != nullptr);
  CHECK((*module)->debug_info_reason() == folder / place);
  CHECK(knows_hidden(**module));
}

TEST_CASE("a debug file of another build is refused, and said so") {
  const std::string build_id = GENERATE(std::string("-Wl,--build-id"), std::string("-Wl,--build-id=none"));
  const test::TemporaryDirectory folder;
  const auto program = test::build(folder, "p.c", source, "gcc -O1 -g " + build_id);
  strip_with_link(folder, "p.debug");
  const test::TemporaryDirectory other;
  test::build(other, "p.c", "int other; " + source, "gcc -O0 -g " + build_id);
  test::run("cp " + other / "a.out" + " " + folder / "p.debug");
  auto module = test::open_file(program, debug_files, without_system_folder());
  REQUIRE(module);
  CHECK((*module)->dwarf() == nullptr);
  CHECK((*module)->debug_info_reason().find("has no debugging information") != std::string::npos);
  const auto warnings = (*module)->take_warnings();
  REQUIRE(warnings.size() == 1);
  CHECK(warnings[0].find("does not belong to") != std::string::npos);
}

TEST_CASE("a debuginfod server is asked where the user wants it, and only then") {
  if (::dlopen("libdebuginfod.so.1", RTLD_LAZY) == nullptr)
    SKIP_TEST("libdebuginfod1 is not installed");
  const test::TemporaryDirectory folder;
  const auto program = test::build(folder, "p.c", source, "gcc -O1 -g -Wl,--build-id");
  auto whole = test::open_file(program, debug_files);
  REQUIRE(whole);
  // The client takes file: addresses too; then a folder is the server.
  const std::string place = "server/buildid/" + to_hex((*whole)->build_id());
  test::run("cd " + folder.path() + " && mkdir -p " + place + " && objcopy --only-keep-debug a.out " + place +
            "/debuginfo && strip -s a.out");
  REQUIRE(::setenv("DEBUGINFOD_URLS", ("file://" + folder / "server").c_str(), 1) == 0);
  REQUIRE(::setenv("DEBUGINFOD_CACHE_PATH", (folder / "cache").c_str(), 1) == 0);
  ModuleOptions options = without_system_folder();
  auto not_asked = test::open_file(program, debug_files, options);
  REQUIRE(not_asked);
  CHECK((*not_asked)->dwarf() == nullptr);
  options.use_debuginfod = true;
  auto asked = test::open_file(program, debug_files, options);
  REQUIRE(asked);
  REQUIRE((*asked)->dwarf() != nullptr);
  CHECK(knows_hidden(**asked));
  CHECK((*asked)->debug_info_reason().starts_with(folder / "cache"));
  REQUIRE(::unsetenv("DEBUGINFOD_URLS") == 0);
  auto no_server = test::open_file(program, debug_files, options);
  REQUIRE(no_server);
  CHECK((*no_server)->dwarf() == nullptr);
  const auto warnings = (*no_server)->take_warnings();
  REQUIRE(warnings.size() == 1);
  CHECK(warnings[0].find("DEBUGINFOD_URLS") != std::string::npos);
}

TEST_CASE("what dwz moved to a common file is found there") {
  if (!test::have_program("dwz"))
    SKIP_TEST("dwz is not installed");
  const test::TemporaryDirectory folder;
  // dwz moves only what two files share, and only where that saves something.
  std::string shared = "struct shared_thing { ";
  for (int i = 0; i < 60; ++i)
    shared += fmt::format("int member_number_{}; ", i);
  test::write_file(folder / "shared.h", shared + "};\n");
  const std::string use = "#include \"shared.h\"\nstruct shared_thing global;\n";
  test::write_file(folder / "p.c", use + source);
  test::write_file(folder / "q.c", use + "int main(void) { return global.member_number_3; }\n");
  test::run("cd " + folder.path() + " && gcc -O1 -gdwarf-4 -Wl,--build-id p.c -o a.out && " +
            "gcc -O1 -gdwarf-4 -Wl,--build-id q.c -o b.out && dwz -m common -M ../" +
            folder.path().substr(folder.path().rfind('/') + 1) + "/common a.out b.out");
  auto module = test::open_file(folder / "a.out", debug_files, without_system_folder());
  REQUIRE(module);
  REQUIRE((*module)->image().section(".gnu_debugaltlink"));
  REQUIRE((*module)->dwarf() != nullptr);
  CHECK(dwarf_getalt((*module)->dwarf()) != nullptr);
  CHECK((*module)->take_warnings().empty());
  CHECK(knows_hidden(**module));
  test::run("rm " + folder / "common");
  auto without = test::open_file(folder / "a.out", debug_files, without_system_folder());
  REQUIRE(without);
  CHECK((*without)->dwarf() != nullptr);
  const auto warnings = (*without)->take_warnings();
  REQUIRE(warnings.size() == 1);
  CHECK(warnings[0].find("which is not there") != std::string::npos);
}

TEST_CASE("split units are read from their .dwo files") {
  const std::string flags = GENERATE(std::string("-gdwarf-5"), std::string("-gdwarf-4"));
  const test::TemporaryDirectory folder;
  test::write_file(folder / "p.c", source);
  test::run("cd " + folder.path() + " && gcc -O1 " + flags + " -gsplit-dwarf -c p.c && gcc p.o -o a.out");
  auto module = test::open_file(folder / "a.out", debug_files, without_system_folder());
  REQUIRE(module);
  REQUIRE((*module)->dwarf() != nullptr);
  Dwarf_CU *unit = nullptr;
  Dwarf_Die root;
  Dwarf_Die split;
  std::uint8_t type = 0;
  bool found = false;
  while (dwarf_get_units((*module)->dwarf(), unit, &unit, nullptr, &type, &root, &split) == 0)
    if (type == DW_UT_skeleton && dwarf_tag(&split) == DW_TAG_compile_unit)
      found = true;
  CHECK(found);
}

TEST_CASE("libdw out of memory is an exception, not the end of the program") {
  const test::TemporaryDirectory folder;
  auto module = test::open_file(test::build(folder, "p.c", source, "gcc -O1 -g"), debug_files);
  REQUIRE(module);
  REQUIRE((*module)->dwarf() != nullptr);
  const Dwarf_OOM handler = dwarf_new_oom_handler((*module)->dwarf(), nullptr);
  REQUIRE(handler != nullptr);
  CHECK_THROWS_AS(handler(), std::bad_alloc);
  dwarf_new_oom_handler((*module)->dwarf(), handler);
}

TEST_CASE("libc's debug file is found where Debian puts it") {
  auto module = test::open_file(test::libc_path(), debug_files);
  REQUIRE(module);
  if ((*module)->dwarf() == nullptr)
    SKIP_TEST("libc6-dbg is not installed");
  CHECK((*module)->debug_info_reason().starts_with("/usr/lib/debug/.build-id/"));
  CHECK((*module)->take_warnings().empty());
  SymbolTable table(**module);
  const auto trampoline = table.by_name("__restore_rt");
  REQUIRE(trampoline);
  CHECK(table.at(trampoline->address)->name == "__restore_rt");
  CHECK(table.at(trampoline->address - 1)->name == "__restore_rt");
}
