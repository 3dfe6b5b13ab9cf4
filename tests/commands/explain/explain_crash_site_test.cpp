// `inspect explain`: where a program crashed, of panics that handlers passed on, reported or added to, and of C code.
// The programs (fixtures/golang/handled_panics, c_crashes) say themselves where they are about to panic.
#include "tests/support/catch.h"
#include "tests/support/go_toolchain.h"
#include "tests/support/run_command.h"
#include "tests/support/temporary_directory.h"

#include <algorithm>
#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <sstream>

namespace inspect::test {
namespace {

using Catch::Matchers::Contains;
using Json = nlohmann::json;

struct Announced {
  std::string function;
  std::string line;
};

struct SiteCrash {
  std::vector<Announced> where, then;
  Json explained;
};

SiteCrash crash_at(const std::string &program, const std::string &kind, std::vector<std::string> options = {}) {
  const TemporaryDirectory folder;
  const std::string text = folder / "crash.txt";
  const CommandResult run =
      run_command({"bash", "-c", fmt::format("ulimit -c 0; LIBC_FATAL_STDERR_=1 '{}' {} 2>'{}'", program, kind, text)});
  options.insert(options.begin(), {"explain", text, "--json"});
  const CommandResult result = run_inspect(options);
  CAPTURE(run.out, result.err);
  REQUIRE(result.status == 0);
  SiteCrash crash;
  std::istringstream lines(run.out);
  for (std::string what, function, line; std::getline(lines, what, '\t') && std::getline(lines, function, '\t');) {
    std::getline(lines, line);
    (what == "WHERE" ? crash.where : crash.then).push_back({function, line});
  }
  crash.explained = Json::parse(result.out)["tracebacks"][0];
  return crash;
}

/// "main.settle at …/main.go:33".
bool is_place(const std::string &text, const Announced &announced) {
  return text.find(announced.function + " at ") != std::string::npos &&
         text.find("main.go:" + announced.line) != std::string::npos;
}

std::vector<const Json *> marked_frames(const Json &traceback, const char *mark) {
  std::vector<const Json *> found;
  for (const Json &group : traceback["groups"])
    for (const Json &frame : group["frames"])
      if (frame[mark].get<bool>())
        found.push_back(&frame);
  return found;
}

} // namespace

TEST_CASE("the frame that panicked is where it crashed, not a handler that passed the panic on") {
  for_each_go([](const GoToolchain &go) {
    const std::string program = build_go(go, "handled_panics");
    for (const std::string kind :
         {"passed-on", "passed-on-twice", "wrapped", "second", "second-fault", "reported", "server"}) {
      CAPTURE(kind);
      const SiteCrash crash = crash_at(program, kind);
      CAPTURE(crash.explained["where"].dump(), crash.explained["then"].dump());
      CHECK(crash.explained["kind"] == "panic");
      REQUIRE(crash.where.size() == 1);
      CHECK(is_place(crash.explained["where"].get<std::string>(), crash.where[0]));
      const auto here = marked_frames(crash.explained, "crashed_here");
      REQUIRE(here.size() == 1);
      CHECK((*here[0])["function"] == crash.where[0].function);
      REQUIRE(crash.explained["then"].size() == crash.then.size());
      for (std::size_t i = 0; i < crash.then.size(); ++i)
        CHECK(is_place(crash.explained["then"][i].get<std::string>(), crash.then[i]));
      CHECK(marked_frames(crash.explained, "panicked_later").size() == crash.then.size());
    }
    CHECK_THAT(crash_at(program, "passed-on").explained["then"][0].get<std::string>(),
               Contains("the same panic again"));
    CHECK_THAT(crash_at(program, "second").explained["then"][0].get<std::string>(), Contains(": no rows to restore"));
  });
}

TEST_CASE("below a frame of the standard library the program's is named, too") {
  for_each_go([](const GoToolchain &go) {
    const std::string program = build_go(go, "handled_panics");
    CHECK_THAT(crash_at(program, "library").explained["where"].get<std::string>(),
               Contains("sync.(*WaitGroup).") && Contains(", called from main.main at "));
    CHECK_THAT(crash_at(program, "library-argument").explained["where"].get<std::string>(),
               Contains("strings.Repeat") && Contains(", called from main.main at "));
  });
}

TEST_CASE("calls inlined into a method that the compiler made fit the binary") {
  for_each_go([](const GoToolchain &go) {
    const std::string program = build_go(go, "handled_panics");
    const Json crash = crash_at(program, "wrapper", {"--exe", program}).explained;
    CHECK_THAT(crash["where"].get<std::string>(), Contains("main.square.area at "));
    CHECK(crash["warnings"].empty());
  });
}

TEST_CASE("words that are out of date are not decoded to what cannot be") {
  for_each_go([](const GoToolchain &go) {
    for (const GoVariant variant : {GoVariant::plain, GoVariant::stripped}) {
      const std::string program = build_go(go, "handled_panics", variant);
      const Json crash = crash_at(program, "server", {"--exe", program}).explained;
      std::size_t decoded = 0;
      for (const Json &group : crash["groups"])
        for (const Json &frame : group["frames"])
          for (const Json &argument : frame["args"]) {
            const std::string value = argument["value"].is_string() ? argument["value"].get<std::string>() : "";
            CAPTURE(frame["function"].dump(), argument.dump());
            CHECK_FALSE(value.contains("unreadable"));
            CHECK_FALSE(value.contains("not initialised?"));
            CHECK_FALSE((argument["stale"].get<bool>() && value.contains("(func ") && value.contains("+0x")));
            decoded += value.empty() ? 0 : 1;
          }
      CHECK(decoded > 0);
    }
  });
}

TEST_CASE("readers behind a writer behind a reader are told, also where RLock is inlined") {
  for_each_go([](const GoToolchain &go) {
    const std::string program = build_go(go, "lock_convoy");
    const TemporaryDirectory folder;
    const CommandResult run = run_command(
        {"bash", "-c", fmt::format("ulimit -c 0; GOTRACEBACK=all '{}' 2>'{}'", program, folder / "dump.txt")});
    REQUIRE(run.out.starts_with("LOCK\t0x"));
    const std::string lock = run.out.substr(5, run.out.find('\n') - 5);
    const CommandResult result = run_inspect({"explain", folder / "dump.txt", "--json"});
    REQUIRE(result.status == 0);
    std::string sentences;
    const Json explained = Json::parse(result.out);
    for (const Json &sentence : explained["tracebacks"][0]["waiting"])
      sentences += sentence.get<std::string>() + "\n";
    CHECK_THAT(sentences, Contains("3 goroutines (") && Contains("wait to read under the sync.RWMutex at " + lock) &&
                              Contains("waits to write under it") && Contains("in main.(*index).scan at "));
  });
}

TEST_CASE("what C code does to a program is a crash, and the C library's words are its cause") {
  for_each_go([](const GoToolchain &go) {
    const std::string program = build_go(go, "c_crashes", GoVariant::cgo);
    const Json freed = crash_at(program, "free").explained;
    CAPTURE(freed.dump());
    CHECK_THAT(freed["what"].get<std::string>(), Contains("free(): invalid pointer"));
    CHECK_THAT(freed["why"][0].get<std::string>(), Contains("freed a pointer that malloc had not given out"));
    CHECK(freed["crashed"] == 1);
    CHECK_THAT(freed["where"].get<std::string>(),
               Contains("main._Cfunc_free_middle") && Contains(", called from main.release at "));
    CHECK(freed["kind"] == "signal");

    const Json asserted = crash_at(program, "assert").explained;
    CHECK_THAT(asserted["what"].get<std::string>(), Contains("Assertion `count == 3' failed."));
    const Json aborted = crash_at(program, "abort").explained;
    CHECK(aborted["crashed"] == 1);
    CHECK_THAT(aborted["where"].get<std::string>(), Contains(", called from main.stop at "));
    CHECK(crash_at(program, "asked").explained["crashed"].is_null());
    CHECK_THAT(crash_at(program, "fault", {"--exe", program}).explained["where"].get<std::string>(),
               Contains("the C function read_pixel") && Contains(", called from main.decode at "));
  });
}

} // namespace inspect::test
