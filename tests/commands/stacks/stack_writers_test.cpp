#include "commands/stacks/stack_text.h"
#include "commands/stacks/stack_writers.h"

#include "tests/support/captured_output.h"
#include "tests/support/catch.h"
#include "tests/support/report_builder.h"

#include <nlohmann/json.hpp>

namespace inspect {
namespace {

std::string text_of(const ProcessReport &report, const StackWriterOptions &options) {
  CapturedOutput captured;
  write_stacks_text(captured.output(), report, options);
  std::string text = captured.text();
  return text.substr(text.find("\n\n") + 2); // the heading holds the time of day
}

TEST_CASE("a group names an example, its ids as ranges, and its frames once") {
  ProcessReport report = empty_report();
  for (const pid_t id : {10, 11, 12, 20})
    add_thread(report, id, 'S', {{"__poll", 0}, {"work(int)", 12}}).waiting_in = "poll(3)";
  CHECK(text_of(report, {}) == "4 threads, e.g. 10 worker: sleeping in poll(3)\n"
                               "    ids 10-12 20\n"
                               "    #0  __poll+0x2a in libc.so.6\n"
                               "    #1  work(int) at server.cpp:12\n"
                               "\n");
}

TEST_CASE("what a group's members wait in is counted where it differs") {
  ProcessReport report = empty_report();
  for (const pid_t id : {1, 2, 3})
    add_thread(report, id, 'S', {{"wait", 5}}).waiting_in = id == 3 ? "futex(0xb)" : "futex(0xa)";
  report.threads[0].lock_holder = 3;
  report.threads[1].lock_holder = 3;
  CHECK(text_of(report, {}) == "3 threads, e.g. 1 worker: sleeping in futex(0xa), lock held by thread 3 worker\n"
                               "        2 × futex(0xa), lock held by thread 3 worker\n"
                               "        1 × futex(0xb)\n"
                               "    ids 1-3\n"
                               "    #0  wait at server.cpp:5\n"
                               "\n");
}

TEST_CASE("guesses, inlined calls, signals and the reason of an early end are said") {
  ProcessReport report = empty_report();
  ThreadReport &thread = add_thread(report, 7, 'R', {{"inner", 1}, {"outer", 2}, {"trampoline", 0}, {"", 0}});
  thread.frames[0].inlined = true;
  thread.frames[2].signal = true;
  thread.frames[3].guessed = true;
  thread.frames[3].module = {};
  thread.end = StackEnd::unreadable_memory;
  thread.end_reason = "8 bytes at 0x10 are not readable";
  CHECK(text_of(report, {}) == "thread 7 worker: running\n"
                               "    #0  inner at server.cpp:1 (inlined)\n"
                               "    #1  outer at server.cpp:2\n"
                               "    #2  <signal handler called> in libc.so.6\n"
                               "    #3  0x0000000000401000 in no known module (guessed)\n"
                               "    the stack ends here: 8 bytes at 0x10 are not readable\n"
                               "\n");
}

TEST_CASE("recursion is folded, also where several functions take turns") {
  ProcessReport report = empty_report();
  ThreadReport &thread = add_thread(report, 7, 'R', {{"leaf", 1}});
  for (int i = 0; i < 1000; ++i) {
    thread.frames.push_back(make_frame(report, "even", 2));
    thread.frames.push_back(make_frame(report, "odd", 3));
  }
  thread.frames.push_back(make_frame(report, "main", 4));
  CHECK(text_of(report, {}) == "thread 7 worker: running\n"
                               "    #0  leaf at server.cpp:1\n"
                               "    #1  even at server.cpp:2\n"
                               "    #2  odd at server.cpp:3\n"
                               "         … the 2 frames above repeated 1000 times in all (to #2000)\n"
                               "    #2001 main at server.cpp:4\n"
                               "\n");
}

TEST_CASE("folded recursion says where its arguments are not all the same") {
  ProcessReport report = empty_report();
  ThreadReport &thread = add_thread(report, 7, 'R', {});
  for (int i = 0; i < 100; ++i)
    thread.frames.push_back(make_frame(report, "recurse", 2));
  const auto text_with = [&](std::size_t different) {
    CapturedOutput captured;
    write_stack(captured.output(), {thread.frames, StackEnd::complete, {}},
                {.arguments = [=](std::size_t frame) { return frame == different ? "(depth=1)" : "(depth=0)"; }});
    return captured.text();
  };
  const std::string first =
      "    #0  recurse(depth=0) at server.cpp:2\n         … the frame above repeated 100 times in all";
  CHECK(text_with(1000) == first + " (to #99)\n");
  CHECK(text_with(1) == first + " (to #99), with other arguments\n");
  CHECK(text_with(99) == first + " (to #99), with other arguments\n");
}

TEST_CASE("hostile names reach no terminal unescaped") {
  ProcessReport report = empty_report();
  add_thread(report, 7, 'R', {{"evil\x1b[2J\n", 1}}).name = "a\x1b]0;b\x07";
  for (const auto &write : {write_stacks_text, write_stacks_json, write_stacks_folded, write_go_traceback}) {
    CapturedOutput captured;
    write(captured.output(), report, {});
    CHECK(captured.text().find('\x1b') == std::string::npos);
  }
  const std::string text = text_of(report, {});
  CHECK(text.find('\x1b') == std::string::npos);
  CHECK(text.find('\x07') == std::string::npos);
}

TEST_CASE("JSON has the documented members, with null for what is unknown") {
  ProcessReport report = empty_report();
  add_thread(report, 7, 'R', {{"work(int)", 12}, {"", 0}}).name = "bad\xffutf8";
  report.warnings = {"one"};
  CapturedOutput captured;
  write_stacks_json(captured.output(), report, {});
  const auto json = nlohmann::json::parse(captured.text());
  CHECK(json["schema"] == "inspect.stacks/1");
  CHECK(json["pid"] == 4251);
  CHECK(json["runtime"]["kind"] == "native");
  CHECK(json["pause_us"] == 412);
  CHECK(json["warnings"][0] == "one");
  const auto &frames = json["threads"][0]["frames"];
  CHECK(frames[0]["pc"] == "0x40100c");
  CHECK(frames[0]["line"] == 12);
  CHECK(frames[1]["function"].is_null());
  CHECK(frames[1]["line"].is_null());
  CHECK(json["threads"][0]["end"]["reason"] == "complete");
}

TEST_CASE("folded stacks run from the outermost frame, and a name cannot break a line") {
  ProcessReport report = empty_report();
  add_thread(report, 1, 'S', {{"leaf", 1}, {"std::map<int; int>::f", 2}, {"main", 3}});
  add_thread(report, 2, 'S', {{"leaf", 1}, {"std::map<int; int>::f", 2}, {"main", 3}});
  CapturedOutput captured;
  write_stacks_folded(captured.output(), report, {});
  CHECK(captured.text() == "server;main;std::map<int: int>::f;leaf 2\n");
}

TEST_CASE("folded stacks count goroutines, and the threads that run none") {
  ProcessReport report = empty_report();
  add_thread(report, 1, 'R', {{"main.main", 1}}).goroutine = 2;
  add_thread(report, 3, 'S', {{"runtime.futex", 0}});
  GoReportBuilder build(report);
  const std::uint32_t stack = build.add_stack({build.frame("runtime.gopark", 402), build.frame("main.main", 12)});
  build.add(2, stack);
  build.add(3, build.add_stack({build.frame("runtime.gopark", 402), build.frame("main.main", 13)}));
  build.add(4, stack).system = true;
  build.finish();
  const auto folded = [&](const StackWriterOptions &options) {
    CapturedOutput captured;
    write_stacks_folded(captured.output(), report, options);
    return captured.text();
  };
  CHECK(folded({}) == "server;main.main;runtime.gopark 2\nserver;runtime.futex 1\n");
  CHECK(folded({.internal = true, .goroutines_only = true}) == "server;main.main;runtime.gopark 3\n");
}

} // namespace
} // namespace inspect
