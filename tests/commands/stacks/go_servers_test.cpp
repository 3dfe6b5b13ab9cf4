// Servers written in Go as a distribution ships them, stripped: at rest, every goroutine that the server itself counts
// is shown, with its whole stack; under load, many dumps, each with whole stacks, harm no request.
#include "tests/support/child_process.h"
#include "tests/support/http.h"
#include "tests/support/process_health.h"
#include "tests/support/skip.h"
#include "tests/support/stacks_json.h"
#include "tests/support/temporary_directory.h"

#include <algorithm>
#include <atomic>
#include <fmt/format.h>
#include <set>
#include <sstream>
#include <thread>

namespace inspect::test {
namespace {

using Json = nlohmann::json;

struct GoServer {
  ChildProcess process;
  int metrics_port; ///< has /metrics and, with that, /debug/pprof
  std::function<bool()> request;

  pid_t pid() const { return process.pid(); }
};

ChildProcess start(const TemporaryDirectory &folder, const std::string &command) {
  return ChildProcess(
      {"sh", "-c", fmt::format("cd {0} && export HOME={0} && exec {1} >log 2>&1", folder.path(), command)});
}

GoServer start_etcd(const TemporaryDirectory &folder) {
  const int port = free_port();
  // Its peers' socket is a file named after host and port, in the folder that it runs in.
  GoServer server{start(folder, fmt::format("etcd --data-dir data --enable-pprof "
                                            "--listen-client-urls http://127.0.0.1:{0} "
                                            "--advertise-client-urls http://127.0.0.1:{0} "
                                            "--listen-peer-urls unix://localhost:2 "
                                            "--initial-advertise-peer-urls unix://localhost:2 "
                                            "--initial-cluster default=unix://localhost:2",
                                            port)),
                  port,
                  {}};
  server.request = [port] { return http_post(port, "/v3/kv/put", R"({"key": "Zm9v", "value": "YmFy"})").has_value(); };
  return server;
}

GoServer start_prometheus(const TemporaryDirectory &folder) {
  const int port = free_port();
  folder.write("prometheus.yml", "global:\n  scrape_interval: 1h\n");
  GoServer server{start(folder, fmt::format("prometheus --config.file=prometheus.yml --storage.tsdb.path=data "
                                            "--web.listen-address=127.0.0.1:{}",
                                            port)),
                  port,
                  {}};
  server.request = [port] { return http_get(port, "/metrics").has_value(); };
  return server;
}

GoServer start_caddy(const TemporaryDirectory &folder) {
  const int port = free_port();
  folder.write("caddy.json",
               fmt::format(R"({{"admin": {{"listen": "127.0.0.1:{}"}}, "apps": {{"http": {{"servers": {{"one": )"
                           R"({{"listen": ["unix/{}"], "automatic_https": {{"disable": true}}}}}}}}}}}})",
                           port, folder / "http"));
  GoServer server{start(folder, "caddy run --config caddy.json"), port, {}};
  server.request = [port] { return http_get(port, "/config/").has_value(); };
  return server;
}

/// The goroutines that it lists itself, without those which serve the request for the list: the handler, and the one
/// that watches its connection meanwhile.
std::set<std::uint64_t> own_list(const GoServer &server) {
  std::set<std::uint64_t> ids;
  const auto page = http_get(server.metrics_port, "/debug/pprof/goroutine?debug=2");
  std::istringstream lines(page.value_or(""));
  std::uint64_t id = 0;
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with("goroutine "))
      ids.insert(id = std::stoull(line.substr(10)));
    if (line.starts_with("net/http/pprof.") || line.starts_with("net/http.(*connReader).backgroundRead("))
      ids.erase(id);
  }
  return ids;
}

std::set<std::uint64_t> shown(const Json &dump) {
  std::set<std::uint64_t> ids;
  for (const Json &goroutine : dump["goroutines"])
    if (!goroutine["system"].get<bool>())
      ids.insert(goroutine["id"].get<std::uint64_t>());
  return ids;
}

long own_count(const GoServer &server) {
  const std::string page = http_get(server.metrics_port, "/metrics").value_or("");
  const std::size_t line = page.find("\ngo_goroutines ");
  return line == std::string::npos ? -1 : std::stol(page.substr(line + 15));
}

void check_at_rest(const GoServer &server) {
  REQUIRE(wait_until([&] { return own_count(server) > 0; }));
  // Its start goes on for a while after it answers: until its list is the same before and after a dump.
  Json dump;
  std::set<std::uint64_t> ids;
  REQUIRE(wait_until([&] {
    ids = own_list(server);
    dump = stacks_json(server.pid());
    return ids.size() > 5 && ids == shown(dump);
  }));
  check_complete(dump);
  CHECK(dump["runtime"]["stripped"] == true);
  // To answer takes a goroutine for the connection, one that watches it, and a few which gather the figures.
  constexpr long max_for_answer = 8;
  CHECK(wait_until([&] {
    const long count = static_cast<long>(shown(stacks_json(server.pid())).size());
    const long counted = own_count(server);
    return count < counted && counted <= count + max_for_answer;
  }));
}

/// A thread that waits for the disk, as a database's do, stops for nobody until it is served. It may have been served
/// by the time that it is read without a stop; the dump says so.
bool held_by_kernel(const Json &thread) {
  return thread["end"]["reason"] == "not_captured" &&
         thread["end"]["detail"].get<std::string>().find("sits in the kernel") != std::string::npos;
}

/// What is wrong with a dump, as text, and in `held` how many threads the kernel held.
std::string wrong_with(const Json &dump, std::size_t &held) {
  std::string wrong;
  for (const Json &thread : dump["threads"])
    if (held_by_kernel(thread))
      ++held;
    else if (thread["end"]["reason"] != "complete")
      wrong += thread.dump(1);
  for (const Json &goroutine : dump["goroutines"])
    if (goroutine["end"]["reason"] != "complete" || outermost_function(goroutine) != "runtime.goexit")
      wrong += goroutine.dump(1);
  if (dump["warnings"].size() != held)
    wrong += dump["warnings"].dump();
  return wrong;
}

void check_under_load(const GoServer &server) {
  std::atomic<bool> stop{false};
  std::atomic<int> answered{0};
  std::atomic<int> failed{0};
  std::vector<std::thread> clients;
  for (int i = 0; i < 4; ++i)
    clients.emplace_back([&] {
      while (!stop)
        ++(server.request() ? answered : failed);
    });
  constexpr int dumps = 40;
  int with_every_thread = 0;
  std::string wrong;
  for (int i = 0; i < dumps && wrong.empty(); ++i) {
    const CommandResult result = run_inspect({"stacks", std::to_string(server.pid()), "--json", "--args", "words"});
    std::size_t held = 0;
    wrong = result.status == 0 ? wrong_with(Json::parse(result.out), held) : "it failed: " + result.err;
    with_every_thread += held == 0 ? 1 : 0;
  }
  stop = true;
  for (std::thread &client : clients)
    client.join();
  CHECK(wrong == "");
  CHECK(with_every_thread > dumps / 4);
  CHECK(failed == 0);
  CHECK(answered > dumps);
  CHECK(what_is_wrong_with(server.pid()) == "");
  CHECK(server.request());
}

void check_server(const std::string &name, GoServer (*start_server)(const TemporaryDirectory &)) {
  if (!have_program(name))
    SKIP_TEST((name + " is not installed").c_str());
  const TemporaryDirectory folder;
  const GoServer server = start_server(folder);
  check_at_rest(server);
  check_under_load(server);
}

TEST_CASE("all goroutines of Debian's etcd, at rest and under load") {
  check_server("etcd", start_etcd);
}

TEST_CASE("all goroutines of Debian's prometheus, at rest and under load") {
  check_server("prometheus", start_prometheus);
}

TEST_CASE("all goroutines of Debian's caddy, at rest and under load") {
  check_server("caddy", start_caddy);
}

} // namespace
} // namespace inspect::test
