#include "attach/procfs/loaded_program.h"

#include "attach/procfs/process_list.h"
#include "tests/support/catch.h"
#include "tests/support/child_process.h"
#include "tests/support/skip.h"

#include <filesystem>
#include <vector>

namespace inspect {
namespace {

constexpr const char *loader = "/lib64/ld-linux-x86-64.so.2";

TEST_CASE("the program is found among the dynamic loader's arguments") {
  using Words = std::vector<std::string_view>;
  const auto program = [](const Words &words) { return program_in_arguments(words).value_or("none"); };
  CHECK(program({"ld.so", "./prog", "--library-path"}) == "./prog");
  CHECK(program({"ld.so", "--library-path", "lib:lib64", "--inhibit-cache", "bin/prog", "x"}) == "bin/prog");
  CHECK(program({"ld.so", "--argv0", "name", "--", "--odd"}) == "--odd");
  CHECK(program({"ld.so"}) == "none");
  CHECK(program({"ld.so", "--preload"}) == "none");
  CHECK(program({"ld.so", "--list", ""}) == "none");
  CHECK(program({}) == "none");
}

TEST_CASE("dynamic loaders are known by their names") {
  for (const char *path : {loader, "/opt/app/lib/ld-linux-x86-64.so.2", "/lib/ld-musl-x86_64.so.1", "/lib/ld-2.31.so"})
    CHECK(is_dynamic_loader(path));
  for (const char *path : {"/usr/bin/ld", "/usr/bin/ld.gold", "/opt/ld-server", "/lib/libc.so.6", ""})
    CHECK_FALSE(is_dynamic_loader(path));
}

TEST_CASE("a program that was started by the dynamic loader is the executable") {
  if (!std::filesystem::exists(loader))
    SKIP_TEST("no dynamic loader at its usual place");
  const std::string program = test::fixture_path("many_threads");
  const std::filesystem::path folder = std::filesystem::path(program).parent_path();
  // By its path, and by one that is relative to a working directory.
  const std::vector<std::vector<std::string>> commands = {
      {loader, program, "2", "2"},
      {"sh", "-c", R"(cd "$0" && exec "$1" --inhibit-cache ./many_threads 2 2)", folder.string(), loader}};
  for (const auto &command : commands) {
    test::ChildProcess child(command);
    child.wait_for_line();
    const auto link = read_executable_link(child.pid());
    REQUIRE(link.has_value());
    CHECK(link->path == program);
  }
}

} // namespace
} // namespace inspect
