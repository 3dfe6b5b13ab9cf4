#include "tests/support/go_toolchain.h"

#include "golang/image/build_info.h"
#include "machine/elf_file.h"
#include "machine/file_descriptor.h"
#include "tests/support/child_process.h"

#include <fcntl.h>

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

} // namespace inspect
