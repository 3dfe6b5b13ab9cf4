// `mem` as users and programs get it: the screen, its JSON, what changed since, and what is said of bad input.
#include "commands/memory/memory_writers.h"
#include "tests/commands/json_schema.h"
#include "tests/support/captured_output.h"
#include "tests/support/catch.h"
#include "tests/support/child_process.h"
#include "tests/support/go_toolchain.h"
#include "tests/support/run_command.h"
#include "tests/support/skip.h"
#include "tests/support/temporary_directory.h"

#include <algorithm>
#include <fmt/format.h>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>
#include <unistd.h>

namespace inspect::test {
namespace {

using Catch::Matchers::Contains;
using Json = nlohmann::json;

constexpr std::uint64_t mb = 1ULL << 20U;

void check_conforms(const Json &document) {
  std::ifstream file(INSPECT_SOURCE_DIRECTORY "/docs/schemas/inspect.mem.1.json");
  static const Json schema = Json::parse(file);
  for (const std::string &error : schema_errors(schema, document))
    FAIL_CHECK(error);
}

KindUsage usage(MappingKind kind, std::uint64_t reserved, std::uint64_t resident) {
  KindUsage one{.kind = kind, .mappings = 1, .amounts = {}};
  one.amounts.reserved = reserved;
  one.amounts.resident = one.amounts.proportional = one.amounts.private_dirty = resident;
  return one;
}

/// A Go service that was looked at; `more` is what its heap has grown by.
MemoryReport service(std::uint64_t more = 0) {
  MemoryReport report;
  report.process = 4251;
  report.command = "svc\x1b[2J"; // what a hostile program calls itself
  report.executable = "/opt/svc";
  report.runtime.language = "go";
  report.runtime.version = "go1.22.1";
  report.taken_at = 1'760'000'000'000 + static_cast<std::int64_t>(more / mb) * 1000;
  report.start_ticks = 17;
  report.thread_count = 9;
  report.measured = true;
  report.mapping_count = 2;
  report.kinds = {usage(MappingKind::go_heap, 256 * mb, 64 * mb + more),
                  usage(MappingKind::program_text, 8 * mb, 4 * mb)};
  for (const KindUsage &one : report.kinds)
    report.total += one.amounts;
  report.status.page_tables = 80 * 1024;
  GoMemoryStatistics go;
  go.heap_inuse = 40 * mb + more;
  go.heap_objects = 12'345;
  go.goroutines = 52;
  go.num_gc = 7;
  go.gogc = 100;
  go.recent_pauses_ns = {85'000};
  report.go = go;
  MallocStatistics readers;
  readers.version = "2.36";
  readers.arenas.resize(1);
  readers.arenas[0].is_main = true;
  readers.totals.arena = 12 * mb;
  readers.totals.uordblks = 8 * mb;
  readers.totals.fordblks = 4 * mb;
  readers.totals.keepcost = mb;
  readers.totals.ordblks = 30;
  readers.totals.smblks = 2;
  report.malloc_statistics = readers;
  report.findings = {
      {.id = "go-stacks", .sentence = "RSS 68 MB × 1", .see = "stacks", .bytes = 5, .figures = {{"rss", 5}}}};
  ControlGroupMemory group;
  group.version = 2;
  group.path = "/svc";
  group.current = 512 * mb;
  group.limit = 1024 * mb;
  group.limits = {{"/svc", 1024 * mb, 512 * mb}};
  group.events = {{"oom_kill", 2}};
  report.cgroup = group;
  return report;
}

std::string screen(const MemoryReport &report, bool unicode) {
  CapturedOutput captured;
  write_memory_text(captured.output(), report, {.unicode = unicode});
  return captured.text();
}

TEST_CASE("the screen of mem shows totals, kinds with bars, the allocators' statistics and findings") {
  const std::string expected = R"(process 4251 (svc\x1b[2J)  go1.22.1  /opt/svc
VSZ    264 MB  address space in 2 mappings
RSS     68 MB
PSS     68 MB  fair share: of a page that n processes map, each has 1/n
USS     68 MB  its own alone, and free once it ends
9 threads, page tables 80 kB
cgroup /svc: 512 MB of 1.0 GB (50 %), 512 MB until the OOM killer, 2 OOM kills

KIND          RESERVED  RESIDENT  PROPORTIONAL
Go heap         256 MB     64 MB         64 MB  ###################
program text    8.0 MB    4.0 MB        4.0 MB  #
total           264 MB     68 MB         68 MB

Go memory statistics (runtime.MemStats)
  HeapInuse         40 MB   HeapObjects      12,345
  NumGC 7, pauses 85.0 us, GOGC 100, 52 goroutines

malloc statistics (glibc 2.36)
  12 MB from the system in 1 arena: 8.0 MB in use, 4.0 MB free (of which 1.0 MB at the top) in 32
  chunks

findings
  * RSS 68 MB x 1.
    see: stacks
)";
  CHECK(screen(service(), false) == expected);
  const std::string unicode = screen(service(), true);
  CHECK_THAT(unicode, Contains("██████████████████▉") && Contains("85.0 µs") && Contains("68 MB × 1"));

  MemoryReport elsewhere = service(); // another allocator took the place of glibc's, which then has nothing
  elsewhere.malloc_statistics->totals = {};
  elsewhere.other_allocators = {{"jemalloc", "/lib/libjemalloc.so.2"}};
  CHECK_THAT(screen(elsewhere, false),
             !Contains("malloc statistics") && Contains("allocator jemalloc (/lib/libjemalloc.so.2)"));

  MemoryReport closed = service();
  closed.measured = false;
  closed.why_not_measured = "this kernel has no smaps";
  closed.findings.clear();
  CHECK_THAT(screen(closed, false), Contains("Go heap         256 MB  ###################\n") &&
                                        Contains("only address space is known: this kernel has no smaps") &&
                                        Contains("no findings") && !Contains("PSS"));
}

MemoryDifference difference_of(const MemoryReport &earlier, const MemoryReport &later) {
  const auto difference = compare_memory(figures_of(earlier), figures_of(later));
  REQUIRE(difference.has_value());
  return *difference;
}

std::string change_text(const MemoryReport &earlier, const MemoryReport &later) {
  CapturedOutput captured;
  write_memory_difference_text(captured.output(), difference_of(earlier, later), {.unicode = false});
  const std::string text = captured.text();
  return text.substr(text.find('\n') + 1); // the first line has the time here
}

TEST_CASE("a difference shows what grew, most first, and what that says") {
  MemoryReport later = service(120 * mb);
  later.kinds.push_back(usage(MappingKind::thread_stack, 8 * mb, mb));
  later.kinds[1].amounts.resident -= 2 * mb;
  CHECK(change_text(service(), later) == R"(KIND          RESERVED  RESIDENT  PROPORTIONAL  RESIDENT NOW
Go heap              -   +120 MB       +120 MB        184 MB
thread stack   +8.0 MB   +1.0 MB       +1.0 MB        1.0 MB
program text         -   -2.0 MB             -        2.0 MB
total          +8.0 MB   +119 MB       +121 MB        187 MB
process: USS +120 MB (now 188 MB)
Go: HeapInuse +120 MB (now 160 MB)
  * Heap in use grew by 120 MB (from 40 MB to 160 MB) while goroutines did not (52, now 52).
    see: go tool pprof -base on two heap profiles says which function keeps it
)");
  CHECK(change_text(service(), service()) == "nothing has changed\n");
  CHECK(change_text(later, service()).find("Heap in use grew") == std::string::npos);
  CHECK_THAT(change_text(later, service()), Contains("Go heap              -   -120 MB"));

  later = service(120 * mb);
  later.go->goroutines = 94'000;
  CHECK(difference_of(service(), later).findings.empty()); // it grows with its work
  later.go->stack_inuse = 300 * mb;
  MemoryReport earlier = service();
  earlier.go->stack_inuse = 4 * mb;
  REQUIRE(difference_of(earlier, later).findings.size() == 1);
  CHECK(difference_of(earlier, later).findings[0].sentence ==
        "93,948 goroutines more than before (52, now 94,000), and 296 MB more of stacks");
  later.malloc_statistics->totals.uordblks = 64 * mb;
  CHECK(difference_of(earlier, later).findings.back().id == "malloc-growth");
}

std::string json_text(const MemoryReport &report, const MemoryDifference *difference = nullptr) {
  CapturedOutput captured;
  write_memory_json(captured.output(), report, difference, false);
  check_conforms(Json::parse(captured.text()));
  return captured.text();
}

TEST_CASE("what mem writes as JSON it reads again, figure by figure") {
  const MemoryReport report = service();
  const auto figures = read_memory_json(json_text(report), "before.json");
  REQUIRE(figures.has_value());
  const auto difference = compare_memory(*figures, figures_of(report));
  REQUIRE(difference.has_value());
  CHECK(difference->empty());
  CHECK(figures->go.size() == figures_of(report).go.size());
  CHECK(figures->totals.size() == figures_of(report).totals.size());
  CHECK(figures->malloc_figures.size() == figures_of(report).malloc_figures.size());
  REQUIRE(figures->kinds.size() == 2);
  CHECK(figures->kinds[0].amounts == report.kinds[0].amounts);

  const auto grown = compare_memory(*figures, figures_of(service(50 * mb)));
  const Json document = Json::parse(json_text(service(50 * mb), &*grown));
  CHECK(document["difference"]["kinds"][0]["resident"] == 50 * mb);
  CHECK(document["difference"]["go"] == Json({{"heap_inuse", 50 * mb}}));
  CHECK(document["difference"]["since_ms"] == report.taken_at);
  CHECK(document["findings"][0]["figures"]["rss"] == 5);
}

TEST_CASE("what is not an earlier output of mem is refused in a sentence") {
  const std::string good = json_text(service());
  const auto without = [&](const std::string &part, const std::string &instead) {
    std::string text = good;
    const auto at = text.find(part);
    REQUIRE(at != std::string::npos);
    return text.replace(at, part.size(), instead);
  };
  const std::vector<std::pair<std::string, std::string>> rows = {
      {"", "it is empty"},
      {"hello", "it is not JSON, or truncated"},
      {good.substr(0, good.size() / 2), "it is not JSON, or truncated"},
      {std::string(100'000, '['), "it is not JSON, or truncated"},
      {std::string("\0\0{}", 4), "it is not JSON"},
      {"{}", "it has no schema"},
      {"[1, 2]", "it has no schema"},
      {R"({"schema": 7})", "it has no schema"},
      {R"({"schema": "inspect.ps/1", "processes": []})", "its schema is 'inspect.ps/1'"},
      {R"({"schema": "inspect.mem/1"})", "members are missing"},
      {without("\"pid\": 4251", "\"pid\": -1e300"), "members are missing"},
      {without("\"pid\": 4251", "\"pid\": 99999999999"), "members are missing"},
      {without("\"taken_at_ms\": ", "\"taken_at_ms\": 99999999999999"), "members are missing"},
      {without("\"kinds\": [", "\"kinds\": [7, "), "its kinds are not those"},
      {without("\"kind\": \"program_text\"", "\"kind\": \"go_heap\""), "its kinds are not those"},
      {without("\"reserved\": 268435456", "\"reserved\": -5"), "its kinds are not those"},
  };
  for (const auto &[text, expected] : rows) {
    INFO(text.substr(0, 60));
    const auto figures = read_memory_json(text, "FILE");
    REQUIRE_FALSE(figures.has_value());
    CHECK(figures.error().kind() == ErrorKind::corrupt);
    CHECK_THAT(figures.error().message(),
               Contains("FILE is not an earlier output of mem --json: ") && Contains(expected));
  }
  // Every byte of it may be another.
  for (std::size_t at = 0; at < good.size(); at += 7) {
    std::string text = good;
    text[at] = static_cast<char>(text[at] ^ 0x15);
    if (const auto figures = read_memory_json(text, "FILE"); figures && figures->process == 4251)
      static_cast<void>(compare_memory(*figures, figures_of(service())));
  }
  // What a later version adds is passed over, and so is a kind that it knows.
  CHECK(read_memory_json(without("\"kind\": \"program_text\"", "\"kind\": \"gpu\""), "FILE").has_value());
  CHECK(read_memory_json(good + good, "FILE").has_value());

  MemoryReport other = service();
  other.process = 7;
  const auto of_other = compare_memory(figures_of(other), figures_of(service()));
  REQUIRE_FALSE(of_other.has_value());
  CHECK_THAT(of_other.error().message(), Contains("one at process 7") && Contains("not at process 4251"));
  other = service();
  other.start_ticks = 1;
  CHECK_THAT(compare_memory(figures_of(other), figures_of(service())).error().message(), Contains("another process"));
}

std::vector<Json> documents_in(const std::string &text) {
  std::vector<Json> documents;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);)
    documents.push_back(Json::parse(line));
  return documents;
}

TEST_CASE("mem of a live process: screen, JSON, looks that follow each other, and since a file") {
  ChildProcess child({fixture_path("memory_kinds")});
  child.wait_for_line();
  const std::string process = std::to_string(child.pid());
  const CommandResult text = run_inspect({"mem", process});
  INFO(text.out << text.err);
  CHECK(text.status == 0);
  CHECK_THAT(text.out,
             Contains("VSZ") && Contains("KIND") && Contains("malloc statistics") && Contains("thread stack"));
  CHECK(std::ranges::count(text.out, '\n') <= 45);

  const CommandResult json = run_inspect({"mem", process, "--json"});
  REQUIRE(json.status == 0);
  const Json document = Json::parse(json.out);
  check_conforms(document);
  std::uint64_t reserved = 0;
  for (const Json &kind : document["kinds"])
    reserved += kind["reserved"].get<std::uint64_t>();
  CHECK(reserved == document["totals"]["vsz"]);
  CHECK(document["malloc"].is_object());
  CHECK(document["pause_us"] > 0);

  const TemporaryDirectory directory;
  const std::string file = directory / "before.json";
  std::ofstream(file) << json.out;
  const CommandResult since = run_inspect({"mem", process, "--since", file, "--no-stop"});
  CHECK(since.status == 0);
  CHECK_THAT(since.out, Contains("since 20"));
  CHECK(since.out.find("process " + process + " (") == std::string::npos);

  const CommandResult watched =
      run_inspect({"mem", process, "--watch", "0.1", "--count", "3", "--json", "--since", file});
  REQUIRE(watched.status == 0);
  const std::vector<Json> looks = documents_in(watched.out);
  REQUIRE(looks.size() == 3);
  for (const Json &look : looks)
    check_conforms(look);
  CHECK(looks[0]["difference"]["since_ms"] == document["taken_at_ms"]);
  CHECK(looks[2]["difference"]["since_ms"] == looks[1]["taken_at_ms"]);

  const CommandResult session =
      run_inspect({"attach", process, "-e", "mem --no-stop", "-e", "stop", "-e", "mem", "-e", "mem 1"});
  CHECK(session.status == 1);
  CHECK_THAT(session.out, Contains("malloc statistics"));
  CHECK_THAT(session.err, Contains("one argument too many for mem"));
}

TEST_CASE("mem --watch ends well when its process does") {
  ChildProcess child({fixture_path("memory_kinds")});
  child.wait_for_line();
  ChildProcess watch({INSPECT_BINARY_DIRECTORY "/inspect", "mem", std::to_string(child.pid()), "--watch", "0.1"});
  std::string line = watch.read_line();
  while (!line.starts_with("since "))
    line = watch.read_line();
  child.close_stdin();
  child.wait();
  std::string rest = watch.read_all();
  CHECK_THAT(rest, Contains("has ended") || Contains("no process") || Contains("no such process"));
  CHECK(watch.wait() == 0);
}

TEST_CASE("the JSON of a Go process has the names of runtime.MemStats") {
  const std::vector<GoToolchain> toolchains = go_toolchains();
  if (toolchains.empty())
    SKIP_TEST("no Go toolchain of 1.16 or later is installed");
  ChildProcess child({build_go(toolchains.back(), "memory_stacks"), "100"});
  REQUIRE(child.read_line().starts_with("ready"));
  const CommandResult json = run_inspect({"mem", std::to_string(child.pid()), "--json"});
  REQUIRE(json.status == 0);
  const Json document = Json::parse(json.out);
  check_conforms(document);
  CHECK(document["runtime"]["kind"] == "go");
  CHECK(document["runtime"]["version"] == toolchains.back().version);
  CHECK(document["go"]["goroutines"] >= 100);
  CHECK(document["go"]["heap_sys"] >= document["go"]["heap_inuse"]);
  CHECK(document["go"]["stack_inuse"] >= 100 * 8192);
}

TEST_CASE("mem refuses what is invalid, each with its exit status") {
  const TemporaryDirectory directory;
  const std::string wrong = directory / "wrong.json";
  std::ofstream(wrong) << R"({"schema": "inspect.ps/1"})";
  const std::string self = std::to_string(::getpid());
  struct Row {
    std::vector<std::string> arguments;
    int status;
    std::string said;
  };
  const std::vector<Row> rows = {
      {{"mem"}, 2, "PID"},
      {{"mem", "x"}, 2, "PID"},
      {{"mem", "2147483647"}, 3, "2147483647"},
      {{"mem", self, "--count", "3"}, 2, "--count goes with --watch"},
      {{"mem", self, "--watch", "0"}, 2, "--watch takes seconds"},
      {{"mem", self, "--watch", "nan"}, 2, "--watch takes seconds"},
      {{"mem", self, "--watch", "1", "--count", "0"}, 2, "--count must be a positive number"},
      {{"mem", self, "--since", wrong}, 1, "its schema is 'inspect.ps/1'"},
      {{"mem", self, "--since", directory / "none.json"}, 1, "none.json"},
      {{"mem", self, "--since", directory.path()}, 1, "directory"},
  };
  for (const Row &row : rows) {
    const CommandResult result = run_inspect(row.arguments);
    INFO(fmt::format("{}", fmt::join(row.arguments, " ")) << "\n" << result.err);
    CHECK(result.status == row.status);
    CHECK_THAT(result.err, Contains(row.said, Catch::CaseSensitive::No));
  }
}

TEST_CASE("of another user's process mem shows what the kernel shows to everybody, and what is missing") {
  const std::string program = INSPECT_BINARY_DIRECTORY "/inspect";
  const std::vector<std::string> nobody = {"setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", program};
  const auto run = [&](std::vector<std::string> arguments) {
    std::vector<std::string> words = nobody;
    words.insert(words.end(), arguments.begin(), arguments.end());
    return run_command(words);
  };
  if (::geteuid() != 0 || run({"--version"}).status != 0)
    SKIP_TEST("this needs root, setpriv, and a build that the user nobody may run");
  ChildProcess child({fixture_path("memory_kinds")});
  child.wait_for_line();
  const CommandResult text = run({"mem", std::to_string(child.pid())});
  INFO(text.out << text.err);
  CHECK(text.status == 4);
  CHECK_THAT(text.out, Contains("VSZ") && Contains("RSS") && !Contains("KIND"));
  CHECK_THAT(text.err, Contains("try: "));
  const CommandResult json = run({"mem", std::to_string(child.pid()), "--json"});
  CHECK(json.status == 4);
  const Json document = Json::parse(json.out);
  check_conforms(document);
  CHECK(document["mappings"].is_null());
  CHECK(document["totals"]["vsz"] > 0);
}

} // namespace
} // namespace inspect::test
