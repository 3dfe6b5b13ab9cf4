// `inspect ps PID` as it is printed, and against what ss, lsof, getpcaps, readelf, go and gops say of the same process.
#include "commands/process/process_details_writers.h"

#include "commands/process/socket_writers.h"
#include "tests/support/captured_output.h"
#include "tests/support/catch.h"
#include "tests/support/child_process.h"
#include "tests/support/descriptor_fixture.h"
#include "tests/support/go_toolchain.h"
#include "tests/support/run_command.h"
#include "tests/support/skip.h"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fmt/format.h>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <sstream>
#include <unistd.h>

namespace inspect {
namespace {

using nlohmann::json;
using test::ChildProcess;
using test::run_command;
using test::run_inspect;

json details_json(pid_t process) {
  const auto result = run_inspect({"ps", std::to_string(process), "--json"});
  REQUIRE(result.status == 0);
  return json::parse(result.out)["processes"][0];
}

std::vector<std::string> lines_of(const std::string &text) {
  std::istringstream stream(text);
  std::vector<std::string> lines;
  for (std::string line; std::getline(stream, line);)
    lines.push_back(line);
  return lines;
}

/// What stands behind a label.
std::string line_of(const std::string &text, const std::string &label) {
  for (const std::string &line : lines_of(text))
    if (line.starts_with(label + " "))
      return line.substr(line.find_first_not_of(' ', label.size()));
  return {};
}

bool holds(const std::string &text, const std::string &part) {
  return text.find(part) != std::string::npos;
}

std::string text_of(const ProcessDetails &details, const ProcessDetailsTextOptions &options = {}) {
  CapturedOutput captured;
  write_process_details_text(captured.output(), details, options);
  return captured.text();
}

TEST_CASE("ps PID: words for every part, and nothing of the target reaches the terminal as it is") {
  const std::string evil = "\x1b[2J";
  ProcessDetails details;
  details.row.process = 42;
  details.row.parent = 7;
  details.row.name = evil;
  details.row.state = 'S';
  details.row.command = {"server", evil};
  details.row.executable = "/bin/" + evil;
  details.row.executable_deleted = true;
  details.row.container = evil;
  details.parents = {{7, evil}, {1, "init"}};
  details.users = {"alice", "root", "users", "root"};
  details.working_directory = {evil, true};
  details.root = {evil, false};
  details.times = {.elapsed = 100'000, .user = 1000, .system = 500};
  details.recent_use = ProcessorUse{std::chrono::milliseconds(2000), 90, 10, {{43, evil, 60, 10}, {42, "main", 30, 0}}};
  details.row.threads = 3;
  details.threads_by_state = {{'S', 1}, {'R', 2}};
  details.memory = MemoryStatus{};
  details.memory->virtual_size = 3ULL << 30;
  details.memory->resident = 1ULL << 30;
  details.memory->locked = 4096;
  details.machine_memory = 4ULL << 30;
  DescriptorSummary descriptors;
  descriptors.all = {{3, DescriptorKind::regular, true, evil, 0, 1 << 20}};
  descriptors.by_kind = {{DescriptorKind::regular, 1}, {DescriptorKind::directory, 2}};
  details.descriptors = descriptors;
  details.descriptor_count = 3;
  OpenSocket socket;
  socket.entry.protocol = "unix";
  socket.entry.state = "listening";
  socket.entry.path = evil;
  socket.role = SocketRole::listening;
  socket.descriptors = {5};
  details.sockets = OpenSockets{{socket}, 2};
  details.limits =
      *parse_process_limits("Limit                     Soft Limit           Hard Limit           Units     \n"
                            "Max open files            1024                 unlimited            files     \n"
                            "Max locked memory         65536                65536                bytes     \n");
  details.capabilities =
      Capabilities{.effective = 0, .permitted = 3, .inheritable = 0, .ambient = 0, .bounding = 15, .known = 15};
  details.namespaces = {{"net", 12, false}, {"mnt", 13, true}};
  details.control_groups = {{"", "/" + evil}};
  details.build = ProgramBuild{"abcd",
                               {evil},
                               {},
                               false,
                               GoBuildInfo{.go_version = "go1.22",
                                           .package_path = {},
                                           .module_path = "m/" + evil,
                                           .module_version = "v1",
                                           .dependencies = {{"dep/" + evil, "v2", "", "./" + evil, ""}},
                                           .settings = {{"-ldflags", evil}}}};
  details.libraries = {{"/lib/a.so", false}, {"/lib/" + evil, true}};
  SecurityState security;
  security.seccomp_mode = 2;
  security.seccomp_filters = 1;
  security.no_new_privileges = true;
  security.dumpable = false;
  security.tracer = 50;
  security.tracer_name = evil;
  security.label = evil;
  details.security = security;
  details.out_of_memory = OutOfMemoryScore{666, -5};
  details.not_permitted = {{"open files", "namespaces"}, "could not be inspected: " + evil, "run as root"};
  details.warnings = {evil};

  const std::string text = text_of(details, {.modules = true});
  CHECK_FALSE(holds(text, "\x1b"));
  CHECK(line_of(text, "parents") == "7 \\x1b[2J ← 1 init");
  CHECK(line_of(text, "user") == "root (real: alice), group root (real: users)");
  CHECK(line_of(text, "command") == "server \\x1b[2J");
  CHECK(holds(line_of(text, "executable"), "(deleted or replaced since it was started)"));
  CHECK(line_of(text, "directory") == "\\x1b[2J (deleted)");
  CHECK(line_of(text, "cpu") == "1.5% since the start: 1.5 s (1 s user, 500 ms system)");
  CHECK(line_of(text, "cpu now") == "100.0% over 2 s: 90.0% user, 10.0% system");
  CHECK(line_of(text, "  busiest") ==
        "43 \\x1b[2J 70.0% (60.0 user, 10.0 system), 42 main 30.0% (30.0 user, 0.0 system)");
  CHECK(line_of(text, "threads") == "3: 2 running, 1 sleeping");
  CHECK(line_of(text, "memory") == "VSZ 3.0 GB, RSS 1.0 GB (25.0% of 4.0 GB)");
  CHECK(line_of(text, "files") == "3 open descriptors of 1,024 (0%): 2 directories, 1 regular file");
  CHECK(line_of(text, "  deleted") == "fd 3 \\x1b[2J, 1.0 MB");
  CHECK(line_of(text, "listening") == "unix \\x1b[2J (fd 5)");
  CHECK(line_of(text, "other sockets") == "2 not in the tables of its network namespace");
  CHECK(line_of(text, "limits") == "files 1,024 (hard unlimited), locked memory 64 kB (locked now: 4 kB)");
  CHECK(line_of(text, "capabilities") == "none, permitted cap_chown cap_dac_override, bounding set all");
  CHECK(line_of(text, "namespaces") == "not ours: net 12");
  CHECK(line_of(text, "security") ==
        "1 seccomp filter, no new privileges, not dumpable, traced by 50 \\x1b[2J, label \\x1b[2J");
  CHECK(line_of(text, "oom") == "score 666, adjustment -5");
  CHECK(holds(text, "dep/\\x1b[2J v2 => ./\\x1b[2J\n"));
  CHECK(holds(line_of(text, "libraries"), "2 mapped: a.so, /lib/\\x1b[2J (deleted or replaced since)"));
  CHECK(holds(text, "not shown: open files, namespaces\n"));
  CHECK(holds(text, "  try: run as root\n"));
  CHECK_FALSE(holds(text_of(details, {.unicode = false}), "←"));
  CHECK_FALSE(holds(process_details_json(details).dump(2, ' ', true), "\x1b"));
}

TEST_CASE("ps PID: connections are summed by peer and state, and told one by one with --all") {
  const auto tcp = [](SocketRole role, std::string_view state, const char *local, const char *remote,
                      std::uint16_t port, int descriptor) {
    OpenSocket socket;
    socket.entry.family = SocketFamily::ipv4;
    socket.entry.protocol = "tcp";
    socket.entry.state = state;
    socket.entry.local = {local, 80, false};
    socket.entry.remote = {remote, port, port == 0};
    socket.role = role;
    socket.descriptors = {descriptor};
    return socket;
  };
  OpenSockets sockets;
  sockets.sockets = {tcp(SocketRole::listening, "listening", "0.0.0.0", "0.0.0.0", 0, 3),
                     tcp(SocketRole::accepted, "established", "10.0.0.1", "10.0.0.2", 1000, 4),
                     tcp(SocketRole::accepted, "established", "10.0.0.1", "10.0.0.2", 1001, 5),
                     tcp(SocketRole::accepted, "close wait", "10.0.0.1", "10.0.0.2", 1002, 6)};
  for (int i = 0; i < 20; ++i)
    sockets.sockets.push_back(
        tcp(SocketRole::connected, "established", "10.0.0.1", fmt::format("10.1.0.{}", i).c_str(), 5432, 10 + i));
  const auto sections = socket_sections(sockets, {});
  REQUIRE(sections.size() == 3);
  CHECK(sections[0].label == "listening");
  CHECK(sections[0].lines == std::vector<std::string>{"tcp 0.0.0.0:80 (fd 3)"});
  CHECK(sections[1].lines ==
        std::vector<std::string>{"tcp 10.0.0.1:80 ← 10.0.0.2: 2 established, 1 close wait (fd 4 5 6)"});
  REQUIRE(sections[2].lines.size() == 9);
  CHECK(sections[2].lines[0] == "tcp 10.1.0.0:5432 (fd 10)");
  CHECK(sections[2].lines[8] == "and 12 more lines with 12 sockets: --all");
  const auto every = socket_sections(sockets, {.every = true});
  REQUIRE(every.size() == 3);
  CHECK(every[2].lines.size() == 20);
  CHECK(every[1].lines[2] == "tcp 10.0.0.1:80 -> 10.0.0.2:1002 (close wait) (fd 6)");
}

TEST_CASE("ps PID: a time is for a process number, and reads as people write it") {
  auto child = ChildProcess({"sleep", "600"});
  const std::string pid = std::to_string(child.pid());
  for (const char *duration : {"10ms", "0.02s", "0.01"}) {
    INFO(duration);
    const auto result = run_inspect({"ps", pid, duration});
    CHECK(result.status == 0);
    CHECK(holds(line_of(result.out, "cpu now"), "over "));
  }
  for (const char *duration : {"", "s", "2x", "1h", "-1s", "1ms", "11m", "nan", "1e99s"}) {
    INFO(duration);
    CHECK(run_inspect({"ps", "--", pid, duration}).status == 2);
  }
  CHECK(run_inspect({"ps", "sleep", "2s"}).status == 2);
  CHECK(run_inspect({"ps", "0", "2s"}).status == 2);
  // Beyond the largest number that there can be, and in no other command line of this machine.
  const std::string none = std::to_string(4'194'304 + ::getpid());
  CHECK(run_inspect({"ps", none, "10ms"}).status == 3);
  CHECK(run_inspect({"ps", none}).status == 1);
  // Digits that are no process are text.
  auto other = ChildProcess({"sleep", none});
  CHECK(test::wait_until([&] { return holds(run_inspect({"ps", none}).out, "sleep " + none); })); // once it is sleep
}

TEST_CASE("ps PID: sockets are those of ss, descriptors those of lsof") {
  const test::DescriptorFixture fixture(200);
  const json process = details_json(fixture.pid());
  const json &details = process["details"];
  CHECK(details["descriptors"]["open"] == fixture.total());
  std::set<std::string> listening;
  std::set<std::string> connected;
  for (const json &socket : details["sockets"]) {
    if (!socket.contains("local"))
      continue;
    const auto end = [](const json &one) {
      const std::string host = one["host"];
      return fmt::format("{}:{}", holds(host, ":") ? "[" + host + "]" : host, one["port"].get<int>());
    };
    if (socket["role"] == "listening")
      listening.insert(end(socket["local"]));
    else
      connected.insert(end(socket["local"]) + " " + end(socket["remote"]));
  }
  if (!test::have_program("ss") || !test::have_program("lsof"))
    SKIP_TEST("ss or lsof is not installed");
  std::set<std::string> told_listening;
  std::set<std::string> told_connected;
  const std::string mark = fmt::format("pid={},", fixture.pid());
  for (const std::string &line : lines_of(run_command({"ss", "-tunapH"}).out)) {
    if (!holds(line, mark))
      continue;
    std::istringstream words(line);
    std::string protocol, state, receive, send, local, remote;
    words >> protocol >> state >> receive >> send >> local >> remote;
    if (state == "LISTEN" || state == "UNCONN")
      told_listening.insert(local);
    else
      told_connected.insert(local + " " + remote);
  }
  CHECK(listening == told_listening);
  CHECK(connected == told_connected);
  CHECK(connected.size() == 2 * static_cast<std::size_t>(fixture.accepted()));

  std::map<int, std::string> told_types;
  int number = -1;
  for (const std::string &line :
       lines_of(run_command({"lsof", "-n", "-P", "-p", std::to_string(fixture.pid()), "-F", "ft"}).out)) {
    if (line.starts_with('f'))
      number = line[1] >= '0' && line[1] <= '9' ? std::stoi(line.substr(1)) : -1;
    else if (line.starts_with('t') && number >= 0)
      told_types[number] = line.substr(1);
  }
  CHECK(told_types.size() == details["descriptors"]["list"].size());
  const std::map<std::string, std::string> types = {
      {"regular_file", "REG"}, {"directory", "DIR"}, {"pipe", "FIFO"}, {"character_device", "CHR"}};
  for (const json &one : details["descriptors"]["list"])
    if (const auto type = types.find(one["kind"]); type != types.end()) {
      INFO(one.dump());
      CHECK(told_types[one["fd"].get<int>()] == type->second);
    }
}

TEST_CASE("ps PID: build-id and compilers are those of readelf") {
  if (!test::have_program("readelf"))
    SKIP_TEST("readelf is not installed");
  for (const char *name : {"blocked_gcc", "blocked_clang", "blocked_static"}) {
    const std::string path = test::fixture_path(name);
    if (!std::filesystem::exists(path))
      continue; // no clang here
    INFO(name);
    ChildProcess program({path});
    program.wait_for_line("ready");
    const json build = details_json(program.pid())["details"]["build"];
    const std::string notes = run_command({"readelf", "-n", path}).out;
    const std::size_t at = notes.find("Build ID: ");
    CHECK(build["build_id"] == (at == std::string::npos ? json() : json(notes.substr(at + 10, 40))));
    std::vector<std::string> compilers;
    for (const std::string &line : lines_of(run_command({"readelf", "-p", ".comment", path}).out))
      if (const std::size_t bracket = line.find("]  "); line.starts_with("  [") && bracket != std::string::npos)
        compilers.push_back(line.substr(bracket + 3));
    CHECK(build["compilers"] == compilers);
    std::vector<std::string> needed;
    for (const std::string &line : lines_of(run_command({"readelf", "-d", path}).out))
      if (const std::size_t bracket = line.find("Shared library: ["); bracket != std::string::npos)
        needed.push_back(line.substr(bracket + 17, line.rfind(']') - bracket - 17));
    CHECK(build["needed"] == needed);
    CHECK(build["dynamic"] == (std::string(name) != "blocked_static"));
  }
}

/// A Go server with one connection to itself.
constexpr std::string_view go_server = R"(package main

import (
	"fmt"
	"net"
	"os"
)

func main() {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	client, err := net.Dial("tcp", listener.Addr().String())
	if err != nil {
		panic(err)
	}
	server, err := listener.Accept()
	if err != nil {
		panic(err)
	}
	fmt.Println("ready")
	os.Stdin.Read(make([]byte, 1))
	client.Close()
	server.Close()
}
)";

TEST_CASE("ps PID: what gops shows of a Go process is shown, too") {
  const auto toolchains = test::go_toolchains();
  if (!test::have_program("gops") || toolchains.empty())
    SKIP_TEST("gops or Go is not installed");
  ChildProcess server({test::build_go_text(toolchains.back(), "details_server", go_server), "--flag", "a value"});
  server.wait_for_line("ready");
  const std::string pid = std::to_string(server.pid());
  const std::string told = run_command({"gops", pid}).out;
  const json process = details_json(server.pid());
  const json &details = process["details"];
  const auto value = [&](const std::string &label) {
    const std::size_t at = told.find(label + ":\t");
    return at == std::string::npos ? std::string()
                                   : told.substr(at + label.size() + 2, told.find('\n', at) - at - label.size() - 2);
  };
  CHECK(value("parent PID") == std::to_string(process["ppid"].get<int>()));
  CHECK(std::abs(std::stoi(value("threads")) - process["threads"].get<int>()) <= 1); // Go starts one when it likes
  const double share = 100 * details["memory"]["rss_kb"].get<double>() / details["memory"]["machine_kb"].get<double>();
  CHECK(std::abs(std::stod(value("memory usage")) - share) < 0.5);
  CHECK(std::stod(value("cpu usage")) >= 0);
  CHECK(value("username") == process["user"]);
  CHECK(value("cmd+args") == fmt::format("{}", fmt::join(process["command"].get<std::vector<std::string>>(), " ")));
  CHECK(value("elapsed time").size() >= std::string("00:00").size());
  std::set<std::string> told_sockets;
  for (const std::string &line : lines_of(told))
    if (line.starts_with("local/remote:\t"))
      told_sockets.insert(line.substr(14, line.find(" (") - 14));
  std::set<std::string> sockets;
  for (const json &socket : details["sockets"]) {
    const json remote = socket.value("remote", json{{"host", "0.0.0.0"}, {"port", 0}});
    sockets.insert(fmt::format("{}:{} <-> {}:{}", socket["local"]["host"].get<std::string>(),
                               socket["local"]["port"].get<int>(), remote["host"].get<std::string>(),
                               remote["port"].get<int>()));
  }
  CHECK(sockets == told_sockets);
  CHECK(sockets.size() == 3);

  const std::string text = run_inspect({"ps", pid}).out;
  CHECK(line_of(text, "parents").starts_with(value("parent PID") + " "));
  CHECK(line_of(text, "user").starts_with(value("username")));
  CHECK(line_of(text, "command") == value("cmd+args"));
  CHECK(holds(line_of(text, "build"), toolchains.back().version));
  CHECK(details["build"]["go"]["version"] == toolchains.back().version);
}

TEST_CASE("a program that was named to the dynamic loader is shown as what it is") {
  constexpr const char *loader = "/lib64/ld-linux-x86-64.so.2";
  if (!std::filesystem::exists(loader))
    SKIP_TEST("no dynamic loader at its usual place");
  const std::string program = test::fixture_path("many_threads");
  ChildProcess child({loader, program, "2", "2"});
  child.wait_for_line();
  const std::string process = std::to_string(child.pid());
  const auto list = run_inspect({"ps", "--json", process});
  CHECK_THAT(list.out, Catch::Matchers::Contains(R"("kind": "c++")") &&
                           Catch::Matchers::Contains(R"("executable": ")" + program));
  const auto stacks = run_inspect({"stacks", process});
  CHECK_THAT(stacks.out, Catch::Matchers::Contains(program + "\nc++; 3 threads"));
}

} // namespace
} // namespace inspect
