#include "golang/traceback/traceback_text.h"

#include "golang/arguments/argument_words.h"
#include "tests/support/catch.h"

#include <fmt/format.h>

namespace inspect {
namespace {

const TracebackFrame &frame_of(const std::vector<Traceback> &tracebacks, std::size_t goroutine, std::size_t frame) {
  REQUIRE(tracebacks.size() >= 1);
  REQUIRE(tracebacks.front().goroutines.size() > goroutine);
  REQUIRE(tracebacks.front().goroutines[goroutine].frames.size() > frame);
  return tracebacks.front().goroutines[goroutine].frames[frame];
}

const std::string nil_pointer = R"(panic: runtime error: invalid memory address or nil pointer dereference
[signal SIGSEGV: segmentation violation code=0x1 addr=0x50 pc=0x5046c9]

goroutine 54 [running]:
pidinfo.(*PidInfo).updateTime(0x0, 0x0, 0x0)
        /src/pidinfo/pidinfo.go:227 +0x59
pidinfo.(*PidInfo).Update(0x0, 0xc0000905d0, 0x6f7e)
        /src/pidinfo/pidinfo.go:302 +0x32
testing.(*B).launch(0xc0001f41c0)
        /usr/local/go/src/testing/benchmark.go:320 +0x10c
created by testing.(*B).doBench
        /usr/local/go/src/testing/benchmark.go:275 +0x55
exit status 2
)";

void check_nil_pointer(const std::vector<Traceback> &tracebacks) {
  REQUIRE(tracebacks.size() == 1);
  const Traceback &traceback = tracebacks.front();
  REQUIRE(traceback.messages.size() == 2);
  CHECK(traceback.messages.front() == "panic: runtime error: invalid memory address or nil pointer dereference");
  REQUIRE(traceback.signal.has_value());
  CHECK(traceback.signal->name == "SIGSEGV");
  CHECK(traceback.signal->description == "segmentation violation");
  CHECK(traceback.signal->code == 1);
  CHECK(traceback.signal->address == 0x50);
  CHECK(traceback.signal->pc == 0x5046c9);
  REQUIRE(traceback.goroutines.size() == 1);
  const TracebackGoroutine &goroutine = traceback.goroutines.front();
  CHECK(goroutine.id == 54);
  CHECK(goroutine.status == "running");
  REQUIRE(goroutine.frames.size() == 3);
  CHECK(goroutine.frames[1].function == "pidinfo.(*PidInfo).Update");
  CHECK(goroutine.frames[1].words == std::vector<std::uint64_t>{0, 0xc0000905d0, 0x6f7e});
  CHECK(goroutine.frames[1].file == "/src/pidinfo/pidinfo.go");
  CHECK(goroutine.frames[1].line == 302);
  CHECK(goroutine.frames[1].offset == 0x32);
  REQUIRE(goroutine.created_by.has_value());
  CHECK(goroutine.created_by->function == "testing.(*B).doBench");
  CHECK(goroutine.created_by->line == 275);
  CHECK(goroutine.created_by->offset == 0x55);
  CHECK_FALSE(goroutine.created_in.has_value());
  CHECK(traceback.exit_status == 2);
}

std::string replaced(std::string text, std::string_view what, std::string_view by) {
  for (std::size_t at = 0; (at = text.find(what, at)) != std::string::npos; at += by.size())
    text.replace(at, what.size(), by);
  return text;
}

/// Every line of it, with what `prefix` makes of the line's number in front.
template <typename Prefix> std::string prefixed(std::string_view text, Prefix prefix) {
  std::string result;
  for (int number = 0; !text.empty(); ++number) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    result += prefix(number) + std::string(text.substr(0, end)) + "\n";
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return result;
}

} // namespace

TEST_CASE("a crash of the stack-word time is read completely") {
  check_nil_pointer(parse_tracebacks(nil_pointer));
}

TEST_CASE("what carries a crash text does not change it") {
  SECTION("Windows line ends") {
    check_nil_pointer(parse_tracebacks(replaced(nil_pointer, "\n", "\r\n")));
  }
  SECTION("the byte order mark of UTF-8") {
    check_nil_pointer(parse_tracebacks("\xef\xbb\xbf" + nil_pointer));
  }
  SECTION("tabs") {
    check_nil_pointer(parse_tracebacks(replaced(nil_pointer, "        ", "\t")));
  }
  SECTION("no line end at the end") {
    check_nil_pointer(parse_tracebacks(std::string_view(nil_pointer).substr(0, nil_pointer.size() - 1)));
  }
  SECTION("empty lines between all lines") {
    check_nil_pointer(parse_tracebacks(replaced(nil_pointer, "\n", "\n\n")));
  }
  SECTION("a constant prefix") {
    check_nil_pointer(parse_tracebacks(prefixed(nil_pointer, [](int) { return std::string("| "); })));
  }
  SECTION("a logger's timestamps") {
    check_nil_pointer(parse_tracebacks(
        prefixed(nil_pointer, [](int i) { return fmt::format("2021/03/04 05:06:{:02}.{} ", i, i * 7919 % 100000); })));
  }
  SECTION("journald's, with a process id that gets longer") {
    check_nil_pointer(parse_tracebacks(
        prefixed(nil_pointer, [](int i) { return fmt::format("Nov {:2} 09:35:37 host svc[{}]: ", 8 + i, 95 + i); })));
  }
  SECTION("Kubernetes'") {
    check_nil_pointer(parse_tracebacks(prefixed(
        nil_pointer, [](int i) { return fmt::format("2021-03-04T05:06:07.{}Z stderr F ", 123456 * (i + 1)); })));
  }
  SECTION("docker-compose's, coloured") {
    check_nil_pointer(
        parse_tracebacks(prefixed(nil_pointer, [](int) { return std::string("\x1b[36mweb_1  |\x1b[0m "); })));
  }
  SECTION("Docker's JSON") {
    std::string text;
    for (std::string_view rest = nil_pointer; !rest.empty();) {
      const std::size_t end = std::min(rest.find('\n'), rest.size());
      text += R"({"log":")" + replaced(std::string(rest.substr(0, end)), "        ", "\\u0009") +
              R"(\n","stream":"stderr","time":"2021-03-04T05:06:07Z"})" + "\n";
      rest.remove_prefix(std::min(end + 1, rest.size()));
    }
    check_nil_pointer(parse_tracebacks(text));
  }
  SECTION("other output in between") {
    check_nil_pointer(parse_tracebacks(replaced(nil_pointer, "        ", "GET /index.html 200 (3 ms)\n        ")));
  }
}

TEST_CASE("frames are found behind prefixes of which no two are alike") {
  const auto tracebacks = parse_tracebacks(prefixed(nil_pointer, [](int i) {
    return fmt::format("{}: ", std::string_view("alpha beta gamma").substr(0, 1 + static_cast<std::size_t>(i)));
  }));
  CHECK(frame_of(tracebacks, 0, 2).function == "testing.(*B).launch");
  CHECK(frame_of(tracebacks, 0, 2).line == 320);
  CHECK(tracebacks.front().goroutines.front().frames.size() == 3);
}

TEST_CASE("a stack inside one line of a structured log is read") {
  const auto tracebacks = parse_tracebacks(
      R"({"level":"error","msg":"recovered","stack":"goroutine 7 [running]:\nmain.f(0x1)\n\t/src/a.go:12 +0x1d\ncreated by main.main\n\t/src/a.go:5 +0x2e\n"})");
  const TracebackFrame &frame = frame_of(tracebacks, 0, 0);
  CHECK(frame.function == "main.f");
  CHECK(frame.line == 12);
  REQUIRE(tracebacks.front().goroutines.front().created_by.has_value());
  CHECK(tracebacks.front().goroutines.front().created_by->line == 5);
}

TEST_CASE("only the first line has the logger's prefix when a stack is logged in one call") {
  const auto tracebacks = parse_tracebacks("2021/01/02 03:04:05 http: panic serving 10.0.0.1:5: boom\n"
                                           "goroutine 18 [running]:\n"
                                           "net/http.(*conn).serve.func1()\n"
                                           "\t/usr/local/go/src/net/http/server.go:1868 +0xb9\n"
                                           "2021/01/02 03:04:05 goroutine 19 [running]:\n"
                                           "main.f()\n"
                                           "\t/src/a.go:12 +0x1d\n");
  CHECK(frame_of(tracebacks, 0, 0).line == 1868);
  REQUIRE(tracebacks.front().messages.size() == 1);
  CHECK(tracebacks.front().messages.front() == "2021/01/02 03:04:05 http: panic serving 10.0.0.1:5: boom");
  CHECK(frame_of(tracebacks, 1, 0).function == "main.f");
}

TEST_CASE("the words of Go 1.17 and later: braces, stale ones, omissions") {
  const auto tracebacks = parse_tracebacks("goroutine 1 [running]:\n"
                                           "main.f({0x4c3839, 0x7}, {0xc000012120?, 0x1, {0x2, ...}}, _, 0x5?, ...)\n"
                                           "\t/src/a.go:1 +0x1\n"
                                           "main.g({}, 0xffffffffffffffff)\n"
                                           "\t/src/a.go:2 +0x2\n"
                                           "main.Map[...](...)\n"
                                           "\t/src/a.go:3\n"
                                           "main.main()\n"
                                           "\t/src/a.go:4 +0x4\n");
  const TracebackFrame &frame = frame_of(tracebacks, 0, 0);
  CHECK(frame.words == std::vector<std::uint64_t>{0x4c3839, 7, 0xc000012120, 1, 2, 5});
  CHECK(frame.layout.word_count() == 6);
  CHECK(frame.cut);
  CHECK(argument_text(frame.layout, frame.words) == "{0x4c3839, 0x7}, {0xc000012120?, 0x1, {0x2, ...}}, _, 0x5?, ...");
  CHECK(argument_text(frame_of(tracebacks, 0, 1).layout, frame_of(tracebacks, 0, 1).words) == "{}, 0xffffffffffffffff");
  const TracebackFrame &inlined = frame_of(tracebacks, 0, 2);
  CHECK(inlined.function == "main.Map[...]");
  CHECK_FALSE(inlined.has_arguments);
  CHECK_FALSE(inlined.offset.has_value());
  CHECK(inlined.line == 3);
  const TracebackFrame &none = frame_of(tracebacks, 0, 3);
  CHECK(none.has_arguments);
  CHECK(none.words.empty());
}

TEST_CASE("every form of a goroutine's header") {
  struct Row {
    std::string text;
    std::uint64_t id;
    std::string status;
    std::optional<std::int64_t> minutes;
    bool locked;
    std::vector<std::string> notes;
  };
  const std::vector<Row> rows = {
      {"goroutine 0 [idle]:", 0, "idle", {}, false, {}},
      {"goroutine 3 [GC sweep wait]:", 3, "GC sweep wait", {}, false, {}},
      {"goroutine 7 [chan receive, 1016 minutes, locked to thread]:", 7, "chan receive", 1016, true, {}},
      {"goroutine 9 [select (no cases), 3 minutes]:", 9, "select (no cases)", 3, false, {}},
      {"goroutine 5 gp=0xc000007340 m=3 mp=0xc00004f008 [running, locked to thread]:",
       5,
       "running",
       {},
       true,
       {"gp=0xc000007340", "m=3", "mp=0xc00004f008"}},
      {"goroutine 6 gp=0xc000007880 m=nil [force gc (idle)]:",
       6,
       "force gc (idle)",
       {},
       false,
       {"gp=0xc000007880", "m=nil"}},
      {"goroutine 8 [runnable (scan)]:", 8, "runnable", {}, false, {"scan"}},
      {"goroutine 8 [chan receive (durable), synctest bubble 1]:",
       8,
       "chan receive",
       {},
       false,
       {"durable", "synctest bubble 1"}},
      {"goroutine 4 [chan send, 2 minutes labels:{\"a, b\": \"c]:\"}]:",
       4,
       "chan send",
       2,
       false,
       {"labels:{\"a, b\": \"c]:\"}"}},
      {"goroutine 23 [syscall, 2 minutes, locked to thread] {endpoint: \"/users, all\", tenant: a}:",
       23,
       "syscall",
       2,
       true,
       {"labels:{endpoint: \"/users, all\", tenant: a}"}},
      {"goroutine 18446744073709551615 [running]:", UINT64_MAX, "running", {}, false, {}},
  };
  for (const Row &row : rows) {
    CAPTURE(row.text);
    const auto tracebacks = parse_tracebacks(row.text + "\nmain.f()\n\t/a.go:1 +0x1\n");
    REQUIRE(tracebacks.size() == 1);
    REQUIRE(tracebacks.front().goroutines.size() == 1);
    const TracebackGoroutine &goroutine = tracebacks.front().goroutines.front();
    CHECK(goroutine.id == row.id);
    CHECK(goroutine.status == row.status);
    CHECK(goroutine.wait_minutes == row.minutes);
    CHECK(goroutine.locked_to_thread == row.locked);
    CHECK(goroutine.notes == row.notes);
    CHECK(goroutine.frames.size() == 1);
  }
  for (const std::string text : {"goroutine 99999999999999999999 [running]:", "goroutine x [running]:", "goroutine 5:",
                                 "the goroutine 5 [running", "goroutine profile: total 5"})
    CHECK(parse_tracebacks(text + "\n").empty());
}

TEST_CASE("the long form of the runtime, of arm64, without directories") {
  const auto tracebacks = parse_tracebacks(R"(runtime: s.allocCount= 3 s.nelems= 5
fatal error: s.allocCount != s.nelems && freeIndex == s.nelems

goroutine 1 [running]:
runtime.throw(0x1a8caa, 0x31)
        runtime/panic.go:774 +0x54 fp=0x40000a0ca0 sp=0x40000a0c70 pc=0x3bc84
io/ioutil.ReadAll(...)
        io/ioutil/ioutil.go:45
pidinfo.(*TidInfo).updateStat(0x40001830e0, 0x0, 0x0)
        pidinfo/pidinfo.go:486 +0x190 fp=0x40000a10f0 sp=0x40000a0fb0 pc=0x12d510
)");
  REQUIRE(tracebacks.size() == 1);
  CHECK(tracebacks.front().messages ==
        std::vector<std::string>{"runtime: s.allocCount= 3 s.nelems= 5",
                                 "fatal error: s.allocCount != s.nelems && freeIndex == s.nelems"});
  const TracebackFrame &frame = frame_of(tracebacks, 0, 0);
  CHECK(frame.frame_pointer == 0x40000a0ca0);
  CHECK(frame.stack_pointer == 0x40000a0c70);
  CHECK(frame.pc == 0x3bc84);
  CHECK(frame.offset == 0x54);
  CHECK(frame_of(tracebacks, 0, 1).file == "io/ioutil/ioutil.go");
  CHECK_FALSE(frame_of(tracebacks, 0, 1).has_arguments);
  CHECK(frame_of(tracebacks, 0, 2).line == 486);
}

TEST_CASE("the runtime's stack, nested panics, elided frames, and a stack of another thread") {
  const auto tracebacks = parse_tracebacks(R"(panic: first
more of the first [recovered]
	panic: second
	panic: third

runtime stack:
runtime.throw({0x1, 0x2})
	/go/src/runtime/panic.go:1 +0x1
runtime: unexpected return pc for main.x called from 0x7

goroutine 1 [running]:
	goroutine running on other thread; stack unavailable
created by main.main in goroutine 12
	/src/a.go:3 +0x4

goroutine 2 [running]:
main.deep(0x1)
	/src/a.go:3 +0x4
...23 frames elided...
main.deep(0x2)
	/src/a.go:3 +0x4
...additional frames elided...
created by main.start.func1
	/src/a.go:4 +0x4
[originating from goroutine 1]:
main.start(...)
	/src/a.go:9 +0x9
created by main.main
	/src/a.go:5 +0x1
)");
  REQUIRE(tracebacks.size() == 1);
  const Traceback &traceback = tracebacks.front();
  CHECK(traceback.messages ==
        std::vector<std::string>{"panic: first", "more of the first [recovered]", "panic: second", "panic: third"});
  REQUIRE(traceback.goroutines.size() == 4);
  CHECK(traceback.goroutines[0].status == "runtime stack");
  CHECK(traceback.goroutines[0].frames.size() == 1);
  CHECK(traceback.goroutines[0].notes ==
        std::vector<std::string>{"runtime: unexpected return pc for main.x called from 0x7"});
  CHECK(traceback.goroutines[1].stack_unavailable);
  CHECK(traceback.goroutines[1].created_in == 12);
  CHECK(traceback.goroutines[1].created_by->function == "main.main");
  CHECK(traceback.goroutines[2].frames.size() == 2);
  CHECK(traceback.goroutines[2].frames_elided == 24);
  CHECK(traceback.goroutines[3].id == 1);
  CHECK(traceback.goroutines[3].ancestor_of == 2);
  CHECK(traceback.goroutines[3].frames.size() == 1);
}

TEST_CASE("a SIGQUIT dump with its registers, and the threads of GOTRACEBACK=crash") {
  const auto tracebacks = parse_tracebacks(R"(SIGQUIT: quit
PC=0x464ce1 m=0 sigcode=128

goroutine 0 [idle]:
runtime.futex()
	/go/src/runtime/sys_linux_amd64.s:552 +0x21

goroutine 1 [chan receive]:
main.main()
	/src/a.go:9 +0x1

rax    0xca
r8     0x0
rip    0x464ce1
rflags 0x286
-----

SIGQUIT: quit
PC=0x464ce2 m=1 sigcode=0

goroutine 0 [idle]:
runtime.usleep(0x14)
	/go/src/runtime/sys_linux_amd64.s:135 +0x3a

goroutine 1 [chan receive]:
main.main()
	/src/a.go:9 +0x1

rax    0x1
exit status 2
)");
  REQUIRE(tracebacks.size() == 1);
  const Traceback &traceback = tracebacks.front();
  REQUIRE(traceback.signal.has_value());
  CHECK(traceback.signal->name == "SIGQUIT");
  CHECK(traceback.signal->pc == 0x464ce1);
  CHECK(traceback.signal->code == 128);
  CHECK(traceback.goroutines.size() == 4);
  CHECK(traceback.registers == std::vector<std::pair<std::string, std::uint64_t>>{
                                   {"rax", 0xca}, {"r8", 0}, {"rip", 0x464ce1}, {"rflags", 0x286}});
  CHECK(traceback.exit_status == 2);
}

TEST_CASE("several crashes in one text are told apart") {
  const auto tracebacks = parse_tracebacks("starting\n" + nil_pointer + "restarting\n" +
                                           replaced(nil_pointer, "goroutine 54", "goroutine 1") +
                                           "goroutine 1 [running]:\nmain.f()\n\t/a.go:1 +0x1\n");
  REQUIRE(tracebacks.size() == 3);
  CHECK(tracebacks[0].text_line == 2);
  CHECK(tracebacks[0].goroutines.front().id == 54);
  CHECK(tracebacks[0].goroutines.front().text_line == 5);
  CHECK(tracebacks[0].goroutines.front().frames.front().text_line == 6);
  CHECK(tracebacks[1].goroutines.front().id == 1);
  CHECK(tracebacks[1].messages.size() == 2);
  CHECK(tracebacks[2].messages.empty());
}

TEST_CASE("C frames of cgo, with a symbolizer and without") {
  const auto tracebacks = parse_tracebacks("SIGSEGV: segmentation violation\n"
                                           "PC=0x7f0 m=0 sigcode=1 addr=0x8\n"
                                           "signal arrived during cgo execution\n\n"
                                           "goroutine 1 [syscall]:\n"
                                           "non-Go function at pc=0x7f12\n"
                                           "c_function\n"
                                           "\t/src/my code/c.c:12 pc=0x7f34\n"
                                           "non-Go function\n"
                                           "\tpc=0x7f56\n"
                                           "runtime.cgocall(0x47b8f0, 0xc000057f08)\n"
                                           "\t/go/src/runtime/cgocall.go:157 +0x5c fp=0x1 sp=0x2 pc=0x3\n"
                                           "main._Cfunc_f()\n"
                                           "\t_cgo_gotypes.go:45 +0x45\n");
  CHECK(frame_of(tracebacks, 0, 0).function == "non-Go function");
  CHECK(frame_of(tracebacks, 0, 0).pc == 0x7f12);
  CHECK(frame_of(tracebacks, 0, 1).function == "c_function");
  CHECK(frame_of(tracebacks, 0, 1).file == "/src/my code/c.c");
  CHECK(frame_of(tracebacks, 0, 1).pc == 0x7f34);
  CHECK(frame_of(tracebacks, 0, 2).function == "non-Go function");
  CHECK(frame_of(tracebacks, 0, 2).pc == 0x7f56);
  CHECK(frame_of(tracebacks, 0, 3).function == "runtime.cgocall");
  CHECK(frame_of(tracebacks, 0, 4).file == "_cgo_gotypes.go");
  CHECK(tracebacks.front().signal->address == 8);
}

TEST_CASE("paths with blanks, of Windows, with colons, and names with blanks in brackets") {
  const auto tracebacks = parse_tracebacks("goroutine 1 [running]:\n"
                                           "main.main()\n"
                                           "\tC:/Users/My Name/src/a.go:12 +0x1d\n"
                                           "main.(*struct { main.T; n int }).f(0x1)\n"
                                           "\t/src/a b:c/x.go:7 +0x2\n");
  CHECK(frame_of(tracebacks, 0, 0).file == "C:/Users/My Name/src/a.go");
  CHECK(frame_of(tracebacks, 0, 0).line == 12);
  CHECK(frame_of(tracebacks, 0, 1).function == "main.(*struct { main.T; n int }).f");
  CHECK(frame_of(tracebacks, 0, 1).file == "/src/a b:c/x.go");
}

TEST_CASE("a text that breaks off gives what it has") {
  const std::string text = "goroutine 1 [running]:\nmain.f(0x1, 0x23)\n\t/src/a.go:12 +0x1d\nmain.g(0x4, 0x5";
  const auto tracebacks = parse_tracebacks(text);
  CHECK(frame_of(tracebacks, 0, 1).function == "main.g");
  CHECK(frame_of(tracebacks, 0, 1).cut);
  CHECK(frame_of(tracebacks, 0, 1).words == std::vector<std::uint64_t>{4}); // 0x5 may have lost digits
  CHECK(frame_of(tracebacks, 0, 1).file.empty());
  for (std::size_t length = 0; length <= nil_pointer.size(); ++length) {
    CAPTURE(length);
    const auto some = parse_tracebacks(std::string_view(nil_pointer).substr(0, length));
    CHECK(some.size() <= 1);
    if (length > nil_pointer.find("0x6f7e)")) {
      CHECK(frame_of(some, 0, 1).words.size() >= 2);
    }
  }
}

TEST_CASE("a message without any goroutine is a crash, too") {
  const auto tracebacks =
      parse_tracebacks("panic: boom\n[signal SIGSEGV: segmentation violation code=0x80 addr=0x0 pc=0x1]\n");
  REQUIRE(tracebacks.size() == 1);
  CHECK(tracebacks.front().goroutines.empty());
  CHECK(tracebacks.front().messages.front() == "panic: boom");
  CHECK(tracebacks.front().signal->code == 0x80);
}

TEST_CASE("a report of the race detector") {
  const auto tracebacks = parse_tracebacks(R"(==================
WARNING: DATA RACE
Read at 0x00c0000b4010 by goroutine 7:
  main.main.func1()
      /src/race.go:9 +0x3a

Previous write at 0x00c0000b4010 by main goroutine:
  main.main()
      /src/race.go:12 +0x9b

Goroutine 7 (running) created at:
  main.main()
      /src/race.go:8 +0x8c
==================
Found 1 data race(s)
exit status 66
)");
  REQUIRE(tracebacks.size() == 1);
  const Traceback &traceback = tracebacks.front();
  CHECK(traceback.messages == std::vector<std::string>{"WARNING: DATA RACE"});
  REQUIRE(traceback.goroutines.size() == 3);
  CHECK(traceback.goroutines[0].id == 7);
  CHECK(traceback.goroutines[0].status == "read at 0x00c0000b4010");
  CHECK(traceback.goroutines[0].frames.front().line == 9);
  CHECK(traceback.goroutines[1].id == 1);
  CHECK(traceback.goroutines[2].ancestor_of == 7);
  CHECK(traceback.goroutines[2].frames.front().line == 8);
  CHECK(traceback.exit_status == 66);
}

TEST_CASE("text that is not a traceback gives none") {
  for (const std::string_view text :
       {"", "\n\n\n", "hello\n", "main.f(0x1)\n\t/a.go:1 +0x1\n", "exit status 2\n", "rip 0x1\n", "don't panic\n"})
    CHECK(parse_tracebacks(text).empty());
}

TEST_CASE("calls in the log behind a crash are not frames") {
  const auto tracebacks = parse_tracebacks(nil_pointer + "retry.Do(0x1)\nconnected to 10.0.0.1:80\npool.Get()\nbye\n");
  CHECK(tracebacks.front().goroutines.front().frames.size() == 3);
}

} // namespace inspect
