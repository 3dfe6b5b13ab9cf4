// `inspect explain`: texts of programs that are gone, with declarations and without.
#include "commands/cli/command_spec.h"
#include "tests/commands/json_schema.h"
#include "tests/support/captured_output.h"
#include "tests/support/catch.h"
#include "tests/support/run_command.h"
#include "tests/support/temporary_directory.h"

#include <fmt/format.h>
#include <fstream>
#include <nlohmann/json.hpp>

namespace inspect {

CommandSpec make_explain_command();

namespace {

using Catch::Matchers::Contains;
using Json = nlohmann::json;
using test::run_inspect;
using test::TemporaryDirectory;

struct Answer {
  std::string out;
  std::string error;
  int status = 0;
};

Answer explain(std::string_view text, std::vector<std::string> words) {
  const TemporaryDirectory folder;
  words.insert(words.begin(), folder.write("crash.txt", text));
  const CommandSpec spec = make_explain_command();
  const auto arguments = parse_arguments(spec, words);
  REQUIRE(arguments.has_value());
  CapturedOutput captured;
  CommandContext context{captured.output(), *arguments};
  const auto status = spec.run(context);
  Answer answer;
  answer.out = captured.text();
  answer.status = static_cast<int>(status ? *status : exit_status(status.error()));
  answer.error = status ? "" : status.error().message();
  return answer;
}

Json explain_json(std::string_view text, std::vector<std::string> words = {}) {
  words.emplace_back("--json");
  const Answer answer = explain(text, words);
  REQUIRE(answer.error.empty());
  const Json document = Json::parse(answer.out);
  std::ifstream schema(INSPECT_SOURCE_DIRECTORY "/docs/schemas/inspect.explain.1.json");
  for (const std::string &error : test::schema_errors(Json::parse(schema), document))
    FAIL_CHECK(error);
  return document;
}

/// "name type = value; …", "(result)" for results.
std::string arguments_of(const Json &frame) {
  std::string text;
  for (const Json &argument : frame["args"]) {
    text += text.empty() ? "" : "; ";
    if (argument["name"].is_string())
      text += argument["name"].get<std::string>() + " ";
    if (argument["type"].is_string())
      text += argument["type"].get<std::string>();
    text += argument["result"].get<bool>()
                ? " (result)"
                : " = " + (argument["value"].is_string() ? argument["value"].get<std::string>()
                                                         : argument["words"].get<std::string>());
  }
  return text;
}

Json first_frame(const Json &document) {
  return document["tracebacks"][0]["groups"][0]["frames"][0];
}

std::string sentences(const Json &list) {
  std::string text;
  for (const Json &sentence : list)
    text += sentence.get<std::string>() + "\n";
  return text;
}

const std::string nil_pointer = R"(panic: runtime error: invalid memory address or nil pointer dereference
[signal SIGSEGV: segmentation violation code=0x1 addr=0x50 pc=0x5046c9]

goroutine 54 [running]:
pidinfo.(*PidInfo).updateTime(0x0, 0x0, 0x0)
        /src/pidinfo/pidinfo.go:227 +0x59
pidinfo.(*PidInfo).Update(0x0, 0xc0000905d0, 0x6f7e)
        /src/pidinfo/pidinfo.go:302 +0x32
pidinfo.(*PidInfo).updateChildren(0xc0001e03c0, 0x0, 0x0)
        /src/pidinfo/pidinfo.go:206 +0x35e
testing.(*B).launch(0xc0001f41c0)
        /usr/local/go/src/testing/benchmark.go:320 +0x10c
created by testing.(*B).doBench
        /usr/local/go/src/testing/benchmark.go:275 +0x55
exit status 2
)";

const std::string damaged_heap = R"(runtime: s.allocCount= 3 s.nelems= 5
fatal error: s.allocCount != s.nelems && freeIndex == s.nelems

goroutine 1 [running]:
runtime.throw(0x1a8caa, 0x31)
        runtime/panic.go:774 +0x54 fp=0x40000a0ca0 sp=0x40000a0c70 pc=0x3bc84
runtime.mallocgc(0x600, 0x15d600, 0x1, 0x0)
        runtime/malloc.go:1022 +0x688 fp=0x40000a0db0 sp=0x40000a0cf0 pc=0x1b0e8
io/ioutil.ReadAll(...)
        io/ioutil/ioutil.go:45
pidinfo.(*TidInfo).updateStat(0x40001830e0, 0x0, 0x0)
        pidinfo/pidinfo.go:486 +0x190 fp=0x40000a10f0 sp=0x40000a0fb0 pc=0x12d510
)";

const std::string blocked = R"(fatal error: all goroutines are asleep - deadlock!

goroutine 1 [semacquire, 61 minutes]:
sync.runtime_Semacquire(0xc0000a0018)
	/go/src/runtime/sema.go:56 +0x42
sync.(*WaitGroup).Wait(0xc0000a0010)
	/go/src/sync/waitgroup.go:130 +0x64
main.main()
	/src/a.go:40 +0x1

goroutine 6 [semacquire, 60 minutes]:
sync.runtime_SemacquireMutex(0xc0000b000c, 0x0, 0x1)
	/go/src/runtime/sema.go:71 +0x47
sync.(*Mutex).lockSlow(0xc0000b0008)
	/go/src/sync/mutex.go:138 +0x105
sync.(*Mutex).Lock(...)
	/go/src/sync/mutex.go:81
main.(*Store).get(0xc0000b0000, 0x4a0000, 0x3, 0x1)
	/src/a.go:12 +0x5d
created by main.main
	/src/a.go:30 +0x2

goroutine 7 [semacquire, 2 minutes]:
sync.runtime_SemacquireMutex(0xc0000b000c, 0x0, 0x1)
	/go/src/runtime/sema.go:71 +0x47
sync.(*Mutex).lockSlow(0xc0000b0008)
	/go/src/sync/mutex.go:138 +0x105
sync.(*Mutex).Lock(...)
	/go/src/sync/mutex.go:81
main.(*Store).get(0xc0000b0000, 0x4a0000, 0x3, 0x2)
	/src/a.go:12 +0x5d
created by main.main
	/src/a.go:30 +0x2

goroutine 8 [chan receive]:
main.(*Store).hold(0xc0000b0000, 0xc0000c0000)
	/src/a.go:20 +0x6b
created by main.main
	/src/a.go:31 +0x2

goroutine 9 [chan send]:
main.produce(0xc0000c0000)
	/src/a.go:24 +0x6b
created by main.main
	/src/a.go:32 +0x2

goroutine 10 [chan receive (nil chan)]:
main.never()
	/src/a.go:26 +0x6b
created by main.main
	/src/a.go:33 +0x2
)";

} // namespace

TEST_CASE("words and a declaration give names, types and values") {
  struct Row {
    std::string declaration;
    std::string call;
    std::string arguments;
  };
  const std::vector<Row> rows = {
      {"func Example(slice []string, str string, i int)", "main.Example(0x2080c3f50, 0x2, 0x4, 0x425c0, 0x5, 0xa)",
       "slice []string = []string len: 2, cap: 4, at 0x2080c3f50; str string = len: 5, at 0x425c0; i int = 10"},
      {"func Example(slice []string, str string, i int, m map[string]int)",
       "main.Example(0xc0000c8040, 0x2, 0x4, 0x4c24f9, 0x5, 0x88, 0xc0000cc000)",
       "slice []string = []string len: 2, cap: 4, at 0xc0000c8040; str string = len: 5, at 0x4c24f9; i int = 136; m "
       "map[string]int = map[string]int at 0xc0000cc000"},
      {"func Example(b1, b2, b3 bool, i uint8)", "main.Example(0x19010001)",
       "b1 bool = true; b2 bool = false; b3 bool = true; i uint8 = 25"},
      {"func panicFmt(v ...interface{})", "main.panicFmt(0xc0000a2150, 0x3, 0x3)",
       "v []interface {} = []interface {} len: 3, cap: 3, at 0xc0000a2150"},
      {"func f(a, b int) (sum int, tag int)", "main.f(0x40, 0x8, 0x7, 0x11)",
       "a int = 64; b int = 8; sum int (result); tag int (result)"},
      {"func f(a, b int, e eee); type eee struct { a, b, c, d, e int; s string }",
       "main.f(0x40, 0x8, 0x1, 0x2, 0x3, 0x4, 0x5, 0x4c3839, 0x7)",
       "a int = 64; b int = 8; e eee = eee {a: 1, b: 2, c: 3, d: 4, e: 5, s: len: 7, at 0x4c3839}"},
      {"func (pi *PidInfo) updateTime() error", "pidinfo.(*PidInfo).updateTime(0x0, 0x0, 0x0)",
       "pi *PidInfo = *PidInfo nil; error (result)"},
  };
  for (const Row &row : rows) {
    CAPTURE(row.declaration);
    const Json frame = first_frame(
        explain_json("goroutine 1 [running]:\n" + row.call + "\n\t/src/a.go:1 +0x1\n", {"--decl", row.declaration}));
    CHECK(arguments_of(frame) == row.arguments);
    CHECK(frame["args_from"] == "declaration");
  }
}

TEST_CASE("without a declaration the shape of words says what it can") {
  const auto shape = [](const std::string &call) {
    return arguments_of(first_frame(explain_json("goroutine 1 [running]:\n" + call + "\n\t/src/a.go:1 +0x1\n")));
  };
  CHECK(shape("main.Example(0xc0000c8040, 0x2, 0x4, 0x4c24f9, 0x5, 0x88, 0xc0000cc000)") ==
        " = perhaps a slice: len 2, cap 4;  = perhaps a string of 5 bytes;  = 136;  = 0xc0000cc000");
  CHECK(shape("main.(*T).f(0x0, {0x4c3839, 0x7}, {0xc000012120, 0x1, 0x2}, {0x0, 0x0})") ==
        "*main.T = nil;  = perhaps a string of 7 bytes;  = perhaps a slice: len 1, cap 2;  = an empty string or a nil "
        "interface");
}

TEST_CASE("the stack in a panic's value is where it crashed, and who raised it is told") {
  const Json crash = explain_json(R"(panic: no rows

	goroutine 5 [running]:
	runtime/debug.Stack()
		/go/src/runtime/debug/stack.go:26 +0x5e
	main.guard.func1()
		/src/g.go:23 +0x3d
	panic({0x4af320?, 0x57f240?})
		/go/src/runtime/panic.go:860 +0x13a
	main.load(0xc000012000)
		/src/g.go:18 +0x29

goroutine 5 [running]:
main.main()
	/src/g.go:36 +0xb3
)")["tracebacks"];
  REQUIRE(crash.size() == 1);
  CHECK(crash[0]["where"] == "main.load at /src/g.go:18");
  CHECK_THAT(sentences(crash[0]["then"]),
             Contains("goroutine 5 panicked with that stack in the value, in main.main at "));
}

TEST_CASE("goroutines that wait for each other's locks are told as a possible deadlock") {
  const auto waiter = [](int id, int from, int to) {
    return fmt::format("goroutine {0} [sync.Mutex.Lock]:\nsync.runtime_SemacquireMutex(0x0?, 0x0?, 0x0?)\n"
                       "\t/go/src/runtime/sema.go:95 +0x25\nsync.(*Mutex).lockSlow(0xc0000{2}0)\n"
                       "\t/go/src/sync/mutex.go:173 +0x15d\nmain.move(0xc0000{1}0, 0xc0000{2}0, 0x1)\n"
                       "\t/src/m.go:20 +0x9d\n\n",
                       id, from, to);
  };
  const std::string circle =
      sentences(explain_json(waiter(5, 160, 170) + waiter(6, 170, 160))["tracebacks"][0]["waiting"]);
  CHECK_THAT(circle, Contains("goroutines 5, 6 may wait for each other's locks"));
  const std::string line =
      sentences(explain_json(waiter(5, 160, 170) + waiter(6, 170, 180))["tracebacks"][0]["waiting"]);
  CHECK_THAT(line, Contains("goroutine 5 waits for the sync.Mutex at 0xc00001700") && !Contains("each other"));
}

TEST_CASE("both accesses of a race are told, with where their goroutines were created") {
  const Json race = explain_json("WARNING: DATA RACE\nWrite at 0x00c0000b4010 by goroutine 7:\n  main.count()\n"
                                 "      /src/r.go:10 +0x3c\n\nPrevious read at 0x00c0000b4010 by main goroutine:\n"
                                 "  main.main()\n      /src/r.go:14 +0xb4\n\nGoroutine 7 (running) created at:\n"
                                 "  main.start()\n      /src/r.go:9 +0xaa\n")["tracebacks"][0];
  CHECK(race["kind"] == "data_race");
  CHECK(race["where"] == "write at 0x00c0000b4010 by goroutine 7, in main.count at /src/r.go:10");
  CHECK_THAT(sentences(race["then"]), Contains("previous read") && Contains("in main.main at /src/r.go:14"));
  CHECK(race["groups"][0]["created_by"]["function"] == "main.start");
  CHECK(race["groups"][1]["creation_of"] == 7); // right behind its goroutine
}

TEST_CASE("a crash that no goroutine can have caused was on a thread's own stack") {
  const Json crash =
      explain_json("fatal: morestack on g0\nSIGTRAP: trace trap\nPC=0x45ad42 m=0 sigcode=128\n\n"
                   "goroutine 0 [idle]:\nruntime.abort()\n\t/go/src/runtime/asm_amd64.s:1118 +0x2\n"
                   "runtime.scanobject(0x1)\n\t/go/src/runtime/mgcmark.go:12 +0x25\n\n"
                   "goroutine 1 [chan receive]:\nmain.main()\n\t/src/main.go:5 +0x1d\n")["tracebacks"][0];
  CHECK(crash["crashed"].is_null());
  CHECK(crash["what"] == "fatal: morestack on g0");
  CHECK_THAT(crash["where"].get<std::string>(), Contains("the stack of a thread") && Contains("runtime.scanobject"));
}

TEST_CASE("what a C library says before it aborts is the cause, also with something in between") {
  const auto crash = [](const std::string &words) {
    return explain_json(
        words + "\nGET /health 200\nSIGABRT: abort\nPC=0x7f624fed8eec m=0 sigcode=18446744073709551610\n"
                "signal arrived during cgo execution\n\ngoroutine 1 [syscall]:\n"
                "runtime.cgocall(0x4022a0, 0xc00004df60)\n\t/go/src/runtime/cgocall.go:158 +0x5c\n"
                "main._Cfunc_decode()\n\t_cgo_gotypes.go:51 +0x45\nmain.load()\n\t/src/l.go:3 +0x9\n")["tracebacks"][0];
  };
  const auto words = GENERATE(values<std::pair<std::string, std::string>>({
      {"double free or corruption (fasttop)", "freed memory twice"},
      {"malloc(): corrupted top size", "heap damaged"},
      {"*** stack smashing detected ***: terminated", "an array on its stack"},
      {"svc: decode.c:31: decode: Assertion `rows > 0' failed.", "an assertion"},
      {"terminate called after throwing an instance of 'std::bad_alloc'\n  what():  std::bad_alloc", "C++ exception"},
      {"F0501 10:00:00.000000 7 decode.cc:31] Check failed: rows > 0 ", "a check of C++ code"},
      {"thread '<unnamed>' panicked at src/lib.rs:3:5:", "Rust code panicked"},
  }));
  const Json explained = crash(words.first);
  CAPTURE(words.first, explained["what"].dump(), explained["why"].dump());
  CHECK(explained["crashed"] == 1);
  CHECK_THAT(explained["what"].get<std::string>(),
             Contains(words.first.substr(0, words.first.find_first_of("\n") - 1).substr(0, 20)));
  CHECK_THAT(sentences(explained["why"]), Contains(words.second));
  CHECK_THAT(sentences(crash("started")["why"]), Contains("C code called abort"));
}

TEST_CASE("a traceback without its line ends is refused with the reason") {
  const Answer answer = explain("panic: boomgoroutine 1 [running]:main.f(0x1)/src/a.go:1 +0x1dmain.main()/src/a.go:9 "
                                "+0x2exit status 2\n",
                                {});
  CHECK_THAT(answer.error, Contains("has lost its line ends"));
  CHECK_THAT(explain("go 1.26\nsee main.go:12\n", {}).error, Contains("line 2 may be a part of one"));
}

TEST_CASE("what may be anything is not guessed at") {
  const auto shape = [](const std::string &call) {
    return arguments_of(first_frame(explain_json("goroutine 1 [running]:\n" + call + "\n\t/src/a.go:1 +0x1\n")));
  };
  CHECK(shape("main.(*T).f(0x0, 0xc0000905d0, 0x6f7e)") == "*main.T = nil;  = 0xc0000905d0;  = 28542");
  CHECK(shape("main.f({0x4c3839?, 0x7?}, {0x4c3839, 0x7})") == " = {0x4c3839?, 0x7?};  = perhaps a string of 7 bytes");
}

TEST_CASE("a nil receiver is named as the cause, with the way it came") {
  const Json crash = explain_json(nil_pointer)["tracebacks"][0];
  CHECK(crash["kind"] == "panic");
  CHECK(crash["crashed"] == 54);
  CHECK(crash["where"] == "pidinfo.(*PidInfo).updateTime at /src/pidinfo/pidinfo.go:227");
  CHECK(crash["signal"]["address"] == "0x50");
  const std::string why = sentences(crash["why"]);
  CHECK_THAT(why, Contains("the receiver (*pidinfo.PidInfo) is nil: the cause"));
  CHECK_THAT(why, Contains("0x50, is a field's offset in a nil *pidinfo.PidInfo"));
  CHECK_THAT(why, Contains("nil already in pidinfo.(*PidInfo).Update at /src/pidinfo/pidinfo.go:302"));
  CHECK_THAT(why, Contains("comes from pidinfo.(*PidInfo).updateChildren at /src/pidinfo/pidinfo.go:206"));
  CHECK(crash["exit_status"] == 2);
}

TEST_CASE("a declared structure names the field at the fault's address") {
  const auto why = [](const std::string &type) {
    return sentences(explain_json(
        nil_pointer, {"--decl", "func (pi *PidInfo) updateTime() error", "--decl", type})["tracebacks"][0]["why"]);
  };
  CHECK_THAT(why("type PidInfo struct { name string; times [6]int; stat struct { user, system int }; last int }"),
             Contains("0x50, is the offset of the field stat.system in a nil *PidInfo") ||
                 Contains("0x50, is the offset of the field last in a nil *PidInfo"));
  CHECK_THAT(why("type PidInfo struct { name string; times [7]int; stat struct { when, user int } }"),
             Contains("is the offset of the field stat.user in a nil *PidInfo"));
  CHECK_THAT(why("type PidInfo struct { name string }"), Contains("lies behind the 16 bytes of PidInfo"));
}

TEST_CASE("the long form of arm64 and the runtime's damaged heap are explained") {
  const Json crash = explain_json(damaged_heap)["tracebacks"][0];
  CHECK(crash["kind"] == "fatal_error");
  CHECK(crash["where"] == "io/ioutil.ReadAll at io/ioutil/ioutil.go:45, called from pidinfo.(*TidInfo).updateStat at "
                          "pidinfo/pidinfo.go:486");
  CHECK_THAT(sentences(crash["why"]), Contains("memory was damaged by unsafe, cgo, a race or faulty hardware"));
  CHECK(crash["groups"][0]["frames"][0]["pc"] == "0x3bc84");
  CHECK(crash["groups"][0]["frames"][2]["inlined"] == true);
}

TEST_CASE("an index beyond a slice names the argument with that length") {
  const Json crash = explain_json("panic: runtime error: index out of range [5] with length 3\n\n"
                                  "goroutine 1 [running]:\n"
                                  "main.pick(0xc000012120, 0x3, 0x3, 0x5)\n\t/src/a.go:1 +0x1\n",
                                  {"--decl", "func pick(names []string, index int)"})["tracebacks"][0];
  CHECK_THAT(sentences(crash["why"]), Contains("the index is 5, the length is 3"));
  CHECK_THAT(sentences(crash["why"]), Contains("the argument names ([]string) has that length"));
}

TEST_CASE("who waits for whom is said as far as the words show it") {
  const Json crash = explain_json(blocked, {"--decl", "func (s *Store) hold(done chan bool)", "--decl",
                                            "func produce(out chan bool)"})["tracebacks"][0];
  CHECK(crash["crashed"].is_null());
  CHECK_THAT(sentences(crash["why"]), Contains("every goroutine waits for another one"));
  const std::string waiting = sentences(crash["waiting"]);
  CHECK_THAT(waiting, Contains("the longest wait: goroutine 1, 61 minutes in semacquire"));
  CHECK_THAT(waiting,
             Contains("2 goroutines (6, 7) wait for the sync.Mutex at 0xc0000b0008: it may be held by goroutine "
                      "8 [chan receive] in main.(*Store).hold at /src/a.go:20, which waits for the channel at "
                      "0xc0000c0000"));
  CHECK_THAT(waiting, Contains("goroutine 8 waits to receive from the channel at 0xc0000c0000"));
  CHECK_THAT(waiting, Contains("goroutine 9 waits to send on the channel at 0xc0000c0000"));
  CHECK_THAT(waiting, Contains("goroutine 10 waits for ever"));
}

TEST_CASE("goroutines that are alike are one group, with their words folded") {
  const Json groups = explain_json(blocked)["tracebacks"][0]["groups"];
  REQUIRE(groups.size() == 5);
  const auto pair = std::ranges::find_if(groups, [](const Json &group) { return group["ids"].size() == 2; });
  REQUIRE(pair != groups.end());
  CHECK((*pair)["ids"] == Json({6, 7}));
  CHECK((*pair)["longest_wait_minutes"] == 60);
  CHECK((*pair)["shortest_wait_minutes"] == 2);
  CHECK_THAT((*pair)["frames"][3]["words"].get<std::string>(), Contains("0x3, *"));
  CHECK((*pair)["frames"][3]["args"].empty());
  CHECK(explain_json(blocked, {"--no-group"})["tracebacks"][0]["groups"].size() == 6);
}

TEST_CASE("the human-readable text begins with what, where and why") {
  const Answer answer = explain(nil_pointer, {});
  CHECK(answer.status == 0);
  CHECK(answer.out.starts_with("panic: runtime error: invalid memory address or nil pointer dereference\n"));
  CHECK_THAT(answer.out, Contains("\nwhere    goroutine 54, in pidinfo.(*PidInfo).updateTime at"));
  CHECK_THAT(answer.out, Contains("\nwhy      "));
  CHECK_THAT(answer.out,
             Contains("    #0  pidinfo.(*PidInfo).updateTime(0x0, 0x0, 0x0) at /src/pidinfo/pidinfo.go:227"));
  CHECK_THAT(answer.out, Contains("    created by testing.(*B).doBench at /usr/local/go/src/testing/benchmark.go:275"));
  const Answer several = explain(nil_pointer + "\n" + nil_pointer, {});
  CHECK_THAT(several.out, Contains("── 2 of 2, from line 17 of "));
}

TEST_CASE("folded recursion says where its words are not all the same") {
  const auto text_with = [](std::string_view last_word) {
    std::string text = "goroutine 1 [running]:\n";
    for (int i = 0; i < 20; ++i)
      text += fmt::format("main.down({})\n\t/src/main.go:7 +0x2a\n", i == 19 ? last_word : "0x1");
    return explain(text, {}).out;
  };
  CHECK_THAT(text_with("0x1"), Contains("… the frame above repeated 20 times in all (to #19)\n"));
  CHECK_THAT(text_with("0x2"), Contains("… the frame above repeated 20 times in all (to #19), with other arguments\n"));
}

TEST_CASE("control characters of a crash text do not reach the terminal") {
  const Answer answer =
      explain("panic: \x1b]0;x\x07 boom\n\ngoroutine 1 [running]:\nmain.f()\n\t/src/\x07.go:1 +0x1\n", {});
  CHECK(answer.status == 0);
  CHECK(answer.out.find('\x07') == std::string::npos);
  CHECK(answer.out.find('\x1b') == std::string::npos);
}

TEST_CASE("what cannot be explained is said, with a remedy") {
  const Answer none = explain("hello\n", {});
  CHECK(none.status == 1);
  CHECK_THAT(none.error, Contains("no Go traceback found in "));
  CHECK(explain(nil_pointer, {"--decl", "func ("}).status == 2);
  CHECK(explain(nil_pointer, {"--exe", "/nonexistent/program"}).status == 1);
  CHECK(explain(nil_pointer, {"--exe", "/bin/sh"}).status == 1);
  const auto missing = run_inspect({"explain", "/nonexistent/crash.txt"});
  CHECK(missing.status == 1);
  CHECK_THAT(missing.err, Contains("/nonexistent/crash.txt"));
  const Json unused = explain_json(nil_pointer, {"--decl", "func other(a int)"});
  CHECK_THAT(sentences(unused["tracebacks"][0]["warnings"]), Contains("no call of other with words"));
  const Json misfit = explain_json(nil_pointer, {"--decl", "func (pi *PidInfo) updateTime(a, b, c, d int)"});
  CHECK_THAT(sentences(first_frame(misfit)["remarks"]), Contains("the signature makes 5 words, the text has 3"));
}

} // namespace inspect
