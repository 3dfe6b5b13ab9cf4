// Profiles, as pprof itself reads them.
#include "commands/stacks/pprof_profile.h"
#include "commands/stacks/protobuf.h"

#include "tests/support/captured_output.h"
#include "tests/support/catch.h"
#include "tests/support/child_process.h"
#include "tests/support/report_builder.h"
#include "tests/support/run_command.h"
#include "tests/support/skip.h"
#include "tests/support/temporary_directory.h"

#include <fmt/format.h>

namespace inspect {
namespace {

using test::run_command;

std::string profile_of(const ProcessReport &report, const StackWriterOptions &options) {
  CapturedOutput captured;
  write_pprof_profile(captured.output(), report, options);
  return captured.text();
}

ProcessReport profiled_process() {
  ProcessReport report = empty_report();
  report.taken_at = std::chrono::system_clock::time_point(std::chrono::seconds(1'700'000'000));
  report.mappings = {{{RunAddress{0x400000}, RunAddress{0x500000}}, FileOffset{0x1000}, "/usr/bin/server", "abc123"},
                     {{RunAddress{0x7f0000000000}, RunAddress{0x7f0000001000}}, FileOffset{0}, "", ""}};
  return report;
}

void add_goroutines(GoReportBuilder &build, std::size_t count) {
  ReportFrame inlined = build.frame("main.inner", 11);
  ReportFrame outer = build.frame("main.outer", 12);
  inlined.inlined = true;
  outer.pc = inlined.pc = RunAddress{0x401100};
  const std::uint32_t stack = build.add_stack({build.frame("runtime.gopark", 402), inlined, outer});
  const std::uint32_t labels = build.add_labels({{"queue", "mail"}});
  for (std::size_t i = 0; i < count; ++i)
    build.add(i + 1, stack).labels = i == 0 ? labels : 0;
  build.add(count + 1, build.add_stack({build.frame("runtime.bgsweep", 9)})).system = true;
}

ProcessReport go_process_with(std::size_t count) {
  ProcessReport report = profiled_process();
  GoReportBuilder build(report);
  add_goroutines(build, count);
  build.finish();
  return report;
}

std::string pprof(const std::vector<std::string> &words) {
  std::vector<std::string> command = {"go", "tool", "pprof"};
  command.insert(command.end(), words.begin(), words.end());
  const test::CommandResult result = run_command(command);
  CHECK(result.status == 0);
  return result.out;
}

bool contains(const std::string &text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

TEST_CASE("pprof reads a profile of goroutines: samples, labels, inlined calls, mappings") {
  if (!test::have_program("go"))
    SKIP_TEST("go is not installed");
  const test::TemporaryDirectory folder;
  const std::string file = folder.write("goroutines.pb.gz", profile_of(go_process_with(3), {}));
  const std::string raw = pprof({"-raw", file});
  CHECK(contains(raw, "PeriodType: goroutine count"));
  CHECK(contains(raw, "Period: 1"));
  CHECK(contains(raw, "Time: 2023-11-14"));
  CHECK(contains(raw, "goroutine/count"));
  CHECK(contains(raw, "queue:[mail]"));
  CHECK(contains(raw, "0x4010ff M=1 main.inner /src/svc.go:11")); // the call, not where it returns to
  CHECK(contains(raw, "main.outer /src/svc.go:12"));
  CHECK(contains(raw, "1: 0x400000/0x500000/0x1000 /usr/bin/server abc123 [FN][FL][LN][IN]"));
  CHECK_FALSE(contains(raw, "bgsweep"));
  const std::string top = pprof({"-top", file});
  CHECK(contains(top, "Type: goroutine"));
  CHECK(contains(top, "of 3 total"));
  CHECK(contains(top, "main.inner (inline)"));
  CHECK(contains(pprof({"-traces", file}), "         2   runtime.gopark\n             main.inner (inline)\n"
                                           "             main.outer"));
  CHECK(contains(pprof({"-raw", folder.write("all.pb.gz", profile_of(go_process_with(3), {.internal = true}))}),
                 "runtime.bgsweep"));
}

TEST_CASE("pprof tells the difference of two profiles") {
  if (!test::have_program("go"))
    SKIP_TEST("go is not installed");
  const test::TemporaryDirectory folder;
  const std::string before = folder.write("before.pb.gz", profile_of(go_process_with(3), {}));
  const std::string after = folder.write("after.pb.gz", profile_of(go_process_with(12), {}));
  CHECK(contains(pprof({"-top", "-base", before, after}), "of 9 total"));
}

TEST_CASE("pprof reads a profile of the threads of a process without goroutines") {
  if (!test::have_program("go"))
    SKIP_TEST("go is not installed");
  ProcessReport report = profiled_process();
  add_thread(report, 1, 'S', {{"__poll", 0}, {"work(int)", 12}}).name = "billing";
  add_thread(report, 2, 'S', {{"__poll", 0}, {"work(int)", 12}}).name = "billing";
  add_thread(report, 3, 'S', {{"__poll", 0}, {"work(int)", 12}}).name = "mail";
  const test::TemporaryDirectory folder;
  const std::string file = folder.write("threads.pb.gz", profile_of(report, {}));
  const std::string raw = pprof({"-raw", file});
  CHECK(contains(raw, "thread/count"));
  CHECK(contains(raw, "          2: 1 2 \n                thread:[billing]"));
  CHECK(contains(raw, "          1: 1 2 \n                thread:[mail]"));
  CHECK(contains(pprof({"-top", file}), "of 3 total"));
}

TEST_CASE("pprof reads the profile of a live process") {
  if (!test::have_program("go"))
    SKIP_TEST("go is not installed");
  test::ChildProcess service({test::fixture_path("demo_service")});
  service.wait_for_line("ready");
  const test::TemporaryDirectory folder;
  const std::string file = folder / "service.pb.gz";
  CHECK(test::run_inspect({"stacks", std::to_string(service.pid()), "--format", "pprof", "-o", file}).status == 0);
  const std::string top = pprof({"-top", file});
  CHECK(contains(top, "File: demo_service"));
  CHECK(contains(top, "of 19 total"));
  CHECK(contains(pprof({"-list", "demo::run_worker", file}), "demo_service.cpp"));
}

TEST_CASE("a profile is of one process") {
  const test::CommandResult result = test::run_inspect({"stacks", "1", "2", "--format", "pprof"});
  CHECK(result.status == 2);
  CHECK(result.out.empty());
  CHECK(contains(result.err, "a profile holds one process"));
}

TEST_CASE("protocol buffers are encoded as documented") {
  ProtobufMessage message;
  message.number(1, 150);
  message.number(2, 0);
  message.text(3, "ab");
  message.packed(4, std::vector<std::uint64_t>{1, 300});
  CHECK(message.bytes() == std::string("\x08\x96\x01\x1a\x02"
                                       "ab\x22\x03\x01\xac\x02",
                                       12));
}

} // namespace
} // namespace inspect
