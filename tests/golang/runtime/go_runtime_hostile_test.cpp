// Go versions that are not known, versions that lie, and malformed memory.
#include "golang/runtime/go_runtime.h"
#include "golang/runtime/goroutine_search.h"
#include "golang/runtime/m_list.h"
#include "tests/golang/changed_memory.h"
#include "tests/golang/go_process.h"
#include "tests/golang/other_version.h"
#include "tests/support/catch.h"
#include "tests/support/fuzz_rounds.h"
#include "tests/support/go_toolchain.h"
#include "tests/support/temporary_directory.h"

#include <csignal>
#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

namespace inspect {
namespace {

using namespace test;

std::string first_warning(GoRuntime &runtime) {
  const std::vector<std::string> warnings = runtime.take_warnings();
  return warnings.empty() ? "" : warnings.front();
}

} // namespace

TEST_CASE("a Go version to come is read with the newest layout, and the user is told") {
  for_each_go([](const GoToolchain &go) {
    if (go.minor < known_runtime_layouts().back().version.minor)
      return; // its layout is not that of its neighbour
    const TemporaryDirectory folder;
    GoProcess process({with_version(build_go(go, "goroutine_leak"), go.version, far_version(go), folder)});
    process.child().wait_for_line();
    process.open();
    const auto runtime = GoRuntime::open(process.modules(), process.memory());
    REQUIRE(runtime);
    CHECK((*runtime)->version() == GoVersion{1, 99});
    CHECK((*runtime)->goroutine_list());
    CHECK((*runtime)->layout().version == known_runtime_layouts().back().version);
    const std::string warning = first_warning(**runtime);
    CHECK(warning.find("go1.99") != std::string::npos);
    CHECK(warning.find("is newer than this program knows; the layout of Go 1.27 is used") != std::string::npos);
    CHECK((*runtime)->take_warnings().empty());
    unsigned held = 0;
    unsigned made = 0;
    REQUIRE(std::sscanf((*runtime)->layout_note().c_str(), "newer than this program knows; %u of %u checks held", &held,
                        &made) == 2);
    CHECK(held > 10);
    CHECK(held == made);
  });
}

TEST_CASE("a layout that does not fit is replaced by the one that does") {
  for_each_go([](const GoToolchain &go) {
    const TemporaryDirectory folder;
    GoProcess process({with_version(build_go(go, "goroutine_leak"), go.version, far_version(go), folder)});
    process.child().wait_for_line();
    process.open();
    const auto runtime = GoRuntime::open(process.modules(), process.memory());
    REQUIRE(runtime);
    REQUIRE((*runtime)->goroutine_list());
    const RuntimeLayout &own = *runtime_layout({1, go.minor}, go.patch).layout;
    CHECK((*runtime)->layout().g.status == own.g.status);
    CHECK((*runtime)->layout().g.start_pc == own.g.start_pc);
    CHECK((*runtime)->layout().g.created_pc == own.g.created_pc);
  });
}

TEST_CASE("goroutines that fit no layout are refused with the reason") {
  for_each_go([](const GoToolchain &go) {
    GoProcess process({build_go(go, "goroutine_leak"), "-n", "5"});
    process.child().wait_for_line();
    process.open();
    process.child().signal(SIGSTOP);
    const RuntimeLayout &layout = *runtime_layout({1, go.minor}, go.patch).layout;
    const auto found = search_goroutine_list(process.image(), layout, process.images(), process.memory());
    REQUIRE_FALSE(found.empty());
    const FileDescriptor file(::open(fmt::format("/proc/{}/mem", process.child().pid()).c_str(), O_WRONLY | O_CLOEXEC));
    REQUIRE(file);
    for (const RunAddress goroutine : sample_goroutines(found.front().header, process.memory())) {
      const std::uint32_t status = 77;
      const auto place = static_cast<off_t>(goroutine.value) + layout.g.status;
      REQUIRE(::pwrite(file.get(), &status, sizeof status, place) == sizeof status);
    }
    const auto runtime = GoRuntime::open(process.modules(), process.memory());
    REQUIRE(runtime);
    const auto list = (*runtime)->goroutine_list();
    REQUIRE_FALSE(list);
    CHECK(list.error().kind() == ErrorKind::unsupported);
    CHECK(list.error().message().find("none of the layouts known, those of Go 1.16 to 1.27, fits") !=
          std::string::npos);
    CHECK(list.error().message().find(go.version) != std::string::npos);
    CHECK_FALSE(list.error().remedy().empty());
    CHECK((*runtime)->m_list().value == 0);
  });
}

TEST_CASE("a process without Go is told from one with") {
  GoProcess process({"sleep", "1000"});
  REQUIRE_THROWS(process.open());
  const auto runtime = GoRuntime::open(process.modules(), process.memory());
  REQUIRE_FALSE(runtime);
  CHECK(runtime.error().kind() == ErrorKind::not_found);
}

TEST_CASE("damaged memory ends the search for goroutines, not the program") {
  for_each_go([](const GoToolchain &go) {
    GoProcess process({build_go(go, "goroutine_leak", GoVariant::stripped)});
    process.child().wait_for_line();
    process.open();
    process.child().signal(SIGSTOP);
    const RuntimeLayout &layout = *runtime_layout({1, go.minor}, go.patch).layout;
    std::size_t found = 0;
    for (int round = 0; fuzz_goes_on(round, 30); ++round) {
      const auto seed = static_cast<unsigned>(round);
      const DamagedMemory damaged(process.memory(), seed, std::uint64_t{1} << (1 + seed % 16));
      found += search_goroutine_list(process.image(), layout, process.images(), damaged).size();
      const RunAddress runtime_ms = search_m_list(process.image(), layout, process.images(), damaged);
      CHECK(read_ms(layout, damaged, runtime_ms, {}).runtime_ms.size() < 1000);
    }
    CHECK(found < 1000);
  });
}

} // namespace inspect
