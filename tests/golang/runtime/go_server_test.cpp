// Go programs as a distribution ships them: stripped, linked by the C linker, with the runtime's libraries around them.
#include "golang/runtime/go_runtime.h"

#include "golang/goroutines/goroutine_list.h"
#include "golang/runtime/goroutine_search.h"
#include "golang/runtime/m_list.h"
#include "tests/golang/go_process.h"
#include "tests/support/catch.h"
#include "tests/support/run_command.h"
#include "tests/support/skip.h"
#include "tests/support/temporary_directory.h"

#include <algorithm>
#include <filesystem>
#include <fmt/format.h>
#include <fstream>
#include <set>

namespace inspect {
namespace {

using namespace test;

/// The kernel's threads of a process.
std::set<pid_t> threads_of(pid_t process) {
  std::set<pid_t> threads;
  std::error_code gone;
  for (const auto &entry : std::filesystem::directory_iterator(fmt::format("/proc/{}/task", process), gone))
    threads.insert(std::stoi(entry.path().filename().string()));
  return threads;
}

/// Has begun: it has made threads and its runtime has goroutines of its own.
bool is_up(GoProcess &process) {
  return threads_of(process.child().pid()).size() > 4;
}

void check_runtime(GoProcess &process) {
  REQUIRE(wait_until([&] { return is_up(process); }));
  process.open();
  const auto runtime = GoRuntime::open(process.modules(), process.memory());
  if (!runtime)
    FAIL(runtime.error().message());
  GoRuntime &go = **runtime;
  CHECK(go.take_warnings().empty());
  const auto header = go.goroutine_list();
  if (!header)
    FAIL(header.error().message());
  // The server runs, and is still starting: a single search may meet its list while it moves.
  const GoImage &image = *go.find(go.images().front().data.text.begin);
  auto candidates = decltype(search_goroutine_list(image, go.layout(), go.images(), process.memory()))();
  REQUIRE(wait_until([&] {
    candidates = search_goroutine_list(image, go.layout(), go.images(), process.memory());
    return candidates.size() == 1;
  }));
  CHECK(candidates.front().header == *header);

  // The runtime itself has five; the server's own come as it starts.
  GoroutineList list(go.layout(), process.memory());
  CHECK(wait_until([&] { return list.find(*header) && list.slots() > 5 && list.unreadable() == 0; }));

  REQUIRE(go.m_list().value != 0);
  MList runtime_ms;
  // Every thread of these is an M's; but one may be made between the two looks.
  CHECK(wait_until([&] {
    runtime_ms = read_ms(go.layout(), process.memory(), go.m_list(), {});
    const std::set<pid_t> threads = threads_of(process.child().pid());
    const auto known = std::ranges::count_if(runtime_ms.runtime_ms,
                                             [&](const GoM &runtime_m) { return threads.contains(runtime_m.thread); });
    return static_cast<std::size_t>(known) + 2 >= threads.size() && runtime_ms.unreadable == 0;
  }));
  CHECK_FALSE(runtime_ms.endless);
}

} // namespace

TEST_CASE("the goroutines and threads of Debian's etcd are found") {
  if (!have_program("etcd"))
    SKIP_TEST("etcd is not installed");
  const TemporaryDirectory folder;
  // Its sockets are files named after host and port, in the folder that it runs in.
  GoProcess server({"sh", "-c",
                    fmt::format("cd {} && exec etcd --data-dir data --listen-client-urls unix://localhost:1 "
                                "--advertise-client-urls unix://localhost:1 --listen-peer-urls unix://localhost:2 "
                                "--initial-advertise-peer-urls unix://localhost:2 "
                                "--initial-cluster default=unix://localhost:2 2>log",
                                folder.path())});
  check_runtime(server);
}

TEST_CASE("the goroutines and threads of Debian's prometheus are found") {
  if (!have_program("prometheus"))
    SKIP_TEST("prometheus is not installed");
  const TemporaryDirectory folder;
  const std::string configuration = folder.write("prometheus.yml", "global:\n  scrape_interval: 1h\n");
  GoProcess server({"sh", "-c",
                    fmt::format("exec prometheus --config.file={} --storage.tsdb.path={} "
                                "--web.listen-address=127.0.0.1:0 2>{}",
                                configuration, folder / "data", folder / "log")});
  check_runtime(server);
}

TEST_CASE("the goroutines and threads of Debian's caddy are found") {
  if (!have_program("caddy"))
    SKIP_TEST("caddy is not installed");
  const TemporaryDirectory folder;
  const std::string configuration = folder.write(
      "caddy.json", fmt::format(R"({{"admin": {{"listen": "unix/{}"}}, "apps": {{"http": {{"servers": {{"one": )"
                                R"({{"listen": ["unix/{}"], "automatic_https": {{"disable": true}}}}}}}}}}}})",
                                folder / "admin", folder / "http"));
  GoProcess server({"sh", "-c",
                    fmt::format("export HOME={0} XDG_DATA_HOME={0} XDG_CONFIG_HOME={0}; exec caddy run --config {1} "
                                "2>{0}/log",
                                folder.path(), configuration)});
  check_runtime(server);
}

} // namespace inspect
