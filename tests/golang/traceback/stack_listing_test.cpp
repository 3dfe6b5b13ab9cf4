// Stacks without headers and argument words: of error packages and loggers, of profiles, of gccgo.
#include "golang/traceback/traceback_text.h"

#include "tests/support/catch.h"

#include <fmt/format.h>

namespace inspect {
namespace {

std::string listed(const TracebackGoroutine &goroutine) {
  std::string text;
  for (const TracebackFrame &frame : goroutine.frames)
    text += fmt::format("{}{} {}:{}", text.empty() ? "" : ", ", frame.function, frame.file, frame.line);
  return text;
}

TracebackGoroutine only_goroutine(std::string_view text) {
  const auto tracebacks = parse_tracebacks(text);
  REQUIRE(tracebacks.size() == 1);
  REQUIRE(tracebacks[0].goroutines.size() == 1);
  return tracebacks[0].goroutines[0];
}

const std::string two_frames = "main.(*store).load /src/load.go:12, main.main /src/main.go:5";

} // namespace

TEST_CASE("functions without brackets are frames, with a header and without") {
  CHECK(listed(only_goroutine("goroutine 16 [running]:\nmain.(*store).load\n\t/src/load.go:12\nmain.main\n"
                              "\t/src/main.go:5\n")) == two_frames);
  const std::string error = "open store: no such file\nmain.(*store).load\n\t/src/load.go:12\nmain.main\n"
                            "\t/src/main.go:5\n";
  const auto tracebacks = parse_tracebacks("started\n" + error + "went on\n");
  REQUIRE(tracebacks.size() == 1);
  CHECK(listed(tracebacks[0].goroutines.at(0)) == two_frames);
  CHECK(tracebacks[0].goroutines.at(0).is_listing());
  CHECK(tracebacks[0].messages == std::vector<std::string>{"open store: no such file"});
  CHECK(tracebacks[0].text_line == 2);
  CHECK(listed(only_goroutine(R"({"msg":"no store","stacktrace":"main.(*store).load\n\t/src/load.go:12\nmain.main\n)"
                              R"(\t/src/main.go:5"})")) == two_frames);
  CHECK(listed(only_goroutine("panic: boom\nat main.(*store).load ( /src/load.go:12 )\nat main.main ( /src/main.go:5 "
                              ")\n")) == two_frames);
}

TEST_CASE("function and position on one line are frames, in either order") {
  for (const std::string_view text : {"main.(*store).load /src/load.go:12\nmain.main /src/main.go:5\n",
                                      "main.(*store).load (/src/load.go:12)\nmain.main (/src/main.go:5)\n",
                                      "/src/load.go:12 main.(*store).load\n/src/main.go:5 main.main\n"}) {
    CAPTURE(text);
    CHECK(listed(only_goroutine(text)) == two_frames);
  }
}

TEST_CASE("a stack that a log was cut in is read from its first whole frame on") {
  const auto goroutine = only_goroutine("rain.(*other).run(0x1)\nmain.(*store).load(0xc000012000, 0x5)\n"
                                        "\t/src/load.go:12 +0x1d\nmain.main()\n\t/src/main.go:5 +0x2e\n");
  CHECK(listed(goroutine) == two_frames);
  CHECK(goroutine.frames[0].words.size() == 2);
}

TEST_CASE("what is in front of, behind and between the lines of a list of frames is taken off") {
  const std::vector<std::string> lines = {"open store: no such file", "main.(*store).load", "\t/src/load.go:12",
                                          "main.main", "\t/src/main.go:5"};
  std::string prefixed, suffixed, spaced;
  for (std::size_t i = 0; i < lines.size(); ++i) {
    prefixed += fmt::format("10:00:{:02} app[7]: {}\n", 9 + i, lines[i]);
    suffixed += lines[i] + "   - \n";
    spaced += lines[i] + "\n\n";
  }
  for (const std::string &text : {prefixed, suffixed, spaced}) {
    CAPTURE(text);
    CHECK(listed(only_goroutine(text)) == two_frames);
  }
}

TEST_CASE("gin's recovery names functions behind their positions") {
  const auto goroutine = only_goroutine("[Recovery] panic recovered:\nGET / HTTP/1.1\n\nboom\n"
                                        "/src/load.go:12 (0x6ff0c3)\n\t(*store).load: return rows[i]\n"
                                        "/src/main.go:5 (0x6ff123)\n\tmain: load()\n"
                                        "/go/src/net/http/server.go:2136 (0x6f0000)\n");
  CHECK(listed(goroutine) == "(*store).load /src/load.go:12, main /src/main.go:5, (function not named) "
                             "/go/src/net/http/server.go:2136");
  CHECK(goroutine.frames[0].pc == 0x6ff0c3u);
}

TEST_CASE("a profile of goroutines counts those with one stack") {
  const auto tracebacks = parse_tracebacks("goroutine profile: total 13\n"
                                           "12 @ 0x43e1f6 0x44f2b3 0x6d3e1f\n"
                                           "# labels: {\"job\":\"mail\"}\n"
                                           "#\t0x44f2b2\ttime.Sleep+0x132\t\t/go/src/runtime/time.go:195\n"
                                           "#\t0x6d3e1e\tmain.(*pool).work+0x3e\t/src/pool.go:12\n\n"
                                           "1 @ 0x43e1f6 0x408c6d\n"
                                           "#\t0x408c6c\tmain.main+0x1c\t\t/src/main.go:20\n");
  REQUIRE(tracebacks.size() == 1);
  REQUIRE(tracebacks[0].goroutines.size() == 2);
  const TracebackGoroutine &first = tracebacks[0].goroutines[0];
  CHECK(first.count == 12);
  CHECK(listed(first) == "time.Sleep /go/src/runtime/time.go:195, main.(*pool).work /src/pool.go:12");
  CHECK(first.frames[1].offset == 0x3eu);
  CHECK(first.notes == std::vector<std::string>{R"(labels: {"job":"mail"})"});
}

TEST_CASE("where the goroutines of a race were created is known of them") {
  const auto tracebacks = parse_tracebacks("WARNING: DATA RACE\nWrite at 0x00c0000b4010 by goroutine 7:\n"
                                           "  main.count()\n      /src/r.go:10 +0x3c\n\n"
                                           "Previous read at 0x00c0000b4010 by main goroutine:\n"
                                           "  main.main()\n      /src/r.go:14 +0xb4\n\n"
                                           "Goroutine 7 (running) created at:\n"
                                           "  main.start()\n      /src/r.go:9 +0xaa\n"
                                           "  main.main()\n      /src/r.go:20 +0xaa\n");
  REQUIRE(tracebacks.size() == 1);
  REQUIRE(tracebacks[0].goroutines.size() == 3);
  REQUIRE(tracebacks[0].goroutines[0].created_by.has_value());
  CHECK(tracebacks[0].goroutines[0].created_by->function == "main.start");
  CHECK_FALSE(tracebacks[0].goroutines[1].created_by.has_value());
}

TEST_CASE("Windows' exceptions are signals by number") {
  const auto tracebacks = parse_tracebacks("Exception 0xc0000005 0x1 0x50 0x7ff6a1b2\nPC=0x7ff6a1b2\n\n"
                                           "goroutine 1 [running]:\nmain.main()\n\tC:/src/main.go:12 +0x1d\n");
  REQUIRE(tracebacks.size() == 1);
  REQUIRE(tracebacks[0].signal.has_value());
  CHECK(tracebacks[0].signal->name == "0xc0000005");
  CHECK(tracebacks[0].signal->description == "access violation");
  CHECK(tracebacks[0].signal->address == 0x50u);
  CHECK(tracebacks[0].signal->pc == 0x7ff6a1b2u);
}

TEST_CASE("names in a log are no frames") {
  CHECK(parse_tracebacks("a.b\nc.d\n  e.go:5\nsee main.go\n\t/src/x.go:1\n").empty());
}

} // namespace inspect
