#include "commands/cli/command_spec.h"
#include "commands/process/ps_writers.h"

#include "tests/support/catch.h"
#include "tests/support/child_process.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

namespace inspect {

CommandSpec make_ps_command();

namespace {

using test::ChildProcess;

std::string content_of(std::FILE *file) {
  std::rewind(file);
  std::string text;
  for (int c; (c = std::fgetc(file)) != EOF;)
    text += static_cast<char>(c);
  std::fclose(file);
  return text;
}

struct Outcome {
  std::string out;
  std::string error; ///< message of the error result, empty without
  int status = 0;
};

Outcome run(const std::vector<std::string> &words) {
  std::FILE *out = std::tmpfile();
  REQUIRE(out != nullptr);
  Output output(out, stderr);
  const CommandSpec spec = make_ps_command();
  const auto arguments = parse_arguments(spec, words);
  REQUIRE(arguments.has_value());
  CommandContext context{output, *arguments};
  const auto status = spec.run(context);
  output.flush();
  Outcome outcome;
  outcome.status = static_cast<int>(status ? *status : exit_status(status.error()));
  outcome.error = status ? "" : status.error().message();
  outcome.out = content_of(out);
  return outcome;
}

std::string listing_of(const std::vector<ProcessRow> &rows, const PsTextOptions &options = {}) {
  std::FILE *out = std::tmpfile();
  Output output(out, stderr);
  write_processes_text(output, rows, options);
  output.flush();
  return content_of(out);
}

std::vector<std::string> listing_lines(const std::string &text) {
  std::vector<std::string> lines;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = text.find('\n', at);
    REQUIRE(end != std::string::npos);
    lines.push_back(text.substr(at, end - at));
    at = end + 1;
  }
  return lines;
}

RuntimeInfo runtime(std::string language, std::string version) {
  RuntimeInfo info;
  info.language = std::move(language);
  info.version = std::move(version);
  return info;
}

ProcessRow made(pid_t process, pid_t parent, std::vector<std::string> command) {
  ProcessRow row;
  row.process = process;
  row.parent = parent;
  row.user = "root";
  row.name = "made";
  row.command = std::move(command);
  row.runtime.language = "c";
  row.threads = 1;
  row.virtual_kb = 2048;
  row.resident_kb = 1024;
  row.started_at = 1'000'000'000; // in 2001
  return row;
}

int named_sleeper(const char *name) {
  ::prctl(PR_SET_NAME, name);
  test::say_line("ready");
  for (;;)
    ::pause();
}

TEST_CASE("ps: columns line up and say what they should") {
  ProcessRow go = made(12345, 1, {"/usr/bin/etcd", "--x"});
  go.runtime = runtime("go", "go1.22.1");
  go.runtime.module = "go.etcd.io/etcd";
  go.cpu_percent = 12.34;
  go.resident_kb = 1'200'000;
  const auto lines = listing_lines(listing_of({made(1, 0, {"init"}), go}));
  REQUIRE(lines.size() == 3);
  CHECK(lines[0] == "  PID  USER  RUNTIME   THR   VSZ   RSS  CPU%  STARTED  COMMAND");
  CHECK(lines[1] == "    1  root  c           1  2.0M  1.0M   0.0     2001  init");
  CHECK(lines[2] == "12345  root  go1.22.1    1  2.0M  1.1G  12.3     2001  /usr/bin/etcd --x  (go.etcd.io/etcd)");
}

TEST_CASE("ps: the container column is there when there is something in it") {
  ProcessRow contained = made(7, 1, {"app"});
  contained.container = "docker 3f2a9c81d0b1";
  const auto lines = listing_lines(listing_of({made(1, 0, {"init"}), contained}));
  CHECK(lines[0].find("CONTAINER") != std::string::npos);
  CHECK(lines[1].find("  -                    init") != std::string::npos);
  CHECK(lines[2].ends_with("  docker 3f2a9c81d0b1  app"));
}

TEST_CASE("ps: what has no command line is shown by name, and what may not be seen is counted") {
  ProcessRow kernel = made(2, 0, {});
  kernel.kernel_thread = true;
  kernel.runtime = {};
  ProcessRow zombie = made(3, 1, {});
  zombie.state = 'Z';
  zombie.runtime = {};
  ProcessRow foreign = made(4, 1, {"secret"});
  foreign.runtime = {};
  foreign.not_permitted = true;
  const auto lines = listing_lines(listing_of({kernel, zombie, foreign}));
  CHECK(lines[1].ends_with("  [made]"));
  CHECK(lines[1].find("  kernel  ") != std::string::npos);
  CHECK(lines[2].ends_with("  [made] <defunct>"));
  CHECK(lines[3].find("  ?  ") != std::string::npos);
  CHECK(lines[4] == "1 process could not be inspected: missing CAP_SYS_PTRACE; run with sudo to see what it runs");
  CHECK(listing_lines(listing_of({foreign, foreign})).back() ==
        "2 processes could not be inspected: missing CAP_SYS_PTRACE; run with sudo to see what they run");
  CHECK(listing_lines(listing_of({foreign}, {.as_root = true})).back() ==
        "1 process could not be inspected: missing CAP_SYS_PTRACE");
}

TEST_CASE("ps: the tree is drawn with boxes, or in ASCII") {
  const std::vector<ProcessRow> rows = {made(1, 0, {"a"}), made(2, 1, {"b"}), made(3, 2, {"c"}), made(4, 1, {"d"})};
  auto lines = listing_lines(listing_of(rows, {.tree = true}));
  CHECK(lines[1].ends_with("2001  a"));
  CHECK(lines[2].ends_with("2001  ├─ b"));
  CHECK(lines[3].ends_with("2001  │  └─ c"));
  CHECK(lines[4].ends_with("2001  └─ d"));
  lines = listing_lines(listing_of(rows, {.tree = true, .unicode = false}));
  CHECK(lines[3].ends_with("2001  |  `- c"));
}

TEST_CASE("ps: sizes and runtimes as people write them") {
  CHECK(human_size(0) == "0");
  CHECK(human_size(999) == "999K");
  CHECK(human_size(1000) == "1.0M");
  CHECK(human_size(10'240) == "10M");
  CHECK(human_size(1'258'291) == "1.2G");
  CHECK(human_size(~0ULL) == "16384E");
  CHECK(runtime_text({}) == "?");
  CHECK(runtime_text(runtime("python", "3.11")) == "python3.11");
  CHECK(runtime_text(runtime("go", "go1.22.1")) == "go1.22.1");
  RuntimeInfo small = runtime("c++", "");
  small.is_32_bit = true;
  CHECK(runtime_text(small) == "c++/32");
}

TEST_CASE("ps: text is cut at the width of the terminal, never inside a character") {
  CHECK(cut_to_width("hello", 5, true) == "hello");
  CHECK(cut_to_width("hello!", 5, true) == "hell…");
  CHECK(cut_to_width("hello!", 5, false) == "hell+");
  CHECK(cut_to_width("äöüß", 3, true) == "äö…");
  CHECK(cut_to_width("漢字漢字", 5, true) == "漢字…");
  CHECK(cut_to_width("漢字漢字", 4, true) == "漢…");
  CHECK(cut_to_width("x", 0, true).empty());
}

TEST_CASE("ps: a process is found by number, by text in either case, and by regular expression") {
  auto child = ChildProcess::forked([] { return named_sleeper("Find-Me-77"); });
  child.wait_for_line("ready");
  CHECK(run({std::to_string(child.pid())}).out.starts_with(fmt::format("{} Find-Me-77  ", child.pid())));
  const std::string line_start = fmt::format("{}  ", child.pid());
  for (const std::string &pattern : {std::string("find-me-7"), std::string("^f[i]nd.me")}) {
    const Outcome outcome = run({pattern});
    INFO(pattern);
    CHECK(outcome.status == 0);
    CHECK(listing_lines(outcome.out).size() == 2);
    CHECK(outcome.out.find(line_start) != std::string::npos);
  }
}

TEST_CASE("ps: no match is a failure with a sentence, and JSON stays a document") {
  Outcome outcome = run({"no such [program"});
  CHECK(outcome.status == 1);
  CHECK(outcome.error == "no process matches 'no such [program'");
  CHECK(outcome.out.empty());
  outcome = run({"no such [program", "--json"});
  CHECK(outcome.status == 1);
  CHECK(nlohmann::json::parse(outcome.out)["processes"].empty());
}

TEST_CASE("ps: names with escape sequences and invalid bytes reach neither terminal nor JSON as they are") {
  auto child = ChildProcess::forked([] { return named_sleeper("\x1b]0;x\x07\xff\n"); });
  child.wait_for_line("ready");
  const std::string pid = std::to_string(child.pid());
  const std::string json = run({pid, "--json"}).out;
  CHECK(json.find('\x1b') == std::string::npos);
  const auto document = nlohmann::json::parse(json);
  CHECK(document["schema"] == "inspect.ps/1");
  CHECK(document["processes"][0]["name"].get<std::string>().find("\x1b]0;x") != std::string::npos);
  ProcessRow hostile = made(1, 0, {"a\x1b[2Jb", "c\nd"});
  hostile.user = "u\x1b[1m";
  hostile.container = "lxc \x1b[1m";
  const std::string text = listing_of({hostile});
  CHECK(text.find('\x1b') == std::string::npos);
  CHECK(listing_lines(text).size() == 2);
}

TEST_CASE("ps: JSON has every member of the contract") {
  auto child = ChildProcess::forked([] { return named_sleeper("json"); });
  child.wait_for_line("ready");
  const auto document = nlohmann::json::parse(run({std::to_string(child.pid()), "--json"}).out);
  REQUIRE(document["processes"].size() == 1);
  const auto &process = document["processes"][0];
  CHECK(process["pid"] == child.pid());
  CHECK(process["ppid"] == ::getpid());
  CHECK(process["name"] == "json");
  CHECK(process["threads"] == 1);
  CHECK(process["command"].is_array());
  CHECK(process["user"].is_string());
  CHECK(process["executable"].get<std::string>().ends_with("test_commands"));
  CHECK(process["runtime"]["kind"] == "c++");
  CHECK(process["runtime"]["stripped"] == false);
  CHECK(process["runtime"].contains("version"));
  CHECK(process["runtime"].contains("module"));
  CHECK(process["vsz_kb"] > process["rss_kb"]);
  CHECK(process["rss_kb"] > 0);
  CHECK(process["cpu_percent"].is_number());
  CHECK(process["started_at"].get<std::string>().size() == std::string("2026-01-01T00:00:00Z").size());
  CHECK(process.contains("container"));
}

TEST_CASE("ps: sorting puts the largest first") {
  const ChildProcess second({"sleep", "1000"}); // those of others may be hidden
  for (const std::string &key : std::vector<std::string>{"rss", "vsz", "threads", "cpu"}) {
    const auto document = nlohmann::json::parse(run({"--json", "--sort", key}).out);
    const std::string member = key == "rss"   ? "rss_kb"
                               : key == "vsz" ? "vsz_kb"
                               : key == "cpu" ? "cpu_percent"
                                              : "threads";
    std::vector<double> values;
    for (const auto &process : document["processes"])
      values.push_back(process[member].get<double>());
    REQUIRE(values.size() > 1);
    CHECK(std::ranges::is_sorted(values, std::ranges::greater{}));
  }
}

TEST_CASE("ps: a search by text does not find itself") {
  ChildProcess program({std::string(INSPECT_BINARY_DIRECTORY) + "/inspect", "ps", "no-one-has-this-name"});
  const std::string out = program.read_all();
  CHECK(out.empty());
  CHECK(WEXITSTATUS(program.wait()) == 1);
}

} // namespace
} // namespace inspect
