#include "tests/support/go_toolchain.h"

#include "golang/image/build_info.h"
#include "golang/memstats/memory_layout.h"
#include "golang/pclntab/func_id.h"
#include "golang/runtime/go_runtime.h"
#include "machine/elf_file.h"
#include "machine/file_descriptor.h"
#include "tests/golang/go_process.h"
#include "tests/support/child_process.h"
#include "tests/support/skip.h"

#include <algorithm>
#include <fcntl.h>
#include <fmt/format.h>
#include <stdexcept>

namespace inspect {
namespace {

using namespace test;

constexpr std::string_view greeter =
    "package main\n\nimport \"runtime\"\n\nfunc main() { println(runtime.Version()) }\n";

} // namespace

TEST_CASE("programs are built by the toolchain asked for") {
  for_each_go([](const GoToolchain &go) {
    const std::string program = build_go_text(go, "greeter", greeter);
    CHECK(build_go_text(go, "greeter", greeter) == program);
    const FileDescriptor file(::open(program.c_str(), O_RDONLY | O_CLOEXEC));
    REQUIRE(file);
    const auto elf = ElfFile::read(file.get());
    REQUIRE(elf);
    const auto info = read_go_build_info(*elf);
    REQUIRE(info);
    CHECK(info->go_version.starts_with(go.version));
    CHECK(info->module_path == "example.com/fixtures/greeter");
    const std::string stripped = build_go_text(go, "greeter", greeter, GoVariant::stripped);
    CHECK(stripped != program);
  });
}

TEST_CASE("the Go versions that must be there are those of the tables, and are installed") {
  const auto &listed = listed_go_versions();
  CHECK(std::ranges::is_sorted(listed));
  CHECK(listed.back().first == newest_known_go.minor);
  CHECK(known_runtime_layouts().back().version == newest_known_go);
  CHECK(known_memory_layouts().back().version == newest_known_go);
  std::string missing;
  for (const RuntimeLayout &layout : known_runtime_layouts()) {
    const auto has_minor = [&](const auto &one) { return one.minor == layout.version.minor; };
    CHECK(std::ranges::count(listed, layout.version.minor, &std::pair<int, int>::first) == 1);
    if (layout.first_patch == 0 && std::ranges::none_of(all_go_toolchains(), has_minor))
      missing += fmt::format(" 1.{}", layout.version.minor);
  }
  if (full_matrix())
    CHECK(missing.empty());
  else if (!missing.empty())
    std::printf("SKIPPED: no toolchains of Go%s\n", missing.c_str());
}

TEST_CASE("a Go toolchain newer than the tables serves where a known layout fits what it builds") {
  if (newer_go_toolchains().empty())
    SKIP_TEST("no Go toolchain is newer than the tables");
  for (const GoToolchain &go : newer_go_toolchains()) {
    INFO(go.version);
    GoProcess process({build_go(go, "goroutine_leak")});
    process.child().wait_for_line();
    try {
      process.open();
    } catch (const std::runtime_error &) { // no image: why, the runtime says
    }
    const auto runtime = GoRuntime::open(process.modules(), process.memory());
    const auto list = runtime ? (*runtime)->goroutine_list() : std::unexpected(runtime.error());
    if (!list) {
      CHECK(list.error().kind() == ErrorKind::unsupported);
      CHECK(list.error().message().find("newer than this program knows") != std::string::npos);
      std::printf("SKIPPED: %s is newer than the tables: %s\n", go.version.c_str(), list.error().message().c_str());
      continue;
    }
    CHECK((*runtime)->layout_note().starts_with("newer than this program knows; "));
  }
}

} // namespace inspect
