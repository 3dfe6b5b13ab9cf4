// Go in a process that is not, or not only, one Go program: libraries with a runtime of their own, plugins without.
#include "golang/goroutines/goroutine_list.h"
#include "golang/runtime/go_runtime.h"
#include "tests/golang/go_process.h"
#include "tests/golang/library_host.h"
#include "tests/support/catch.h"
#include "tests/support/go_toolchain.h"
#include "tests/support/run_command.h"
#include "tests/support/temporary_directory.h"

#include <atomic>
#include <set>

namespace inspect {
namespace {

using namespace test;

std::unique_ptr<GoRuntime> open_image_runtime(GoProcess &process) {
  process.child().wait_for_line();
  process.open();
  auto runtime = GoRuntime::open(process.modules(), process.memory());
  if (!runtime)
    FAIL(runtime.error().message());
  return std::move(*runtime);
}

/// Of goroutines that start in a function of this name.
std::size_t count_started(GoRuntime &runtime, const MemoryView &memory, std::string_view function) {
  const auto header = runtime.goroutine_list();
  if (!header)
    FAIL(header.error().message());
  GoroutineList list(runtime.layout(), memory);
  REQUIRE(list.find(*header));
  std::atomic<std::size_t> count{0};
  list.read([&](std::size_t, std::size_t, const Goroutine &goroutine) {
    const GoImage *image = runtime.find(goroutine.start_pc);
    const auto found = image != nullptr ? image->table->find(goroutine.start_pc) : std::nullopt;
    count += found && found->name.starts_with(function) && goroutine.status == GoroutineStatus::waiting ? 1 : 0;
  });
  return count;
}

/// Go's closure of a go statement since 1.17, or the function itself.
bool waits(GoRuntime &runtime, const MemoryView &memory, std::string_view starter, std::string_view function,
           std::size_t wanted) {
  return wait_until(
      [&] { return count_started(runtime, memory, starter) + count_started(runtime, memory, function) == wanted; });
}

} // namespace

TEST_CASE("the runtime of a Go library in a C program is found") {
  for_each_go([](const GoToolchain &go) {
    const TemporaryDirectory folder;
    GoProcess process({build_library_host(folder), build_go(go, "c_shared", GoVariant::c_shared)});
    const auto runtime = open_image_runtime(process);
    CHECK(runtime->images().size() == 1);
    CHECK(runtime->version().minor == go.minor);
    CHECK(runtime->take_warnings().empty());
    CHECK(waits(*runtime, process.memory(), "main.StartGoroutines", "main.waitInLibrary", 10));
  });
}

TEST_CASE("of two Go libraries each has a runtime with goroutines of its own") {
  for_each_go([](const GoToolchain &go) {
    const TemporaryDirectory folder;
    const GoToolchain other = go_toolchains().front();
    const std::vector<std::string> libraries = {build_go(go, "c_shared", GoVariant::c_shared), folder / "other.so"};
    REQUIRE(run_command({"cp", build_go(other, "c_shared", GoVariant::c_shared), libraries.back()}).status == 0);
    GoProcess process({build_library_host(folder), libraries.front(), libraries.back()});
    process.child().wait_for_line();
    process.open();
    const auto runtimes = GoRuntime::open_all(process.modules(), process.memory());
    REQUIRE(runtimes);
    REQUIRE(runtimes->size() == 2);
    std::set<std::string> images;
    for (const auto &runtime : *runtimes) {
      images.insert(runtime->own_image().module->path());
      const bool is_first = runtime->own_image().module->path() == libraries.front();
      CHECK(runtime->version().minor == (is_first ? go.minor : other.minor));
      CHECK(runtime->images().size() == 2);
      CHECK(waits(*runtime, process.memory(), "main.StartGoroutines", "main.waitInLibrary", 10));
      CHECK(runtime->take_warnings().empty());
      for (const GoImage &image : runtime->images())
        CHECK(runtime->runs(image) == (&image == &runtime->own_image()));
    }
    CHECK(images == std::set<std::string>(libraries.begin(), libraries.end()));
  });
}

TEST_CASE("a plugin's goroutines are those of the program that loaded it") {
  for_each_go([](const GoToolchain &go) {
    GoProcess process({build_go(go, "plugin_host", GoVariant::cgo), build_go(go, "plugin_part", GoVariant::plugin)});
    const auto runtime = open_image_runtime(process);
    CHECK(runtime->images().size() == 2);
    CHECK(runtime->version().minor == go.minor);
    CHECK(runtime->take_warnings().empty());
    CHECK(waits(*runtime, process.memory(), "example.com/fixtures/plugin_part.Start",
                "example.com/fixtures/plugin_part.waitInPlugin", 5));
  });
}

} // namespace inspect
