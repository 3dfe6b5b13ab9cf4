// Goroutines as `stacks` prints them human-readable.
#include "commands/stacks/goroutine_text.h"

#include "tests/support/captured_output.h"
#include "tests/support/catch.h"
#include "tests/support/report_builder.h"

namespace inspect {
namespace {

std::string text_of(const GoReport &report, const StackWriterOptions &options) {
  CapturedOutput captured;
  write_goroutines(captured.output(), report, options);
  return captured.text();
}

TEST_CASE("a leak is one block") {
  ProcessReport process = empty_report();
  GoReportBuilder build(process);
  const std::uint32_t stack = build.add_stack(
      {build.frame("runtime.gopark", 402), build.frame("main.worker", 12), build.frame("runtime.goexit", 1700)});
  const std::uint32_t creation = build.add_creation("main.handle", 41);
  for (std::uint64_t id = 17; id < 17 + 9412; ++id) {
    GoroutineReport &goroutine = build.add(id, stack);
    goroutine.creation = creation;
    goroutine.parent_id = 7;
    goroutine.wait_seconds = 60 * 61;
  }
  CHECK(
      text_of(build.go(), {}) ==
      "9,412 goroutines: 9,412 chan receive\n"
      "\n"
      "9,412 goroutines, at least 61 minutes in chan receive, created by main.handle in goroutine 7 at /src/svc.go:41\n"
      "    ids 17-9428\n"
      "    #1  main.worker at /src/svc.go:12\n"
      "\n");
}

TEST_CASE("one goroutine has its state, thread and creation") {
  ProcessReport process = empty_report();
  GoReportBuilder build(process);
  GoroutineReport &goroutine = build.add(17, build.add_stack({build.frame("main.Map[...]", 12)}));
  goroutine.wait_seconds = 60 * 5;
  goroutine.locked_to_thread = true;
  goroutine.thread = 4251;
  goroutine.creation = build.add_creation("main.handle", 41);
  goroutine.parent_id = 1;
  goroutine.labels = build.add_labels({{"request", "a\x1b"}, {"user", "b"}});
  CHECK(text_of(build.go(), {}) == "1 goroutine: 1 chan receive\n"
                                   "\n"
                                   "goroutine 17 [chan receive, at least 5 minutes, locked to thread, thread 4251]\n"
                                   "    labels request: a\\x1b, user: b\n"
                                   "    #0  main.Map[...] at /src/svc.go:12\n"
                                   "    created by main.handle in goroutine 1 at /src/svc.go:41\n"
                                   "\n");
}

TEST_CASE("what differs within a group is said: waits, threads, labels, parents") {
  ProcessReport process = empty_report();
  GoReportBuilder build(process);
  const std::uint32_t stack = build.add_stack({build.frame("main.worker", 12)});
  const std::uint32_t labels = build.add_labels({{"queue", "mail"}});
  const std::uint32_t creation = build.add_creation("main.handle", 41);
  for (const std::uint64_t id : {2, 3, 5}) {
    GoroutineReport &goroutine = build.add(id, stack);
    goroutine.creation = creation;
    goroutine.parent_id = id == 5 ? 2 : 1;
    goroutine.wait_seconds = 60 * static_cast<std::int64_t>(id);
    goroutine.labels = id == 5 ? 0 : labels;
    goroutine.thread = id == 3 ? 4253 : 0;
    goroutine.locked_to_thread = id == 3;
  }
  CHECK(text_of(build.go(), {}) ==
        "3 goroutines: 3 chan receive\n"
        "\n"
        "3 goroutines, at least 2 to 5 minutes in chan receive, created by main.handle at /src/svc.go:41\n"
        "    ids 2-3 5\n"
        "    on thread 4253\n"
        "    1 locked to its thread\n"
        "        2 × labels queue: mail\n"
        "        1 × without labels\n"
        "    #0  main.worker at /src/svc.go:12\n"
        "\n");
}

TEST_CASE("a wait is in the heading as far as it is known") {
  ProcessReport process = empty_report();
  GoReportBuilder build(process);
  const auto heading = [&](std::optional<std::int64_t> shorter, std::optional<std::int64_t> longer) {
    build.go() = {};
    const std::uint32_t stack = build.add_stack({build.frame("main.worker", 12)});
    const auto seconds = [](std::optional<std::int64_t> minutes) {
      return minutes ? std::optional(60 * *minutes) : std::nullopt;
    };
    build.add(2, stack).wait_seconds = seconds(shorter);
    build.add(3, stack).wait_seconds = seconds(longer);
    const std::string text = text_of(build.go(), {});
    const std::size_t begin = text.find("\n\n") + 2;
    return text.substr(begin, text.find('\n', begin) - begin);
  };
  CHECK(heading(std::nullopt, std::nullopt) == "2 goroutines, in chan receive");
  CHECK(heading(0, 0) == "2 goroutines, in chan receive");
  CHECK(heading(0, 1) == "2 goroutines, up to at least 1 minute in chan receive");
  CHECK(heading(std::nullopt, 3) == "2 goroutines, up to at least 3 minutes in chan receive");
  CHECK(heading(2, 1500) == "2 goroutines, at least 2 to 1,500 minutes in chan receive");
}

TEST_CASE("the runtime's own goroutines and frames are a summary unless they are asked for") {
  ProcessReport process = empty_report();
  GoReportBuilder build(process);
  build.add(1, build.add_stack({build.frame("runtime.gopark", 402), build.frame("main.main", 12)}));
  for (const std::uint64_t id : {2, 3}) {
    GoroutineReport &system = build.add(id, build.add_stack({build.frame("runtime.bgsweep", 9)}));
    system.system = true;
    system.wait_reason = "GC sweep wait";
  }
  CHECK(text_of(build.go(), {}) == "1 goroutine: 1 chan receive\n"
                                   "\n"
                                   "goroutine 1 [chan receive]\n"
                                   "    #1  main.main at /src/svc.go:12\n"
                                   "\n"
                                   "2 goroutines of the Go runtime: 2 GC sweep wait\n"
                                   "    --internal shows their stacks\n"
                                   "\n");
  CHECK(text_of(build.go(), {.internal = true}) == "1 goroutine: 1 chan receive\n"
                                                   "\n"
                                                   "goroutine 1 [chan receive]\n"
                                                   "    #0  runtime.gopark at /go/src/runtime/proc.go:402\n"
                                                   "    #1  main.main at /src/svc.go:12\n"
                                                   "\n"
                                                   "2 goroutines, in GC sweep wait\n"
                                                   "    ids 2-3\n"
                                                   "    #0  runtime.bgsweep at /go/src/runtime/proc.go:9\n"
                                                   "\n");
}

TEST_CASE("a stack of nothing but hidden frames is shown, and the reason why one is missing") {
  ProcessReport process = empty_report();
  GoReportBuilder build(process);
  build.add(1, build.add_stack({build.frame("runtime.main", 267)}));
  const std::uint32_t missing = build.add_stack({});
  build.go().stacks[missing].end = StackEnd::not_captured;
  build.go().stacks[missing].end_reason = "thread 4252 did not stop in time";
  GoroutineReport &running = build.add(2, missing);
  running.status = GoroutineStatus::running;
  running.wait_reason = {};
  CHECK(text_of(build.go(), {}) == "2 goroutines: 1 chan receive, 1 running\n"
                                   "\n"
                                   "goroutine 2 [running]\n"
                                   "    no stack: thread 4252 did not stop in time\n"
                                   "\n"
                                   "goroutine 1 [chan receive]\n"
                                   "    #0  runtime.main at /go/src/runtime/proc.go:267\n"
                                   "\n");
}

/// The lines of frames alone.
std::string frames_of(const GoReport &report, const StackWriterOptions &options) {
  const std::string text = text_of(report, options);
  std::string frames;
  for (std::size_t at = text.find("    #"); at != std::string::npos; at = text.find("    #", at + 1))
    frames += text.substr(at + 8, text.find(" at ", at) - at - 8) + "\n";
  return frames;
}

TEST_CASE("argument words that differ within a group are folded, pointers in several places numbered") {
  ProcessReport process = empty_report();
  GoReportBuilder build(process);
  ReportFrame inner = build.frame("main.(*Conn).read", 12);
  ReportFrame outer = build.frame("main.serve", 30);
  ReportFrame assembly = build.frame("main.asm", 1);
  ReportFrame plain = build.frame("main.main", 9);
  build.describe_arguments(inner, "w{ww}?", 0);
  build.describe_arguments(outer, "w{w.}.", 4);
  build.describe_arguments(plain, "", 6);
  const std::uint32_t stack = build.add_stack({inner, outer, assembly, plain});
  build.add(2, stack, {0xc000012120, 0x4c3839, 0x7, 0x1, 0xc000012120, 0xc000099000});
  build.add(3, stack, {0xc000012120, 0x4c3839, 0x9, 0x1, 0xc000012120, 0xc000099000});
  const StackWriterOptions words{.arguments = ArgumentDetail::words};
  CHECK(frames_of(build.go(), words) == "main.(*Conn).read(#1=0xc000012120, {0x4c3839, *}, 0x1?)\n"
                                        "main.serve(#1, {0xc000099000, ...}, ...)\n"
                                        "main.asm\n"
                                        "main.main()\n");
  CHECK(frames_of(build.go(), {}) == "main.(*Conn).read\nmain.serve\nmain.asm\nmain.main\n");
  build.go().goroutines[1].words_missing = true;
  CHECK(frames_of(build.go(), words) == "main.(*Conn).read(...)\nmain.serve(...)\nmain.asm\nmain.main(...)\n");
}

/// Answers with what the test says.
class FixedValues final : public ArgumentValues {
public:
  explicit FixedValues(std::vector<DecodedArgument> arguments) : arguments_(std::move(arguments)) {}
  std::vector<DecodedArgument> decode(const GoReport & /*report*/, const GoroutineReport & /*goroutine*/,
                                      std::size_t /*frame*/, std::span<const std::uint64_t> words) override {
    seen.assign(words.begin(), words.end());
    return arguments_;
  }
  std::vector<std::uint64_t> seen;

private:
  std::vector<DecodedArgument> arguments_;
};

TEST_CASE("argument values stand where the words are equal for all") {
  ProcessReport process = empty_report();
  GoReportBuilder build(process);
  ReportFrame frame = build.frame("main.send", 12);
  build.describe_arguments(frame, "w{ww}ww", 0);
  const std::uint32_t stack = build.add_stack({frame});
  build.add(2, stack, {0x1, 0x4c3839, 0x7, 0x2, 0x0});
  build.add(3, stack, {0x1, 0x4c3839, 0x7, 0x3, 0x0});
  const auto values = std::make_shared<FixedValues>(std::vector<DecodedArgument>{
      {.name = "count", .type = "int", .value = "1", .words = "0x1", .stale = true},
      {.name = "to", .type = "string", .value = "\"all\x1b\"", .words = "{0x4c3839, 0x7}"},
      {.name = "id", .type = "int", .value = "2", .words = "0x2"},
      {.name = "err", .type = "error", .value = "garbage", .words = "0x0", .result = true}});
  build.go().values = values;
  const StackWriterOptions options{.arguments = ArgumentDetail::values};
  CHECK(frames_of(build.go(), options) == "main.send(count=1?, to=\"all\\x1b\", id=*)\n");
  CHECK(values->seen == std::vector<std::uint64_t>{0x1, 0x4c3839, 0x7, 0x2, 0x0});
  CHECK(frames_of(build.go(), {.group = false, .arguments = ArgumentDetail::values}) ==
        "main.send(count=1?, to=\"all\\x1b\", id=2)\nmain.send(count=1?, to=\"all\\x1b\", id=2)\n");
}

TEST_CASE("a long value is cut between two characters") {
  ProcessReport process = empty_report();
  GoReportBuilder build(process);
  ReportFrame frame = build.frame("main.send", 12);
  build.describe_arguments(frame, "w");
  build.add(2, build.add_stack({frame}), {0x1});
  std::string value(99, 'a');
  value += "éé";
  build.go().values = std::make_shared<FixedValues>(
      std::vector<DecodedArgument>{{.name = "s", .type = "string", .value = value, .words = "0x1"}});
  CHECK(frames_of(build.go(), {.arguments = ArgumentDetail::values}) == "main.send(s=" + std::string(99, 'a') + "…)\n");
}

TEST_CASE("where it is not clear which words an argument has, a group shows words") {
  ProcessReport process = empty_report();
  GoReportBuilder build(process);
  ReportFrame frame = build.frame("main.send", 12);
  build.describe_arguments(frame, "ww");
  const std::uint32_t stack = build.add_stack({frame});
  build.add(2, stack, {0x1, 0x2});
  build.add(3, stack, {0x1, 0x3});
  build.go().values = std::make_shared<FixedValues>(
      std::vector<DecodedArgument>{{.name = "", .type = "int", .value = "5", .words = "0x1"}});
  CHECK(frames_of(build.go(), {.arguments = ArgumentDetail::values}) == "main.send(0x1, *)\n");
}

TEST_CASE("threads that run a goroutine are shown with it and not again") {
  ProcessReport report = empty_report();
  add_thread(report, 4251, 'R', {{"main.main", 12}}).goroutine = 1;
  add_thread(report, 4252, 'S', {{"runtime.futex", 0}});
  GoReportBuilder build(report);
  GoroutineReport &running = build.add(1, build.add_stack({build.frame("main.main", 12)}));
  running.status = GoroutineStatus::running;
  running.wait_reason = {};
  running.thread = 4251;
  build.finish();
  const auto after_heading = [&](const StackWriterOptions &options) {
    CapturedOutput captured;
    write_stacks_text(captured.output(), report, options);
    const std::string text = captured.text();
    CHECK(text.find("go1.22.12; 1 goroutine, 2 threads; ") != std::string::npos);
    return text.substr(text.find("\n\n") + 2);
  };
  const std::string goroutine = "1 goroutine: 1 running\n"
                                "\n"
                                "goroutine 1 [running, thread 4251]\n"
                                "    #0  main.main at /src/svc.go:12\n"
                                "\n";
  CHECK(after_heading({}) == goroutine + "thread 4252 worker: sleeping\n"
                                         "    #0  runtime.futex+0x2a in libc.so.6\n"
                                         "\n");
  CHECK(after_heading({.goroutines_only = true}) == goroutine);
}

} // namespace
} // namespace inspect
