// Stacks in the words of the Go runtime, and what reads them.
#include "commands/stacks/stack_writers.h"
#include "golang/traceback/traceback_text.h"

#include "tests/support/captured_output.h"
#include "tests/support/catch.h"
#include "tests/support/report_builder.h"
#include "tests/support/run_command.h"
#include "tests/support/skip.h"
#include "tests/support/temporary_directory.h"

#include <filesystem>
#include <fmt/format.h>

namespace inspect {
namespace {

using test::run_command;

std::string traceback_of(const ProcessReport &report, const StackWriterOptions &options) {
  CapturedOutput captured;
  write_go_traceback(captured.output(), report, options);
  return captured.text();
}

/// Every form that a goroutine's text can have.
ProcessReport report_with_goroutines() {
  ProcessReport report = empty_report();
  GoReportBuilder build(report);
  ReportFrame inlined = build.frame("main.inner", 11);
  inlined.inlined = true;
  ReportFrame described = build.frame("main.(*T).outer", 12);
  build.describe_arguments(described, "w{ww}?");
  const std::uint32_t stack =
      build.add_stack({build.frame("runtime.gopark", 402), inlined, described,
                       build.frame("internal/poll.runtime_pollWait", 343), build.frame("main.Map[...]", 14)});
  GoroutineReport &first = build.add(1, stack, {0x1, 0x4c3839, 0x7, 0x2});
  first.wait_seconds = 60 * 5;
  first.locked_to_thread = true;
  first.creation = build.add_creation("runtime.rt0_go", 1);
  GoroutineReport &panics =
      build.add(18, build.add_stack({build.frame("main.cleanup", 3), build.frame("runtime.gopanic", 770),
                                     build.frame("main.fails", 4)}));
  build.go().stacks.back().frames[1].hidden_in_traceback = false;
  panics.status = GoroutineStatus::runnable;
  panics.wait_reason = {};
  panics.being_scanned = true;
  panics.creation = build.add_creation("main.main", 41);
  panics.parent_id = 1;
  GoroutineReport &running = build.add(19, build.add_stack({}));
  running.status = GoroutineStatus::running;
  running.wait_reason = {};
  running.creation = panics.creation;
  GoroutineReport &system = build.add(20, build.add_stack({build.frame("runtime.bgsweep", 9)}));
  system.system = true;
  system.wait_reason = "GC sweep wait";
  system.creation = build.add_creation("runtime.gcenable", 8);
  build.finish();
  return report;
}

TEST_CASE("goroutines have the text that the Go runtime gives them") {
  CHECK(traceback_of(report_with_goroutines(), {}) == "goroutine 1 [chan receive, 5 minutes, locked to thread]:\n"
                                                      "main.inner(...)\n"
                                                      "\t/src/svc.go:11\n"
                                                      "main.(*T).outer(0x1, {0x4c3839, 0x7}, 0x2?)\n"
                                                      "\t/src/svc.go:12 +0x59\n"
                                                      "internal/poll.runtime_pollWait()\n"
                                                      "\t/src/svc.go:343 +0x59\n"
                                                      "main.Map[...]()\n"
                                                      "\t/src/svc.go:14 +0x59\n"
                                                      "\n"
                                                      "goroutine 18 [runnable (scan)]:\n"
                                                      "main.cleanup()\n"
                                                      "\t/src/svc.go:3 +0x59\n"
                                                      "panic()\n"
                                                      "\t/go/src/runtime/proc.go:770 +0x59\n"
                                                      "main.fails()\n"
                                                      "\t/src/svc.go:4 +0x59\n"
                                                      "created by main.main in goroutine 1\n"
                                                      "\t/src/svc.go:41 +0x2c\n"
                                                      "\n"
                                                      "goroutine 19 [running]:\n"
                                                      "\tgoroutine running on other thread; stack unavailable\n"
                                                      "created by main.main\n"
                                                      "\t/src/svc.go:41 +0x2c\n");
}

TEST_CASE("what is internal to the Go runtime is in its text when asked for") {
  const std::string text = traceback_of(report_with_goroutines(), {.internal = true});
  CHECK(text.find("locked to thread]:\nruntime.gopark()\n\t/go/src/runtime/proc.go:402 +0x59\nmain.inner") !=
        std::string::npos);
  CHECK(text.ends_with("\n\ngoroutine 20 [GC sweep wait]:\n"
                       "runtime.bgsweep()\n"
                       "\t/go/src/runtime/proc.go:9 +0x59\n"
                       "created by runtime.gcenable\n"
                       "\t/src/svc.go:8 +0x2c\n"));
}

TEST_CASE("a goroutine with nothing but hidden frames shows them, as the runtime does") {
  ProcessReport report = empty_report();
  GoReportBuilder build(report);
  GoroutineReport &leaked = build.add(4, build.add_stack({build.frame("runtime.gopark", 402)}));
  leaked.status = GoroutineStatus::leaked;
  build.finish();
  CHECK(traceback_of(report, {}) == "goroutine 4 [chan receive (leaked)]:\n"
                                    "runtime.gopark()\n"
                                    "\t/go/src/runtime/proc.go:402 +0x59\n");
}

TEST_CASE("words that could not be read, and a stack that is not whole, are said in the runtime's way") {
  ProcessReport report = empty_report();
  GoReportBuilder build(report);
  ReportFrame frame = build.frame("main.f", 3);
  build.describe_arguments(frame, "w");
  build.add(4, build.add_stack({frame})).words_missing = true;
  build.go().stacks.back().end = StackEnd::unreadable_memory;
  build.finish();
  CHECK(traceback_of(report, {}) == "goroutine 4 [chan receive]:\n"
                                    "main.f(...)\n"
                                    "\t/src/svc.go:3 +0x59\n"
                                    "...additional frames elided...\n");
}

TEST_CASE("C frames of a goroutine, and the runtime's threads, are internal, other threads are not") {
  ProcessReport report = empty_report();
  add_thread(report, 4252, 'S', {{"runtime.futex", 0}, {"runtime.mstart", 0}});
  add_thread(report, 4253, 'S', {{"__poll", 0}, {"rocksdb::work(int)", 12}});
  add_thread(report, 4254, 'R', {{"main.main", 12}}).goroutine = 4;
  GoReportBuilder build(report);
  build.add(4, build.add_stack({make_frame(report, "sleep", 0), build.frame("runtime.cgocall", 157),
                                build.frame("main.main", 12)}));
  build.finish();
  const std::string goroutine = "main.main()\n\t/src/svc.go:12 +0x59\n";
  const std::string thread = "goroutine 4253 [sleeping, thread worker]:\n"
                             "__poll in libc.so.6(...)\n"
                             "\t??:0 +0x2a\n"
                             "rocksdb::work(int) in server.cpp(...)\n"
                             "\t??:12 +0x2a\n";
  CHECK(traceback_of(report, {}) == "goroutine 4 [chan receive]:\n" + goroutine + "\n" + thread);
  CHECK(traceback_of(report, {.goroutines_only = true}) == "goroutine 4 [chan receive]:\n" + goroutine);
  CHECK(traceback_of(report, {.internal = true}) == "goroutine 4 [chan receive]:\n"
                                                    "sleep in libc.so.6(...)\n"
                                                    "\t??:0 +0x2a\n"
                                                    "runtime.cgocall()\n"
                                                    "\t/go/src/runtime/proc.go:157 +0x59\n" +
                                                        goroutine +
                                                        "\n"
                                                        "goroutine 4252 [sleeping, thread worker]:\n"
                                                        "runtime.futex in libc.so.6(...)\n"
                                                        "\t??:0 +0x2a\n"
                                                        "runtime.mstart in libc.so.6(...)\n"
                                                        "\t??:0 +0x2a\n"
                                                        "\n" +
                                                        thread);
}

/// Names that could end a line's parts early.
ProcessReport report_with_native_threads() {
  ProcessReport report = empty_report();
  add_thread(report, 11, 'S',
             {{"std::map<int, std::pair<int, int> >::operator[](int const&)", 1},
              {"Path::operator/(Path const&) const", 2},
              {"operator%(Big, Big)", 3},
              {"", 0}})
      .name = "a], b [c]";
  add_thread(report, 12, 'R', {{"main", 0}}).frames[0].file = report.texts->intern("/src/main.c");
  add_thread(report, 13, 'D', {});
  return report;
}

TEST_CASE("threads have the shape of goroutines") {
  CHECK(traceback_of(report_with_native_threads(), {}) ==
        "goroutine 11 [sleeping, thread a__ b _c_]:\n"
        "std::map<int, std::pair<int, int> >::operator[](int const&) in server.cpp(...)\n"
        "\t??:1 +0x2a\n"
        "Path::operator∕(Path const&) const in server.cpp(...)\n"
        "\t??:2 +0x2a\n"
        "operator٪(Big, Big) in server.cpp(...)\n"
        "\t??:3 +0x2a\n"
        "0x401000 in libc.so.6(...)\n"
        "\t??:0 +0x2a\n"
        "\n"
        "goroutine 12 [running, thread worker]:\n"
        "main(...)\n"
        "\t/src/main.c:0 +0x2a\n"
        "\n"
        "goroutine 13 [sleeping, thread worker]:\n"
        "\tgoroutine running on other thread; stack unavailable\n");
}

TEST_CASE("the runtime's text is read back as what it was written from") {
  const std::vector<Traceback> all = parse_tracebacks(traceback_of(report_with_goroutines(), {}));
  REQUIRE(all.size() == 1);
  REQUIRE(all[0].goroutines.size() == 3);
  const TracebackGoroutine &first = all[0].goroutines[0];
  CHECK(first.id == 1);
  CHECK(first.status == "chan receive");
  CHECK(first.wait_minutes == 5);
  CHECK(first.locked_to_thread);
  REQUIRE(first.frames.size() == 4);
  CHECK(first.frames[1].function == "main.(*T).outer");
  CHECK(first.frames[1].words == std::vector<std::uint64_t>{0x1, 0x4c3839, 0x7, 0x2});
  CHECK(first.frames[1].offset == 0x59);
  CHECK(all[0].goroutines[1].created_in == 1);
  CHECK(all[0].goroutines[2].stack_unavailable);
  REQUIRE(parse_tracebacks(traceback_of(report_with_native_threads(), {})).size() == 1);
}

/// The program, built once below the build directory; empty where it is not to be had.
std::string panicparse() {
  const std::string folder = INSPECT_BINARY_DIRECTORY "/../panicparse";
  const std::string program = folder + "/panicparse";
  if (std::filesystem::exists(program))
    return program;
  if (!test::have_program("go"))
    return {};
  run_command({"timeout", "90", "env", "GOBIN=" + folder, "GOFLAGS=-mod=mod", "go", "install",
               "github.com/maruel/panicparse/v2@v2.5.0"});
  return std::filesystem::exists(program) ? program : std::string();
}

TEST_CASE("panicparse reads the goroutines and the threads of every report") {
  const std::string program = panicparse();
  if (program.empty())
    SKIP_TEST("panicparse is neither built nor to be had from the Go module proxy");
  const test::TemporaryDirectory folder;
  const auto parsed = [&](const ProcessReport &report, const StackWriterOptions &options) {
    const std::string text = folder.write("dump.txt", traceback_of(report, options));
    const test::CommandResult result = run_command({program, "-no-color", text});
    CHECK(result.status == 0);
    CHECK(result.err.find("Failed") == std::string::npos);
    return result.out;
  };
  const std::string goroutines = parsed(report_with_goroutines(), {});
  CHECK(goroutines.find("1: chan receive [5 minutes] [locked]") != std::string::npos);
  CHECK(goroutines.find("1: runnable (scan)") != std::string::npos);
  CHECK(goroutines.find("1: running") != std::string::npos);
  CHECK(goroutines.find("svc.go:12") != std::string::npos);
  CHECK(parsed(report_with_goroutines(), {.internal = true}).find("GC sweep wait") != std::string::npos);
  const std::string threads = parsed(report_with_native_threads(), {});
  CHECK(threads.find("1: running") != std::string::npos);
  CHECK(threads.find("operator[]") != std::string::npos);
  CHECK(threads.find("operator٪") != std::string::npos);
}

} // namespace
} // namespace inspect
